package dev.holdfast.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.holdfast.feed.Cursor;
import dev.holdfast.feed.EventLog;
import dev.holdfast.feed.EventText;
import dev.holdfast.feed.LoggedEvent;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.SessionId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Events as the API tells them. Sessions stand there by their public ids, and the identities of
 * requests do not: nothing that is told here opens or repeats anything.
 */
final class WireEvents {

  private WireEvents() {}

  static byte[] history(List<LoggedEvent> events, boolean more) {
    return WireJson.object(out -> {
      events(out, events);
      out.writeBooleanField("more", more);
    });
  }

  static byte[] feed(List<LoggedEvent> events, Cursor next, boolean more) {
    return WireJson.object(out -> {
      events(out, events);
      out.writeStringField("next", next.toString());
      out.writeBooleanField("more", more);
    });
  }

  static byte[] consumers(List<EventLog.Consumer> consumers) {
    return WireJson.object(out -> {
      out.writeArrayFieldStart("consumers");
      for (EventLog.Consumer consumer : consumers) {
        out.writeStartObject();
        out.writeStringField("name", consumer.name());
        out.writeStringField("cursor", consumer.cursor().toString());
        WireJson.time(out, "readAt", consumer.readAt());
        if (consumer.waitingSince().isPresent()) {
          WireJson.time(out, "waitingSince", consumer.waitingSince().getAsLong());
        } else {
          out.writeNullField("waitingSince");
        }
        out.writeBooleanField("lapsed", consumer.lapsed());
        out.writeEndObject();
      }
      out.writeEndArray();
    });
  }

  private static void events(JsonGenerator out, List<LoggedEvent> events) throws IOException {
    out.writeArrayFieldStart("events");
    for (LoggedEvent event : events) {
      out.writeStartObject();
      out.writeStringField("id", event.id());
      out.writeStringField("cursor", event.cursor().toString());
      out.writeStringField("owner", event.owner().toString());
      out.writeNumberField("number", event.number());
      WireJson.time(out, "at", event.at());
      out.writeStringField("type", event.type());
      Entry entry = event.entry();
      if (entry == null) {
        out.writeNullField("by");
        out.writeNullField("summary");
        out.writeNullField("data");
      } else {
        by(out, event.owner(), entry);
        out.writeStringField("summary", EventText.of(event.owner(), entry.event()));
        out.writeObjectFieldStart("data");
        data(out, event.owner(), entry.event());
        out.writeEndObject();
      }
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  /** One message of a stream of server-sent events. */
  static byte[] message(long revision, String type, byte[] data) {
    return message("id: " + revision + "\n", type, data);
  }

  /**
   * The last message of a stream. It has no id: whoever goes on with the token of another session
   * has seen none of that one's revisions.
   */
  static byte[] last(String type, byte[] data) {
    return message("", type, data);
  }

  private static byte[] message(String id, String type, byte[] data) {
    byte[] head = (id + "event: " + type + "\ndata: ").getBytes(StandardCharsets.UTF_8);
    byte[] message = Arrays.copyOf(head, head.length + data.length + 2);
    System.arraycopy(data, 0, message, head.length, data.length);
    message[message.length - 2] = '\n';
    message[message.length - 1] = '\n';
    return message;
  }

  /** What a stream tells of one event. */
  static byte[] change(OwnerKey owner, long revision, Entry entry, String type) {
    return WireJson.object(out -> {
      out.writeNumberField("revision", revision);
      WireJson.time(out, "at", entry.at());
      out.writeStringField("type", type);
      by(out, owner, entry);
      out.writeObjectFieldStart("data");
      if (entry.event() instanceof Event.LogInAdmitted admitted) {
        merged(out, owner, admitted); // the session that came is another one's
      } else {
        data(out, owner, entry.event());
      }
      out.writeEndObject();
    });
  }

  /** What a stream tells last. */
  static byte[] end(String reason) {
    return WireJson.object(out -> out.writeStringField("reason", reason));
  }

  private static void by(JsonGenerator out, OwnerKey owner, Entry entry) throws IOException {
    SessionId by = entry.by();
    if (by == null) {
      out.writeNullField("by");
    } else {
      out.writeStringField("by", EventText.id(owner, by));
    }
  }

  /** The members of an event's data. */
  static void data(JsonGenerator out, OwnerKey owner, Event event) throws IOException {
    switch (event) {
      case Event.SessionOpened e -> {
        session(out, owner, e.session());
        out.writeStringField("user", e.userId());
        object(out, "attributes", e.attributes());
        lifetimes(out, e.idleMillis(), e.absoluteMillis());
      }
      case Event.AttributesChanged e -> {
        session(out, owner, e.session());
        object(out, "set", e.set());
        out.writeArrayFieldStart("removed");
        for (String name : e.removed()) {
          out.writeString(name);
        }
        out.writeEndArray();
      }
      case Event.SessionRotated e -> session(out, owner, e.session());
      case Event.SessionTouched e -> {
        session(out, owner, e.session());
        WireJson.time(out, "seenAt", e.seenAt());
      }
      case Event.SessionEnded e -> {
        session(out, owner, e.session());
        out.writeStringField("reason", word(e.reason()));
      }
      case Event.SessionExpired e -> {
        session(out, owner, e.session());
        out.writeStringField("limit", word(e.limit()));
      }
      case Event.OthersEnded e -> {
        out.writeStringField("kept", EventText.id(owner, e.kept()));
        sessions(out, "sessions", owner, e.ended());
      }
      case Event.EndedByAdministrator e -> {
        sessions(out, "sessions", owner, e.sessions());
        out.writeBooleanField("everywhere", e.everywhere());
      }
      case Event.UserErased e -> out.writeNumberField("revision", e.revision());
      case Event.LineSet e -> {
        out.writeObjectFieldStart("item");
        WireJson.lineFields(out, e.line());
        out.writeEndObject();
      }
      case Event.LineRemoved e -> out.writeStringField("sku", e.sku().value());
      case Event.CartEmptied _ -> {}
      case Event.CartExpired _ -> {}
      case Event.CartAbandoned e -> WireJson.time(out, "quietSince", e.quietSince());
      case Event.CartCheckedOut e -> WireJson.orderFields(out, owner, e.order());
      case Event.LogInStarted e -> {
        session(out, owner, e.logIn().session());
        out.writeStringField("user", e.logIn().userId());
      }
      case Event.LogInFinished _ -> {}
      case Event.LogInRefused e -> out.writeStringField("reason", word(e.reason()));
      case Event.LogInAdmitted e -> {
        session(out, owner, e.session());
        out.writeStringField("user", e.userId());
        object(out, "attributes", e.attributes());
        WireJson.time(out, "createdAt", e.createdAt());
        lifetimes(out, e.idleMillis(), e.absoluteMillis());
        merged(out, owner, e);
      }
    }
  }

  private static void merged(JsonGenerator out, OwnerKey owner, Event.LogInAdmitted admitted)
      throws IOException {
    WireJson.lines(out, owner, admitted.lines());
    out.writeObjectFieldStart("merge");
    WireJson.mergeFields(out, new WireJson.Merge(admitted.policy(), admitted.report()));
    out.writeEndObject();
  }

  private static void session(JsonGenerator out, OwnerKey owner, SessionId session)
      throws IOException {
    out.writeStringField("session", EventText.id(owner, session));
  }

  private static void sessions(
      JsonGenerator out, String name, OwnerKey owner, List<SessionId> sessions) throws IOException {
    out.writeArrayFieldStart(name);
    for (SessionId session : sessions) {
      out.writeString(EventText.id(owner, session));
    }
    out.writeEndArray();
  }

  private static void lifetimes(JsonGenerator out, long idle, long absolute) throws IOException {
    out.writeStringField("idleTimeout", Durations.text(idle));
    out.writeStringField("absoluteTimeout", Durations.text(absolute));
  }

  private static void object(JsonGenerator out, String name, Json.Obj object) throws IOException {
    out.writeFieldName(name);
    JsonText.write(object, out);
  }

  static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
