package dev.holdfast.command;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.cart.Cart;
import dev.holdfast.feed.EventText;
import dev.holdfast.feed.Moments;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Session;
import dev.holdfast.user.User;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A user on paper, whether read from a journal or told by a server.
 *
 * @param facts the first lines, each a name and what there is to say
 * @param sessions two lines or one each
 * @param lines of the cart
 * @param totals of the cart, one a currency
 * @param order the last one, or null
 */
record UserSheet(
    List<String> facts,
    List<String> sessions,
    List<String> lines,
    List<String> totals,
    @Nullable String order) {

  /** {@return what a journal holds} */
  static UserSheet of(OwnerKey owner, StoredUser stored) {
    User user = stored.user();
    var facts = new ArrayList<String>();
    facts.add(fact("user", user.userId() == null ? "-" : user.userId()));
    facts.add(fact("owner", owner.toString()));
    facts.add(fact("revision", changed(user.revision(), Moments.text(user.lastEntryAt()))));
    facts.add(
        fact(
            "journal",
            "events %d to %d, %s"
                .formatted(
                    stored.first(),
                    stored.last(),
                    stored.snapshot() == 0 ? "no snapshot" : "snapshot of " + stored.snapshot())));
    LogIn logIn = user.logIn();
    if (logIn != null) {
      facts.add(
          fact(
              "log-in",
              "to user %s, since %s".formatted(logIn.userId(), Moments.text(logIn.startedAt()))));
    }
    facts.add(fact("receipts", Integer.toString(user.receipts().size())));
    var sessions = new ArrayList<String>();
    for (Session session : user.sessions()) {
      sessions.add(
          session(
              EventText.id(owner, session.id()),
              Moments.text(session.createdAt()),
              Moments.text(session.lastSeenAt()),
              Moments.text(session.expiresAt(session.lastSeenAt())),
              session.attributes().members().isEmpty() ? "" : session.attributes().toString()));
    }
    Cart cart = user.cart();
    Cart.LastOrder order = cart.lastOrder();
    return new UserSheet(
        facts,
        sessions,
        cart.lines().stream().map(EventText::line).toList(),
        cart.totals().stream().map(EventText::money).toList(),
        order == null ? null : order(order.orderId(), Moments.text(order.at())));
  }

  /** {@return what a server tells} */
  static UserSheet of(JsonNode user) {
    var sessions = new ArrayList<String>();
    for (JsonNode session : user.path("sessions")) {
      sessions.add(
          session(
              session.path("id").asText(),
              session.path("createdAt").asText(),
              session.path("lastSeenAt").asText(),
              session.path("expiresAt").asText(),
              session.path("attributes").isEmpty() ? "" : session.path("attributes").toString()));
    }
    var lines = new ArrayList<String>();
    for (JsonNode item : user.at("/cart/items")) {
      lines.add(
          "%d × %s at %s%s%s"
              .formatted(
                  item.path("quantity").asInt(),
                  item.path("sku").asText(),
                  money(item.path("unitPrice")),
                  item.path("name").isNull() ? "" : " " + item.path("name").asText(),
                  item.path("attributes").isEmpty() ? "" : " " + item.path("attributes")));
    }
    var totals = new ArrayList<String>();
    user.at("/cart/totals").forEach(total -> totals.add(money(total)));
    JsonNode order = user.at("/cart/lastOrder");
    return new UserSheet(
        List.of(
            fact("user", user.path("user").asText()),
            fact("owner", user.path("owner").asText()),
            fact(
                "revision",
                changed(user.path("revision").asLong(), user.path("changedAt").asText()))),
        sessions,
        lines,
        totals,
        order.isNull() || order.isMissingNode()
            ? null
            : order(order.path("orderId").asText(), order.path("at").asText()));
  }

  void print(PrintWriter out) {
    facts.forEach(fact -> out.printf("%s%n", fact));
    out.printf("%s%n", fact("sessions", Integer.toString(sessions.size())));
    sessions.forEach(session -> out.printf("%s%n", session));
    out.printf("%s%n", fact("cart", lines.size() + " lines"));
    lines.forEach(line -> out.printf("  %s%n", line));
    totals.forEach(total -> out.printf("  total %s%n", total));
    if (order != null) {
      out.printf("%s%n", fact("order", order));
    }
  }

  private static String fact(String name, String what) {
    return "%-8s  %s".formatted(name, what);
  }

  private static String changed(long revision, String at) {
    return revision + ", at " + at;
  }

  private static String session(
      String id, String opened, String seen, String expires, String attributes) {
    String line = "  %s  opened %s, seen %s, expires %s".formatted(id, opened, seen, expires);
    return attributes.isEmpty() ? line : line + System.lineSeparator() + "    " + attributes;
  }

  private static String order(String id, String at) {
    return id + ", at " + at;
  }

  private static String money(JsonNode money) {
    return money.path("amount").asText() + " " + money.path("currency").asText();
  }
}
