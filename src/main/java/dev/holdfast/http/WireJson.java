package dev.holdfast.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Money;
import dev.holdfast.cart.Order;
import dev.holdfast.cluster.NodeFigures;
import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.Takeover;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import dev.holdfast.json.JsonText.Writing;
import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.Histogram.Scale;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.PublicSessionId;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import dev.holdfast.user.User;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Everything that the API answers with, as bytes of JSON; {@code openapi.yaml} has the schemas. */
final class WireJson {

  /** For texts of one kind that are kept, of the usual size; at most four times as much. */
  private static final long RENDITIONS_BYTES = Runtime.getRuntime().maxMemory() / 128;

  /** By the user. */
  private static final Renditions<Cart> CARTS =
      new Renditions<>(
          RENDITIONS_BYTES / 1_024,
          4 * 1_024,
          (user, cart) -> object(out -> cartFields(out, user, cart)));

  /** By the user and the SKU. */
  private static final Renditions<Line> LINES =
      new Renditions<>(
          RENDITIONS_BYTES / 256, 1_024, (_, line) -> object(out -> lineFields(out, line)));

  /** What stands beside the session in the answers that show a token. */
  record Merge(MergePolicy policy, List<CartMerge.Entry> lines) {}

  private WireJson() {}

  static byte[] session(OwnerKey owner, Reply.View view) {
    return session(owner, view, _ -> {});
  }

  static byte[] sessionWithToken(OwnerKey owner, Reply.View view, String token) {
    return session(owner, view, out -> out.writeStringField("token", token));
  }

  /**
   * @param merge null where no carts were merged
   */
  static byte[] loggedIn(OwnerKey owner, Reply.View view, String token, @Nullable Merge merge) {
    return session(
        owner,
        view,
        out -> {
          out.writeStringField("token", token);
          if (merge == null) {
            out.writeNullField("merge");
          } else {
            out.writeObjectFieldStart("merge");
            mergeFields(out, merge);
            out.writeEndObject();
          }
        });
  }

  /**
   * @param more fields that follow those of the session
   */
  private static byte[] session(OwnerKey owner, Reply.View view, Writing more) {
    byte[] cart = cart(owner, view.cart());
    return object(out -> {
      sessionFields(out, owner, view, cart);
      more.to(out);
    });
  }

  static byte[] sessions(OwnerKey owner, Reply.Sessions sessions) {
    return object(out -> {
      out.writeArrayFieldStart("sessions");
      for (Reply.View view : sessions.sessions()) {
        Session session = view.session();
        out.writeStartObject();
        id(out, owner, session.id());
        out.writeBooleanField("current", session.id().equals(sessions.asking()));
        times(out, view);
        time(out, "expiresAt", view.expiresAt());
        time(out, "endsAt", session.endsAt());
        out.writeEndObject();
      }
      out.writeEndArray();
    });
  }

  static byte[] ended(int count) {
    return object(out -> out.writeNumberField("ended", count));
  }

  static byte[] attribute(Json value) {
    return JsonText.bytes(out -> JsonText.write(value, out));
  }

  static byte[] cart(OwnerKey owner, Cart cart) {
    return CARTS.of(owner.hashCode(), cart);
  }

  static byte[] order(OwnerKey owner, Order order) {
    return object(out -> orderFields(out, owner, order));
  }

  static void orderFields(JsonGenerator out, OwnerKey owner, Order order) throws IOException {
    out.writeStringField("orderId", order.id());
    out.writeStringField("reference", order.reference());
    lines(out, owner, order.lines());
    totals(out, order.totals());
    time(out, "at", order.at());
  }

  /** The user as they are now. */
  static byte[] user(OwnerKey owner, Reply.Inspected user) {
    return object(out ->
        userFields(
            out,
            owner,
            user.userId(),
            user.revision(),
            user.lastEntryAt(),
            user.sessions(),
            user.cart()));
  }

  /** The user as of a moment; activity that was never journaled is not in it. */
  static byte[] user(OwnerKey owner, User user) {
    return object(out ->
        userFields(
            out,
            owner,
            user.userId(),
            user.revision(),
            user.lastEntryAt(),
            user.sessions().stream()
                .map(each -> new Reply.View(user.userId(), each, each.lastSeenAt(), user.cart()))
                .toList(),
            user.cart()));
  }

  private static void userFields(
      JsonGenerator out,
      OwnerKey owner,
      @Nullable String userId,
      long revision,
      long lastEntryAt,
      List<Reply.View> sessions,
      Cart cart)
      throws IOException {
    out.writeStringField("user", userId);
    out.writeStringField("owner", owner.toString());
    out.writeNumberField("revision", revision);
    time(out, "changedAt", lastEntryAt);
    userSessions(out, owner, sessions);
    out.writeFieldName("cart");
    JsonText.writeWhole(cart(owner, cart), out);
  }

  static byte[] sessionsOfUser(OwnerKey owner, Reply.Inspected user) {
    return object(out -> userSessions(out, owner, user.sessions()));
  }

  private static void userSessions(JsonGenerator out, OwnerKey owner, List<Reply.View> sessions)
      throws IOException {
    out.writeArrayFieldStart("sessions");
    for (Reply.View view : sessions) {
      Session session = view.session();
      out.writeStartObject();
      id(out, owner, session.id());
      out.writeFieldName("attributes");
      JsonText.write(session.attributes(), out);
      times(out, view);
      out.writeStringField("idleTimeout", Durations.text(session.idleMillis()));
      time(out, "expiresAt", view.expiresAt());
      time(out, "endsAt", session.endsAt());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  /** The receipt of an erasure. */
  static byte[] erased(OwnerKey owner, long revision, Outcome.Erased erased) {
    return object(out -> {
      out.writeStringField("owner", owner.toString());
      time(out, "erasedAt", erased.at());
      out.writeNumberField("revision", revision);
      out.writeNumberField("sessionsEnded", erased.sessions());
    });
  }

  static byte[] cluster(List<NodeStatus> nodes, List<Takeover> takeovers) {
    return object(out -> {
      out.writeArrayFieldStart("nodes");
      for (NodeStatus node : nodes) {
        out.writeStartObject();
        out.writeStringField("name", node.name());
        out.writeStringField("address", node.address());
        out.writeStringField("http", node.http());
        number(out, "pid", node.pid());
        out.writeStringField("state", state(node.state()));
        out.writeBooleanField("oldest", node.oldest());
        number(out, "shards", node.shards());
        number(out, "users", node.users());
        out.writeEndObject();
      }
      out.writeEndArray();
      out.writeArrayFieldStart("takeovers");
      for (Takeover takeover : takeovers) {
        out.writeStartObject();
        out.writeStringField("node", takeover.node());
        out.writeStringField("tier", takeover.tier().name().toLowerCase(Locale.ROOT));
        time(out, "at", takeover.at().toEpochMilli());
        out.writeNumberField("shards", takeover.shards());
        Duration took = takeover.took();
        out.writeStringField(
            "took", took == null ? null : took.truncatedTo(ChronoUnit.MILLIS).toString());
        out.writeEndObject();
      }
      out.writeEndArray();
    });
  }

  static byte[] metrics(List<NodeFigures> nodes) {
    return object(out -> {
      bounds(out, "secondsBounds", Scale.NANOS);
      bounds(out, "countBounds", Scale.COUNT);
      out.writeArrayFieldStart("nodes");
      for (NodeFigures node : nodes) {
        out.writeStartObject();
        out.writeStringField("name", node.node());
        Figures figures = node.figures();
        if (figures == null) {
          out.writeNullField("figures");
        } else {
          out.writeObjectFieldStart("figures");
          figuresFields(out, figures);
          out.writeEndObject();
        }
        out.writeEndObject();
      }
      out.writeEndArray();
    });
  }

  private static void bounds(JsonGenerator out, String name, Scale scale) throws IOException {
    out.writeArrayFieldStart(name);
    for (int bucket = 0; bucket < scale.size(); bucket++) {
      out.writeNumber(scale.bound(bucket) / unit(scale));
    }
    out.writeEndArray();
  }

  private static double unit(Scale scale) {
    return switch (scale) {
      case NANOS -> TimeUnit.SECONDS.toNanos(1);
      case COUNT -> 1;
    };
  }

  private static void figuresFields(JsonGenerator out, Figures figures) throws IOException {
    out.writeNumberField("upMillis", figures.upMillis());
    Figures.Requests requests = figures.requests();
    out.writeObjectFieldStart("requests");
    distribution(out, "reads", requests.reads());
    distribution(out, "writes", requests.writes());
    out.writeNumberField("refused", requests.refused());
    out.writeNumberField("failed", requests.failed());
    out.writeEndObject();
    Figures.Journal journal = figures.journal();
    out.writeObjectFieldStart("journal");
    out.writeBooleanField("takesWrites", journal.takesWrites());
    out.writeNumberField("queued", journal.queued());
    out.writeNumberField("recovering", journal.recovering());
    out.writeNumberField("events", journal.events());
    distribution(out, "commits", journal.commits());
    distribution(out, "batches", journal.batches());
    distribution(out, "recoveries", journal.recoveries());
    out.writeEndObject();
    Figures.Memory memory = figures.memory();
    out.writeObjectFieldStart("memory");
    out.writeNumberField("users", memory.users());
    out.writeNumberField("unreadable", memory.unreadable());
    out.writeNumberField("heapUsed", memory.heapUsed());
    out.writeNumberField("heapMax", memory.heapMax());
    out.writeEndObject();
  }

  private static void distribution(JsonGenerator out, String name, Distribution values)
      throws IOException {
    out.writeObjectFieldStart(name);
    out.writeNumberField("count", values.count());
    out.writeNumberField("sum", values.sum() / unit(values.scale()));
    out.writeArrayFieldStart("buckets");
    for (int bucket = 0; bucket <= values.scale().size(); bucket++) {
      out.writeNumber(values.count(bucket));
    }
    out.writeEndArray();
    out.writeEndObject();
  }

  private static String state(NodeStatus.State state) {
    return switch (state) {
      case JOINING -> "joining";
      case UP -> "up";
      case DRAINING -> "draining";
      case LEAVING -> "leaving";
      case UNREACHABLE -> "unreachable";
      case DOWN -> "down";
    };
  }

  private static void number(JsonGenerator out, String name, OptionalLong value)
      throws IOException {
    if (value.isPresent()) {
      out.writeNumberField(name, value.getAsLong());
    } else {
      out.writeNullField(name);
    }
  }

  static byte[] healthy() {
    return object(out -> out.writeStringField("status", "up"));
  }

  static byte[] problem(Problem problem) {
    return object(out -> {
      out.writeStringField("type", problem.type().uri());
      out.writeStringField("title", problem.type().title());
      out.writeNumberField("status", problem.type().status());
      if (problem.detail() != null) {
        out.writeStringField("detail", problem.detail());
      }
      if (!problem.errors().isEmpty()) {
        out.writeArrayFieldStart("errors");
        for (FieldError error : problem.errors()) {
          out.writeStartObject();
          out.writeStringField("field", error.field());
          out.writeStringField("problem", error.problem());
          out.writeEndObject();
        }
        out.writeEndArray();
      }
    });
  }

  private static void sessionFields(JsonGenerator out, OwnerKey owner, Reply.View view, byte[] cart)
      throws IOException {
    Session session = view.session();
    id(out, owner, session.id());
    out.writeStringField("user", view.userId());
    out.writeNumberField("revision", view.revision());
    out.writeFieldName("attributes");
    JsonText.write(session.attributes(), out);
    out.writeFieldName("cart");
    JsonText.writeWhole(cart, out);
    times(out, view);
    out.writeStringField("idleTimeout", Durations.text(session.idleMillis()));
    time(out, "expiresAt", view.expiresAt());
    time(out, "endsAt", session.endsAt());
  }

  private static void id(JsonGenerator out, OwnerKey owner, SessionId session) throws IOException {
    out.writeStringField("id", new PublicSessionId(owner, session.tag()).toString());
  }

  private static void times(JsonGenerator out, Reply.View view) throws IOException {
    time(out, "createdAt", view.session().createdAt());
    time(out, "lastSeenAt", view.lastSeenAt());
  }

  private static void cartFields(JsonGenerator out, int user, Cart cart) throws IOException {
    out.writeNumberField("revision", cart.revision());
    lines(out, user, cart.lines());
    totals(out, cart.totals());
    out.writeNumberField("itemCount", cart.itemCount());
    Cart.LastOrder last = cart.lastOrder();
    if (last == null) {
      out.writeNullField("lastOrder");
    } else {
      out.writeObjectFieldStart("lastOrder");
      out.writeStringField("orderId", last.orderId());
      time(out, "at", last.at());
      out.writeEndObject();
    }
  }

  static void lines(JsonGenerator out, OwnerKey owner, List<Line> lines) throws IOException {
    lines(out, owner.hashCode(), lines);
  }

  private static void lines(JsonGenerator out, int user, List<Line> lines) throws IOException {
    out.writeArrayFieldStart("items");
    for (Line line : lines) {
      JsonText.writeWhole(LINES.of(31 * user + line.sku().hashCode(), line), out);
    }
    out.writeEndArray();
  }

  static void lineFields(JsonGenerator out, Line line) throws IOException {
    out.writeStringField("sku", line.sku().value());
    out.writeNumberField("quantity", line.quantity());
    money(out, "unitPrice", line.unitPrice().money());
    out.writeStringField("name", line.name());
    out.writeFieldName("attributes");
    JsonText.write(line.attributes(), out);
    money(out, "lineTotal", line.total());
  }

  private static void totals(JsonGenerator out, List<Money> totals) throws IOException {
    out.writeArrayFieldStart("totals");
    for (Money total : totals) {
      out.writeStartObject();
      moneyFields(out, total);
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  static void mergeFields(JsonGenerator out, Merge merge) throws IOException {
    out.writeStringField("policy", text(merge.policy()));
    out.writeArrayFieldStart("lines");
    for (CartMerge.Entry line : merge.lines()) {
      out.writeStartObject();
      out.writeStringField("sku", line.sku().value());
      out.writeStringField("fate", fate(line.fate()));
      out.writeNumberField("userQuantity", line.userQuantity());
      out.writeNumberField("visitorQuantity", line.visitorQuantity());
      out.writeNumberField("quantity", line.quantity());
      out.writeBooleanField("priceReplaced", line.priceReplaced());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  /** {@return the name of a policy, in requests and answers} */
  static String text(MergePolicy policy) {
    return switch (policy) {
      case SUM -> "sum";
      case MAX -> "max";
      case USER -> "user";
      case VISITOR -> "visitor";
    };
  }

  private static String fate(CartMerge.Fate fate) {
    return switch (fate) {
      case KEPT -> "kept";
      case ADDED -> "added";
      case SUMMED -> "summed";
      case GREATER -> "greater-kept";
      case USERS -> "user-kept";
      case VISITORS -> "visitor-kept";
      case CAPPED -> "capped";
      case LEFT_OUT -> "dropped-cart-full";
    };
  }

  private static void money(JsonGenerator out, String name, Money money) throws IOException {
    out.writeObjectFieldStart(name);
    moneyFields(out, money);
    out.writeEndObject();
  }

  private static void moneyFields(JsonGenerator out, Money money) throws IOException {
    out.writeStringField("amount", money.amountText());
    out.writeStringField("currency", money.currency().getCurrencyCode());
  }

  /** RFC 3339 in UTC; milliseconds only where there are any. */
  static void time(JsonGenerator out, String name, long millis) throws IOException {
    out.writeStringField(name, Times.text(millis));
  }

  static byte[] object(Writing content) {
    return JsonText.bytes(out -> {
      out.writeStartObject();
      content.to(out);
      out.writeEndObject();
    });
  }
}
