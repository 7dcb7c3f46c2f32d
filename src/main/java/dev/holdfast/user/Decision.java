package dev.holdfast.user;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Command} comes to: entries to journal, all or none, and what to answer after that.
 * A refusal may come with entries too: an expiry is journaled before it is told for the first time.
 *
 * @param seen the session whose activity this was; to be noted as present even if no entry says so
 * @param state the user after the entries
 */
public record Decision(List<Entry> entries, Reply reply, @Nullable SessionId seen, User state) {
  public Decision {
    entries = List.copyOf(entries);
  }
}
