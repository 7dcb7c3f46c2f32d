package dev.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

/** A state is the text of all payloads so far; an event named begin.v1 begins it anew. */
class TextReplayer implements JournalAudit.Replayer<String, JournalEvent> {
  @Override
  public String beginning() {
    return "";
  }

  @Override
  public JournalEvent decode(JournalEvent event) {
    return event;
  }

  @Override
  public String decode(JournalSnapshot snapshot) {
    return new String(snapshot.payload(), UTF_8);
  }

  @Override
  public String apply(String state, JournalEvent event) {
    if (event.name().equals("broken.v1")) {
      throw new IllegalStateException("a bug");
    }
    return (isBeginning(event) ? "" : state) + new String(event.payload(), UTF_8) + ";";
  }

  @Override
  public boolean isBeginning(JournalEvent event) {
    return event.name().equals("begin.v1");
  }

  @Override
  public byte[] encode(String state) {
    return state.getBytes(UTF_8);
  }
}
