package dev.holdfast.entity;

import dev.holdfast.journal.JournalEvent;
import dev.holdfast.user.Entry;
import dev.holdfast.user.OwnerKey;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a user's actor tells those who {@link Message.Listen}. A message may be lost, or come twice;
 * the numbers show it, and what is missing is in the journal.
 */
public sealed interface Told extends CrossesNodes {

  /** Whose actor tells it. */
  OwnerKey owner();

  /**
   * Events were journaled. Without any it says where the user stands.
   *
   * @param before the number of the event before these
   * @param revision the user's before these
   */
  record Happened(OwnerKey owner, long before, long revision, List<Written> events)
      implements Told {
    public Happened {
      events = List.copyOf(events);
    }
  }

  /** The actor leaves memory, and tells nothing from here on. */
  record Left(OwnerKey owner) implements Told {}

  /**
   * An event as it was journaled.
   *
   * @param name with its version
   * @param at milliseconds since 1970
   * @param payload JSON
   */
  record Written(String name, long at, String payload) {

    static Written of(JournalEvent event) {
      return new Written(
          event.name(), event.at(), new String(event.payload(), StandardCharsets.UTF_8));
    }

    /** {@return what it says, or null if this version cannot read it} */
    public @Nullable Entry entry() {
      try {
        return UserCodec.decode(
            new JournalEvent(
                name, payload.getBytes(StandardCharsets.UTF_8), at, JournalEvent.NO_DEADLINE));
      } catch (RuntimeException unreadable) {
        return null;
      }
    }
  }
}
