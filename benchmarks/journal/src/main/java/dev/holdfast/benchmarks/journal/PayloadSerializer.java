package dev.holdfast.benchmarks.journal;

import dev.holdfast.benchmarks.journal.Subject.Event;
import dev.holdfast.benchmarks.journal.Subject.State;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/** The bytes as they are, for journals that go through Pekko's serialization. */
public final class PayloadSerializer extends SerializerWithStringManifest {

  static final int ID = 4711;

  @Override
  public int identifier() {
    return ID;
  }

  @Override
  public String manifest(Object object) {
    return object instanceof Event ? Payloads.EVENT_NAME : Payloads.SNAPSHOT_NAME;
  }

  @Override
  public byte[] toBinary(Object object) {
    return switch (object) {
      case Event event -> event.payload();
      case State state -> state.snapshot();
      default -> throw new IllegalArgumentException("not of this benchmark: " + object);
    };
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) {
    return manifest.equals(Payloads.EVENT_NAME) ? new Event(bytes) : new State(bytes, 0);
  }
}
