package dev.holdfast.command;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Line;
import dev.holdfast.entity.UserReplayer;
import dev.holdfast.feed.EventText;
import dev.holdfast.feed.Moments;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.json.JsonText;
import dev.holdfast.user.Entry;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Session;
import dev.holdfast.user.User;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code user show} and {@code user history}: one user, as the journal has them. */
@Command(
    name = "user",
    description = "Looks at one user in a journal that no node runs on.",
    mixinStandardHelpOptions = true)
final class UserCommand implements Runnable {

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name what to do: show or history");
  }

  @Command(
      name = "show",
      description = "Prints the user's state after the newest event.",
      mixinStandardHelpOptions = true)
  int show(
      @Mixin JournalOptions journal,
      @Parameters(paramLabel = "USER", description = "The user id.") String user,
      @Option(names = "--owner", description = "USER is an owner key, as verify prints it.")
          boolean byOwner,
      @Option(names = "--json", description = "Print it as JSON.") boolean json)
      throws Exception {
    OwnerKey key = key(user, byOwner);
    try (JournalStore store = journal.openToRead()) {
      StoredUser stored = StoredUser.read(store, new Owner(key.high(), key.low()));
      if (stored == null) {
        return nobody(user);
      }
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        printJson(key, stored, out);
      } else {
        print(key, stored, out);
      }
      out.flush();
    }
    return CommandLine.ExitCode.OK;
  }

  @Command(
      name = "history",
      description = "Prints the user's events that are kept, oldest first.",
      mixinStandardHelpOptions = true)
  int history(
      @Mixin JournalOptions journal,
      @Parameters(paramLabel = "USER", description = "The user id.") String user,
      @Option(names = "--owner", description = "USER is an owner key, as verify prints it.")
          boolean byOwner,
      @Option(names = "--json", description = "Print one JSON object a line.") boolean json)
      throws Exception {
    OwnerKey key = key(user, byOwner);
    try (JournalStore store = journal.openToRead()) {
      PrintWriter out = spec.commandLine().getOut();
      long events =
          store.read(
              new Owner(key.high(), key.low()),
              1,
              Long.MAX_VALUE,
              Long.MAX_VALUE,
              event -> {
                if (json) {
                  printJson(key, event, out);
                } else {
                  print(key, event, out);
                }
              });
      out.flush();
      return events == 0 ? nobody(user) : CommandLine.ExitCode.OK;
    }
  }

  private OwnerKey key(String user, boolean byOwner) {
    try {
      return byOwner ? OwnerKey.parse(user) : OwnerKey.ofUser(user);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "an owner key " + e.getMessage());
    }
  }

  private int nobody(String user) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("holdfast: the journal holds nothing of user " + user);
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  // ---- for people

  private static void print(OwnerKey owner, StoredUser stored, PrintWriter out) {
    User user = stored.user();
    out.printf("user      %s%n", user.userId() == null ? "-" : user.userId());
    out.printf("owner     %s%n", owner);
    out.printf("revision  %d, at %s%n", user.revision(), Moments.text(user.lastEntryAt()));
    out.printf(
        "journal   events %d to %d, %s%n",
        stored.first(),
        stored.last(),
        stored.snapshot() == 0 ? "no snapshot" : "snapshot of " + stored.snapshot());
    LogIn logIn = user.logIn();
    if (logIn != null) {
      out.printf(
          "log-in    to user %s, since %s%n", logIn.userId(), Moments.text(logIn.startedAt()));
    }
    out.printf("receipts  %d%n", user.receipts().size());
    out.printf("sessions  %d%n", user.sessions().size());
    for (Session session : user.sessions()) {
      out.printf(
          "  %s  opened %s, seen %s, expires %s%n",
          EventText.id(owner, session.id()),
          Moments.text(session.createdAt()),
          Moments.text(session.lastSeenAt()),
          Moments.text(session.expiresAt(session.lastSeenAt())));
      if (!session.attributes().members().isEmpty()) {
        out.printf("    %s%n", session.attributes());
      }
    }
    Cart cart = user.cart();
    out.printf("cart      %d lines%n", cart.lines().size());
    for (Line line : cart.lines()) {
      out.printf("  %s%n", EventText.line(line));
    }
    cart.totals().forEach(total -> out.printf("  total %s%n", EventText.money(total)));
    Cart.LastOrder order = cart.lastOrder();
    if (order != null) {
      out.printf("order     %s, at %s%n", order.orderId(), Moments.text(order.at()));
    }
  }

  private static void print(OwnerKey owner, StoredEvent event, PrintWriter out) {
    Entry entry = decoded(event);
    String by =
        entry == null || entry.by() == null ? "" : "  by " + EventText.id(owner, entry.by());
    out.printf(
        "%s  %d  %s  %s%s%n",
        Moments.text(event.event().at()),
        event.number(),
        event.event().name(),
        entry == null ? "cannot be read" : EventText.of(owner, entry.event()),
        by);
  }

  private static @Nullable Entry decoded(StoredEvent event) {
    try {
      return new UserReplayer().decode(event.event());
    } catch (RuntimeException undecodable) {
      return null; // and is shown as that; verify says why
    }
  }

  // ---- for programs

  private static void printJson(OwnerKey owner, StoredUser stored, PrintWriter out)
      throws IOException {
    User user = stored.user();
    try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("user", user.userId());
      json.writeStringField("owner", owner.toString());
      json.writeNumberField("revision", user.revision());
      json.writeStringField("at", Moments.text(user.lastEntryAt()));
      json.writeNumberField("firstEvent", stored.first());
      json.writeNumberField("lastEvent", stored.last());
      json.writeNumberField("snapshot", stored.snapshot());
      LogIn logIn = user.logIn();
      if (logIn != null) {
        json.writeObjectFieldStart("logIn");
        json.writeStringField("user", logIn.userId());
        json.writeStringField("startedAt", Moments.text(logIn.startedAt()));
        json.writeEndObject();
      }
      json.writeNumberField("receipts", user.receipts().size());
      json.writeArrayFieldStart("sessions");
      for (Session session : user.sessions()) {
        json.writeStartObject();
        json.writeStringField("id", EventText.id(owner, session.id()));
        json.writeFieldName("attributes");
        JsonText.write(session.attributes(), json);
        json.writeStringField("createdAt", Moments.text(session.createdAt()));
        json.writeStringField("lastSeenAt", Moments.text(session.lastSeenAt()));
        json.writeStringField("expiresAt", Moments.text(session.expiresAt(session.lastSeenAt())));
        json.writeStringField("endsAt", Moments.text(session.endsAt()));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeObjectFieldStart("cart");
      json.writeNumberField("revision", user.cart().revision());
      json.writeArrayFieldStart("items");
      for (Line line : user.cart().lines()) {
        printJson(line, json);
      }
      json.writeEndArray();
      Cart.LastOrder order = user.cart().lastOrder();
      if (order != null) {
        json.writeObjectFieldStart("lastOrder");
        json.writeStringField("orderId", order.orderId());
        json.writeStringField("at", Moments.text(order.at()));
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeEndObject();
      json.writeRaw('\n');
    }
  }

  private static void printJson(Line line, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("sku", line.sku().value());
    json.writeNumberField("quantity", line.quantity());
    json.writeObjectFieldStart("unitPrice");
    json.writeStringField("amount", line.unitPrice().money().amount().toPlainString());
    json.writeStringField("currency", line.unitPrice().currency().getCurrencyCode());
    json.writeEndObject();
    json.writeStringField("name", line.name());
    json.writeFieldName("attributes");
    JsonText.write(line.attributes(), json);
    json.writeEndObject();
  }

  private static void printJson(OwnerKey owner, StoredEvent event, PrintWriter out) {
    Entry entry = decoded(event);
    StringWriter line = new StringWriter(); // a generator closes what it writes to
    try (JsonGenerator json = JsonText.FACTORY.createGenerator(line)) {
      json.writeStartObject();
      json.writeNumberField("number", event.number());
      json.writeStringField("at", Moments.text(event.event().at()));
      json.writeStringField("name", event.event().name());
      if (entry != null) {
        if (entry.by() != null) {
          json.writeStringField("by", EventText.id(owner, entry.by()));
        }
        json.writeStringField("summary", EventText.of(owner, entry.event()));
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.print(line + "\n");
  }
}
