package dev.holdfast.benchmarks.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

/** The bytes that every contestant stores. */
final class Payloads {

  static final String EVENT_NAME = "cart.line-set.v1";
  static final String SNAPSHOT_NAME = "user.v1";

  /** From an event to its owner's next deadline. */
  static final long DEADLINE_MILLIS = 30 * 60_000;

  private static final String LINE =
      """
      {"sku":"shoe-4711","quantity":2,"unitPrice":{"amount":"59.95","currency":"EUR"},\
      "name":"A well made thing of which the shop has more than one",\
      "attributes":{"color":"red","size":"42","image":"/images/products/4711/front-view.jpg",\
      "vendor":"a vendor of things","note":"wrapped as a gift, with a card that says why"}}\
      """;

  /** About 300 bytes. */
  static final byte[] EVENT = LINE.getBytes(UTF_8);

  /** About 1 kB. */
  static final byte[] SNAPSHOT =
      ("{\"cart\":[" + String.join(",", LINE, LINE, LINE) + "],\"revision\":5}").getBytes(UTF_8);

  private Payloads() {}
}
