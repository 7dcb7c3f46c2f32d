package dev.holdfast.command;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.json.JsonText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of an exported journal: a JSON object. docs/operations.md has the form. A payload that
 * is JSON itself stands there as it is, byte for byte, so that people and tools can read it; any
 * other is written in base64url.
 */
sealed interface PortableLine {

  /** The form that this program writes, and the only one that it reads. */
  int FORMAT = 1;

  /** The most bytes of a line: the largest payload in base64url, and the rest. */
  int LONGEST = JournalEvent.MAX_PAYLOAD / 3 * 4 + 4_096;

  /**
   * The first line: by what program, and when.
   *
   * @param identity of the journal, to which cursors of its feed belong; null in what programs have
   *     written that knew of none
   * @param forgotten the highest position that retention has deleted; 0 without an identity
   * @param ownerSecret by which owner keys follow from user ids, sealed; empty if none was made
   *     yet, null where they follow from the user ids alone
   */
  record Header(
      long format,
      String program,
      String at,
      @Nullable String identity,
      long forgotten,
      @Nullable String ownerSecret)
      implements PortableLine {}

  record Snapshot(SnapshotWrite snapshot) implements PortableLine {}

  record Event(StoredEvent event) implements PortableLine {}

  /**
   * The last line.
   *
   * @param sha256 of all bytes before this line, in hexadecimal digits
   */
  record Trailer(long owners, long events, long snapshots, String sha256) implements PortableLine {}

  /** {@return the line in bytes, without its end} */
  default byte[] bytes() {
    return switch (this) {
      case Header h ->
          utf8(
              "{\"journal\":\"holdfast\",\"format\":%d,\"program\":\"%s\",\"at\":\"%s\"%s}"
                  .formatted(
                      h.format,
                      h.program,
                      h.at,
                      (h.identity == null
                              ? ""
                              : ",\"identity\":\"%s\",\"forgotten\":%d"
                                  .formatted(h.identity, h.forgotten))
                          + (h.ownerSecret == null
                              ? ""
                              : ",\"ownerSecret\":\"%s\"".formatted(h.ownerSecret))));
      case Trailer t ->
          utf8(
              "{\"owners\":%d,\"events\":%d,\"snapshots\":%d,\"sha256\":\"%s\"}"
                  .formatted(t.owners, t.events, t.snapshots, t.sha256));
      case Snapshot(SnapshotWrite s) ->
          row(
              this,
              "{\"owner\":\"%s\",\"snapshot\":%d,\"at\":%d,\"name\":\"%s\""
                  .formatted(s.owner(), s.number(), s.at(), s.snapshot().name()),
              s.snapshot().payload());
      case Event(StoredEvent e) -> {
        JournalEvent event = e.event();
        String due =
            event.deadline() == JournalEvent.NO_DEADLINE ? "" : ",\"due\":" + event.deadline();
        yield row(
            this,
            "{\"owner\":\"%s\",\"event\":%d,\"position\":%d,\"at\":%d%s,\"name\":\"%s\""
                .formatted(e.owner(), e.number(), e.position(), event.at(), due, event.name()),
            event.payload());
      }
    };
  }

  /** As JSON if it is read back from there byte for byte. */
  private static byte[] row(PortableLine line, String begin, byte[] payload) {
    if (isPlainText(payload)) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(begin.length() + payload.length + 9);
      bytes.writeBytes(utf8(begin + ",\"json\":"));
      bytes.writeBytes(payload);
      bytes.write('}');
      byte[] plain = bytes.toByteArray();
      try {
        if (plain.length <= LONGEST && line.equals(read(plain))) {
          return plain;
        }
      } catch (IOException | IllegalArgumentException e) {
        // it is not JSON, or not such as we would read back
      }
    }
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(payload);
    return utf8(begin + ",\"base64url\":\"" + text + "\"}");
  }

  /** Whether the bytes can stand in a line: UTF-8 without ends of lines. */
  private static boolean isPlainText(byte[] payload) {
    for (byte each : payload) {
      if (each >= 0 && each < ' ') {
        return false;
      }
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(payload));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Reads a line.
   *
   * @throws IOException if it is not JSON
   * @throws IllegalArgumentException if it is not of the form; the message says what is wrong
   */
  static PortableLine read(byte[] line) throws IOException {
    Map<String, Object> members = members(line);
    Reader in = new Reader(members);
    PortableLine read;
    if (members.containsKey("journal")) {
      if (!in.text("journal").equals("holdfast")) {
        throw new IllegalArgumentException("the journal of another program");
      }
      boolean named = members.containsKey("identity");
      read =
          new Header(
              in.number("format"),
              in.text("program"),
              in.text("at"),
              named ? identity(in.text("identity")) : null,
              named ? in.number("forgotten") : 0,
              members.containsKey("ownerSecret") ? ownerSecret(in.text("ownerSecret")) : null);
    } else if (members.containsKey("sha256")) {
      read =
          new Trailer(
              in.number("owners"), in.number("events"), in.number("snapshots"), in.text("sha256"));
    } else if (members.containsKey("snapshot")) {
      read =
          new Snapshot(
              new SnapshotWrite(
                  Owner.parse(in.text("owner")),
                  in.number("snapshot"),
                  in.number("at"),
                  new JournalSnapshot(in.text("name"), in.payload())));
    } else {
      read =
          new Event(
              new StoredEvent(
                  in.number("position"),
                  Owner.parse(in.text("owner")),
                  in.number("event"),
                  new JournalEvent(
                      in.text("name"),
                      in.payload(),
                      in.number("at"),
                      members.containsKey("due") ? in.number("due") : JournalEvent.NO_DEADLINE)));
    }
    in.finish();
    return read;
  }

  private static String identity(String text) {
    if (!text.matches("[0-9a-f]{32}")) {
      throw new IllegalArgumentException("\"identity\" must be 32 hexadecimal digits");
    }
    return text;
  }

  private static String ownerSecret(String text) {
    if (!text.matches("([0-9a-f]+:[A-Za-z0-9_-]+(,[0-9a-f]+:[A-Za-z0-9_-]+)*)?")) {
      throw new IllegalArgumentException("\"ownerSecret\" must be what export has written");
    }
    return text;
  }

  /** The members: texts, numbers, and of an object its bytes. */
  private static Map<String, Object> members(byte[] line) throws IOException {
    Map<String, Object> members = new HashMap<>();
    try (JsonParser in = JsonText.FACTORY.createParser(line)) {
      in.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("not a JSON object");
      }
      while (in.nextToken() == JsonToken.FIELD_NAME) {
        String name = in.currentName();
        JsonToken value = in.nextToken();
        if (value == JsonToken.VALUE_STRING) {
          members.put(name, in.getText());
        } else if (value == JsonToken.VALUE_NUMBER_INT) {
          members.put(name, in.getLongValue());
        } else if (value == JsonToken.START_OBJECT) {
          int from = (int) in.currentTokenLocation().getByteOffset();
          in.skipChildren();
          members.put(
              name, Arrays.copyOfRange(line, from, (int) in.currentLocation().getByteOffset()));
        } else {
          throw new IllegalArgumentException("\"" + name + "\" has a value of another kind");
        }
      }
      if (in.nextToken() != null) {
        throw new IllegalArgumentException("there is something behind the object");
      }
    }
    return members;
  }

  /** Takes one member after another, and misses or leaves none. */
  final class Reader {

    private final Map<String, Object> members;

    private Reader(Map<String, Object> members) {
      this.members = new HashMap<>(members);
    }

    private String text(String name) {
      if (members.remove(name) instanceof String text) {
        return text;
      }
      throw new IllegalArgumentException("\"" + name + "\" must be a text");
    }

    private long number(String name) {
      if (members.remove(name) instanceof Long number) {
        return number;
      }
      throw new IllegalArgumentException("\"" + name + "\" must be a whole number");
    }

    private byte[] payload() {
      @Nullable Object json = members.remove("json");
      if (json instanceof byte[] bytes) {
        return bytes;
      }
      if (json != null) {
        throw new IllegalArgumentException("\"json\" must be an object");
      }
      return Base64.getUrlDecoder().decode(text("base64url"));
    }

    private void finish() {
      if (!members.isEmpty()) {
        throw new IllegalArgumentException("unknown members " + members.keySet());
      }
    }
  }
}
