package dev.holdfast.local;

import java.util.List;

/** Where the body of a message ends (RFC 9112, section 6). */
sealed interface Framing {

  /** After so many bytes; 0 for no body. */
  record Sized(long bytes) implements Framing {}

  /** With its last chunk. */
  record Chunked() implements Framing {}

  /** With the connection; answers only. */
  record UntilEnd() implements Framing {}

  /** Far below what a long counts, far above any body. */
  int MOST_DIGITS = 15;

  /**
   * {@return the framing of a request}
   *
   * @throws Head.Malformed if the head says nothing clear about it
   */
  static Framing ofRequest(Head head) throws Head.Malformed {
    Framing framing = said(head);
    return framing instanceof UntilEnd ? new Sized(0) : framing;
  }

  /**
   * {@return the framing of an answer}
   *
   * @throws Head.Malformed if the head says nothing clear about it
   */
  static Framing ofAnswer(Head head, String method, int status) throws Head.Malformed {
    Framing framing = said(head);
    return method.equals("HEAD") || status == 204 || status == 304 ? new Sized(0) : framing;
  }

  private static Framing said(Head head) throws Head.Malformed {
    List<String> codings = head.all("Transfer-Encoding");
    List<String> lengths = head.all("Content-Length");
    if (codings.size() + lengths.size() > 1) {
      throw new Head.Malformed("the length of the body is told twice");
    }
    if (!codings.isEmpty()) {
      if (!codings.getFirst().equalsIgnoreCase("chunked")) {
        throw new Head.Malformed("the transfer coding is not known");
      }
      return new Chunked();
    }
    if (!lengths.isEmpty()) {
      String length = lengths.getFirst();
      if (length.isEmpty()
          || length.length() > MOST_DIGITS
          || !length.chars().allMatch(c -> c >= '0' && c <= '9')) {
        throw new Head.Malformed("the length of the body is no number");
      }
      return new Sized(Long.parseLong(length));
    }
    return new UntilEnd();
  }
}
