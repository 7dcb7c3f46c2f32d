package dev.holdfast.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.persistence.AtomicWrite;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.persistence.journal.japi.AsyncWriteJournal;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Pekko's way to write and replay events: {@code holdfast.journal.events}. The payload on this
 * level is {@link JournalEvent}, both ways; an event adapter of the entity maps it, with an empty
 * manifest, since the event's name says all. Where a replay cannot go on, the payload is {@link
 * NotReplayed}, and it ends.
 *
 * <p>A write fails with {@link NotWritten} or {@link InDoubt}, which reach the actor as the cause
 * of its persist failure. Nothing is ever rejected in Pekko's sense.
 */
public final class EventPlugin extends AsyncWriteJournal {

  private static final List<Optional<Exception>> ALL_ACCEPTED = List.of();

  private final Journal journal = JournalSetup.journalOf(context().system());

  @Override
  public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(
      Iterable<AtomicWrite> messages) {
    // All from one actor, handed in at once: one write, so all or none.
    Owner owner = null;
    long first = 0;
    List<JournalEvent> events = new ArrayList<>();
    for (AtomicWrite message : messages) {
      for (PersistentRepr event : CollectionConverters.asJava(message.payload())) {
        if (owner == null) {
          owner = Owner.parse(event.persistenceId());
          first = event.sequenceNr();
        }
        events.add(payloadOf(event));
      }
    }
    if (owner == null) {
      return ScalaFutures.mapped(CompletableFuture.completedFuture(ALL_ACCEPTED), all -> all);
    }
    return ScalaFutures.mapped(
        journal.write(new OwnerWrite(owner, first, events)), _ -> ALL_ACCEPTED);
  }

  private static JournalEvent payloadOf(PersistentRepr event) {
    if (!event.manifest().isEmpty()) {
      throw new IllegalArgumentException(
          "the journal stores no manifest but the name of the event: '" + event.manifest() + "'");
    }
    if (event.payload() instanceof JournalEvent payload) {
      return payload;
    }
    throw new IllegalArgumentException(
        "the journal takes JournalEvent, not "
            + event.payload().getClass().getName()
            + ": the event adapter of "
            + event.persistenceId()
            + " is missing");
  }

  @Override
  public Future<Void> doAsyncReplayMessages(
      String persistenceId, long from, long to, long max, Consumer<PersistentRepr> replay) {
    AtomicLong next = new AtomicLong(from);
    return ScalaFutures.mapped(
        journal
            .recoveries()
            .replay(
                Owner.parse(persistenceId),
                from,
                to,
                max,
                event -> {
                  next.set(event.number() + 1);
                  replay.accept(represent(persistenceId, event.number(), event.event()));
                })
            .exceptionally(failure -> {
              Object payload = NotReplayed.because(ScalaFutures.unwrapped(failure));
              replay.accept(represent(persistenceId, next.get(), payload));
              return null;
            }),
        _ -> null);
  }

  private static PersistentRepr represent(String persistenceId, long number, Object payload) {
    return PersistentRepr.apply(
        payload,
        number,
        persistenceId,
        PersistentRepr.Undefined(),
        false,
        ActorRef.noSender(),
        PersistentRepr.Undefined());
  }

  @Override
  public Future<Long> doAsyncReadHighestSequenceNr(String persistenceId, long from) {
    return ScalaFutures.mapped(
        journal.recoveries().highest(Owner.parse(persistenceId)), highest -> highest);
  }

  @Override
  public Future<Void> doAsyncDeleteMessagesTo(String persistenceId, long to) {
    Owner owner = Owner.parse(persistenceId);
    return ScalaFutures.mapped(
        journal.recoveries().run(() -> journal.delete(owner, to)), _ -> null);
  }
}
