package dev.holdfast.command;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.app.OwnerSecret;
import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Line;
import dev.holdfast.entity.UserReplayer;
import dev.holdfast.feed.EventText;
import dev.holdfast.feed.Moments;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.json.JsonText;
import dev.holdfast.local.AdminClient;
import dev.holdfast.user.Entry;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
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

/**
 * {@code user show}, {@code user history} and {@code user erase}: one user, as a journal has them
 * or as a running server tells.
 */
@Command(
    name = "user",
    description = {
      "Looks at one user, or erases them.",
      "Without --url, show and history read a journal that no node runs on."
    },
    mixinStandardHelpOptions = true)
final class UserCommand implements Runnable {

  private static final String URL =
      "Ask this running server instead. The key of an administrator is taken from"
          + " HOLDFAST_ADMIN_KEY.";
  private static final String UNREADABLE = "cannot be read";

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name what to do: show, history or erase");
  }

  @Command(
      name = "erase",
      description = {
        "Has a running server erase the user, and prints the receipt: all that is kept of them is"
            + " deleted, for ever. Backups and logs are another matter: see docs/operations.md.",
        "Exit status 0: erased; 1: not, or nothing is known of the user."
      },
      mixinStandardHelpOptions = true)
  int erase(
      @Mixin ServerOptions server,
      @Parameters(paramLabel = "USER", description = "The user id.") String user,
      @Option(names = "--yes", required = true, description = "Says that this is meant.")
          boolean meant,
      @Option(names = "--json", description = "Print the receipt as JSON.") boolean json)
      throws Exception {
    JsonNode receipt;
    try (AdminClient client = server.client()) {
      receipt = client.erase(user);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(receipt);
    } else {
      out.printf(
          "erased owner %s at %s: revision %d, %d sessions ended%n",
          receipt.path("owner").asText(),
          receipt.path("erasedAt").asText(),
          receipt.path("revision").asLong(),
          receipt.path("sessionsEnded").asInt());
    }
    out.flush();
    return CommandLine.ExitCode.OK;
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
      @Option(names = "--url", paramLabel = "URL", description = URL) @Nullable String url,
      @Mixin TlsOptions tls,
      @Option(names = "--json", description = "Print it as JSON.") boolean json)
      throws Exception {
    if (url != null) {
      return shownByServer(url, tls, user, byOwner, json);
    }
    @Nullable OwnerKey given = byOwner ? parsed(user) : null;
    try (JournalStore store = journal.openToRead()) {
      OwnerKey key = given == null ? find(journal, store, user) : given;
      StoredUser stored = StoredUser.read(store, new Owner(key.high(), key.low()));
      if (stored == null) {
        return nobody(user);
      }
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        printJson(key, stored, out);
      } else {
        UserSheet.of(key, stored).print(out);
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
      @Option(names = "--url", paramLabel = "URL", description = URL) @Nullable String url,
      @Mixin TlsOptions tls,
      @Option(names = "--json", description = "Print one JSON object a line.") boolean json)
      throws Exception {
    if (url != null) {
      return historyOfServer(url, tls, user, byOwner, json);
    }
    @Nullable OwnerKey given = byOwner ? parsed(user) : null;
    try (JournalStore store = journal.openToRead()) {
      OwnerKey key = given == null ? find(journal, store, user) : given;
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

  private int shownByServer(String url, TlsOptions tls, String user, boolean byOwner, boolean json)
      throws Exception {
    JsonNode told;
    try (AdminClient client = server(url, tls, byOwner)) {
      told = client.user(user);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(told);
    } else {
      UserSheet.of(told).print(out);
    }
    out.flush();
    return CommandLine.ExitCode.OK;
  }

  private int historyOfServer(
      String url, TlsOptions tls, String user, boolean byOwner, boolean json) throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (AdminClient client = server(url, tls, byOwner)) {
      JsonNode page = client.history(user, null);
      while (true) {
        for (JsonNode event : page.path("events")) {
          if (json) {
            printJson(event, out);
          } else {
            print(event, out);
          }
        }
        if (!page.path("more").asBoolean()) {
          break;
        }
        JsonNode events = page.path("events");
        page = client.history(user, events.path(events.size() - 1).path("number").asText());
      }
    }
    out.flush();
    return CommandLine.ExitCode.OK;
  }

  private AdminClient server(String url, TlsOptions tls, boolean byOwner) {
    if (byOwner) {
      throw new ParameterException(
          spec.commandLine(), "--owner is for journals: a server is asked by user id");
    }
    return ServerOptions.client(url, tls, spec);
  }

  private OwnerKey parsed(String owner) {
    try {
      return OwnerKey.parse(owner);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "an owner key " + e.getMessage());
    }
  }

  /**
   * {@return the user's owner key; of somebody whom the journal does not know, any that it lacks}
   */
  private static OwnerKey find(JournalOptions journal, JournalStore store, String user)
      throws IOException {
    @Nullable OwnerKeys owners = OwnerSecret.look(store, journal.embedded(), System.getenv());
    @Nullable OwnerKey found = owners == null ? OwnerSearch.find(store, user) : owners.ofUser(user);
    return found == null ? OwnerKey.ofUser(user) : found;
  }

  private int nobody(String user) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("holdfast: the journal holds nothing of user " + user);
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  // ---- for people

  private static void print(
      String at, long number, String name, String summary, @Nullable String by, PrintWriter out) {
    out.printf("%s  %d  %s  %s%s%n", at, number, name, summary, by == null ? "" : "  by " + by);
  }

  private static void print(OwnerKey owner, StoredEvent event, PrintWriter out) {
    Entry entry = decoded(event);
    print(
        Moments.text(event.event().at()),
        event.number(),
        event.event().name(),
        entry == null ? UNREADABLE : EventText.of(owner, entry.event()),
        entry == null || entry.by() == null ? null : EventText.id(owner, entry.by()),
        out);
  }

  private static void print(JsonNode event, PrintWriter out) {
    print(
        event.path("at").asText(),
        event.path("number").asLong(),
        event.path("type").asText(),
        event.path("summary").isNull() ? UNREADABLE : event.path("summary").asText(),
        event.path("by").textValue(),
        out);
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
    printJson(
        event.number(),
        Moments.text(event.event().at()),
        event.event().name(),
        entry == null || entry.by() == null ? null : EventText.id(owner, entry.by()),
        entry == null ? null : EventText.of(owner, entry.event()),
        out);
  }

  private static void printJson(JsonNode event, PrintWriter out) {
    printJson(
        event.path("number").asLong(),
        event.path("at").asText(),
        event.path("type").asText(),
        event.path("by").textValue(),
        event.path("summary").textValue(),
        out);
  }

  private static void printJson(
      long number,
      String at,
      String name,
      @Nullable String by,
      @Nullable String summary,
      PrintWriter out) {
    StringWriter line = new StringWriter(); // a generator closes what it writes to
    try (JsonGenerator json = JsonText.FACTORY.createGenerator(line)) {
      json.writeStartObject();
      json.writeNumberField("number", number);
      json.writeStringField("at", at);
      json.writeStringField("name", name);
      if (by != null) {
        json.writeStringField("by", by);
      }
      if (summary != null) {
        json.writeStringField("summary", summary);
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.print(line + "\n");
  }
}
