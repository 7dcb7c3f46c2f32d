package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With an actor that runs whatever it is sent, where users' actors run. */
@Timeout(60)
final class LentThreadTest {

  private final ActorSystem<Void> system =
      ActorSystem.create(
          Behaviors.empty(),
          "lent",
          ConfigFactory.parseMap(Map.of("pekko.actor.provider", "local"))
              .withFallback(ConfigFactory.load()));

  private final ActorRef<Runnable> user = spawn("user");

  @AfterEach
  void end() {
    system.terminate();
  }

  @Test
  void takesTheTurnThatItsMessageCauses() {
    List<Thread> threads = new CopyOnWriteArrayList<>();
    try (var lent = new LentThread()) {
      lent.send(user, () -> threads.add(thread()));
      assertThat(threads).as("taken before the sending is over").containsExactly(thread());
    }
  }

  @Test
  void takesTheTurnThatAnotherThreadCausesForIt() throws InterruptedException {
    var taken = new AtomicReference<Thread>();
    try (var lent = new LentThread()) {
      Thread other =
          Thread.ofVirtual().start(() -> LentThread.send(user, () -> taken.set(thread()), lent));
      other.join();
      assertThat(taken).as("the turn waits for the thread that is lent").hasNullValue();
      lent.takeTurns();
      assertThat(taken).hasValue(thread());
    }
  }

  @Test
  void givesTheTurnThatItHasNotTakenToAnotherThreadWhenItIsClosed() throws InterruptedException {
    var taken = new CompletableFuture<Thread>();
    try (var lent = new LentThread()) {
      Thread.ofVirtual()
          .start(() -> LentThread.send(user, () -> taken.complete(thread()), lent))
          .join();
    }
    assertThat(taken.join()).isNotEqualTo(thread());
  }

  @Test
  void takesNoTurnOnceItIsClosed() {
    var taken = new CompletableFuture<Thread>();
    var lent = new LentThread();
    lent.close();
    LentThread.send(user, () -> taken.complete(thread()), lent);
    assertThat(taken.join()).isNotEqualTo(thread());
  }

  @Test
  void leavesATurnThatItDoesNotCauseToAnotherThread() {
    var taken = new CompletableFuture<Thread>();
    var within = new CompletableFuture<Thread>();
    try (var lent = new LentThread()) {
      user.tell(() -> taken.complete(thread()));
      assertThat(taken.join()).isNotEqualTo(thread());
      // Nor one that is caused by what it does in a turn: only the question's own.
      lent.send(user, () -> LentThread.start(() -> within.complete(thread())));
      assertThat(within.join()).isNotEqualTo(thread());
    }
  }

  /** The actor is in a turn already: what it is sent is decided on there. */
  @Test
  void doesNotWaitForATurnOfAnotherThread() {
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var taken = new CompletableFuture<Thread>();
    user.tell(() -> {
      begun.countDown();
      uninterruptibly(goOn);
    });
    uninterruptibly(begun);
    try (var lent = new LentThread()) {
      lent.send(user, () -> taken.complete(thread()));
      assertThat(taken).isNotDone();
      goOn.countDown();
      assertThat(taken.join()).isNotEqualTo(thread());
    }
  }

  @Test
  void keepsTheInterruptOfItsRequestFromTheActor() {
    var seen = new CompletableFuture<Boolean>();
    try (var lent = new LentThread()) {
      thread().interrupt();
      lent.send(user, () -> seen.complete(thread().isInterrupted()));
      assertThat(Thread.interrupted()).as("it is still the request's").isTrue();
      assertThat(seen).isCompletedWithValue(false);
    }
  }

  @Test
  void outlivesAnActorThatFails() {
    List<Thread> threads = new CopyOnWriteArrayList<>();
    ActorRef<Runnable> another = spawn("another");
    try (var lent = new LentThread()) {
      lent.send(
          user,
          () -> {
            throw new IllegalStateException("planted");
          });
      lent.send(another, () -> threads.add(thread()));
      assertThat(threads).containsExactly(thread());
    }
  }

  private static Thread thread() {
    return Thread.currentThread();
  }

  private static void uninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** {@return an actor that has begun and is in no turn, so that its next one is free} */
  private ActorRef<Runnable> spawn(String name) {
    ActorRef<Runnable> spawned =
        system.systemActorOf(
            Behaviors.receiveMessage((Runnable message) -> {
              message.run();
              return Behaviors.same();
            }),
            name,
            DispatcherSelector.fromConfig("holdfast-users-dispatcher"));
    Thread took = null;
    while (!thread().equals(took)) {
      var taken = new CompletableFuture<Thread>();
      try (var lent = new LentThread()) {
        lent.send(spawned, () -> taken.complete(thread()));
        took = taken.join();
      }
    }
    return spawned;
  }
}
