package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.exitHereIfFailed;
import static io.gatling.javaapi.core.CoreDsl.jmesPath;
import static io.gatling.javaapi.http.HttpDsl.header;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import io.gatling.javaapi.core.ChainBuilder;
import io.gatling.javaapi.http.HttpProtocolBuilder;
import io.gatling.javaapi.http.HttpRequestActionBuilder;
import java.net.URI;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The calls of a visit. Each is checked for what it must have brought about, not for its status
 * alone: a line that was set is in the answer with its quantity, and is still there afterwards.
 */
final class Shop {

  private static final String TOKEN = "token";
  private static final String SKU = "sku";
  private static final String QUANTITY = "quantity";

  /** Lines that a visit may have. */
  private static final int SKUS = 20;

  private static final String SET =
      "items[?sku=='#{" + SKU + "}'].quantity | [0] == `#{" + QUANTITY + "}`";

  private Shop() {}

  static HttpProtocolBuilder protocol(URI target) {
    return http.baseUrl(target.toString())
        .contentTypeHeader("application/json")
        // As an application's server has it: a pool of connections, and no cache of answers.
        .shareConnections()
        .disableCaching();
  }

  /** A visitor comes; without a session there is nothing more to do for them. */
  static ChainBuilder open() {
    return exec(http("open a session")
            .post("/v1/sessions")
            .body(StringBody("{}"))
            .check(status().is(201), header("Session-Token").saveAs(TOKEN)))
        .exec(exitHereIfFailed());
  }

  /** Sets a line of some SKU and quantity, and remembers both. */
  static ChainBuilder setLine() {
    return exec(session ->
            session
                .set(SKU, "sku-" + ThreadLocalRandom.current().nextInt(SKUS))
                .set(QUANTITY, ThreadLocalRandom.current().nextInt(1, 10)))
        .exec(put("set a line"));
  }

  /** Sets a line of one SKU that everybody wants. */
  static ChainBuilder setHotLine() {
    return exec(session -> session.set(SKU, "hot-1").set(QUANTITY, 1))
        .exec(put("set the hot line"));
  }

  private static HttpRequestActionBuilder put(String name) {
    return http(name)
        .put("/v1/cart/items/#{" + SKU + "}")
        .header("Session-Token", "#{" + TOKEN + "}")
        .body(
            StringBody(
                """
                {"quantity":#{quantity},"unitPrice":{"amount":"19.95","currency":"EUR"},\
                "name":"A well made thing of which the shop has more than one","attributes":\
                {"color":"red","size":"42","image":"/images/products/1/front-view-large.jpg",\
                "vendor":"a vendor of things","note":"wrapped as a gift with a card"}}\
                """))
        .check(status().in(200, 201), jmesPath(SET).is("true"));
  }

  /** Looks at the session; the line that was set last must be there as it was set. */
  static HttpRequestActionBuilder look() {
    return http("look at the session")
        .get("/v1/session")
        .header("Session-Token", "#{" + TOKEN + "}")
        .check(status().is(200), jmesPath("cart." + SET).is("true"));
  }

  /** Logs the visitor in as a user of their own; the cart comes along, the token is another. */
  static ChainBuilder logIn() {
    return exec(session -> session.set("user", "user-" + UUID.randomUUID()))
        .exec(
            http("log in")
                .post("/v1/session/login")
                .header("Session-Token", "#{" + TOKEN + "}")
                .body(StringBody("{\"user\":\"#{user}\"}"))
                .check(
                    status().is(200),
                    jmesPath("user").isEL("#{user}"),
                    jmesPath("cart." + SET).is("true"),
                    header("Session-Token").saveAs(TOKEN)));
  }

  /** Checks out; the line is in the order. */
  static HttpRequestActionBuilder checkOut() {
    return http("check out")
        .post("/v1/cart/checkout")
        .header("Session-Token", "#{" + TOKEN + "}")
        .body(StringBody("{}"))
        .check(status().is(200), jmesPath("orderId").exists(), jmesPath(SET).is("true"));
  }

  /** Logs out, after which the token is worth nothing. */
  static ChainBuilder logOut() {
    return exec(http("log out")
            .delete("/v1/session")
            .header("Session-Token", "#{" + TOKEN + "}")
            .check(status().is(204)))
        .exec(
            http("look with a dead token")
                .get("/v1/session")
                .header("Session-Token", "#{" + TOKEN + "}")
                .check(status().is(401)));
  }
}
