package dev.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.journal.JournalStore.Outcome;
import dev.holdfast.journal.NodeRegistry.FenceResult;
import dev.holdfast.journal.NotWritten.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every store of the journal does, whatever database it is. */
@Timeout(60)
abstract class JournalContract {

  static final NodeId NODE = new NodeId("node-1");
  static final NodeId OTHER = new NodeId("node-2");

  static final Owner ANN = owner(1);
  static final Owner BOB = owner(2);
  static final Owner CAT = owner(3);

  private JournalStore store;
  private NodeRegistry nodes;

  /** The store under test; the same data each time. */
  abstract JournalStore open() throws JournalUnusable;

  @BeforeEach
  void startFirstNode() throws JournalUnusable {
    store = open();
    nodes = store.nodes();
    assertThat(nodes.claim(NODE, 0, Duration.ZERO)).isNotNull();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  // ---- writing and reading back

  @Test
  void givesBackWhatWasWritten() {
    JournalEvent first = new JournalEvent("a.v1", "one".getBytes(UTF_8), 1_000, 5_000);
    JournalEvent second = new JournalEvent("b.v2", new byte[0], 2_000, JournalEvent.NO_DEADLINE);
    write(new OwnerWrite(ANN, 1, List.of(first, second)));

    List<StoredEvent> events = eventsOf(ANN);

    assertThat(events).extracting(StoredEvent::event).containsExactly(first, second);
    assertThat(events).extracting(StoredEvent::number).containsExactly(1L, 2L);
    assertThat(events).extracting(StoredEvent::owner).containsOnly(ANN);
  }

  @Test
  void keepsEverythingWhenClosedAndOpenedAgain() throws JournalUnusable {
    write(writeOf(ANN, 1, 3));
    writeSnapshot(ANN, 2, "state");
    Recovered before = recover(ANN);

    store.close();
    store = open();

    assertThat(recover(ANN)).isEqualTo(before);
    assertThat(store.nodes().isFenced(NODE)).isFalse();
    assertThat(store.nodes().incarnation().number()).isEqualTo(1);
  }

  @Test
  void readsRangesOfAnOwnersEvents() {
    write(writeOf(ANN, 1, 10));
    write(writeOf(BOB, 1, 10));

    assertThat(numbers(ANN, 3, 6, 100)).containsExactly(3L, 4L, 5L, 6L);
    assertThat(numbers(ANN, 8, Long.MAX_VALUE, Long.MAX_VALUE)).containsExactly(8L, 9L, 10L);
    assertThat(numbers(ANN, 2, 9, 3)).containsExactly(2L, 3L, 4L);
    assertThat(numbers(ANN, 7, 6, 100)).isEmpty();
    assertThat(numbers(ANN, 11, 20, 100)).isEmpty();
    assertThat(numbers(ANN, 1, 10, 0)).isEmpty();
    assertThat(numbers(CAT, 1, 10, 100)).isEmpty();
  }

  @Test
  void keepsOwnersAtTheEdgesOfTheirRangeApart() {
    List<Owner> edges =
        List.of(
            Owner.FIRST,
            new Owner(0, -1),
            new Owner(Long.MAX_VALUE, 0),
            new Owner(Long.MIN_VALUE, 0),
            new Owner(-1, 0),
            Owner.LAST);
    for (Owner owner : edges) {
      write(writeOf(owner, 1, 1));
    }

    assertThat(scanned(OwnerRange.ALL)).isEqualTo(edges);
    assertThat(scanned(new OwnerRange(edges.get(1), edges.get(3)))).isEqualTo(edges.subList(1, 4));
    assertThat(store.recover(edges, 10)).extracting(Recovered::owner).isEqualTo(edges);
  }

  @Test
  void takesLargePayloadsWhole() {
    byte[] large = new byte[JournalEvent.MAX_PAYLOAD];
    new Random(42).nextBytes(large);
    JournalEvent event = new JournalEvent("large.v1", large, 0, JournalEvent.NO_DEADLINE);
    write(new OwnerWrite(ANN, 1, List.of(event)));
    JournalSnapshot snapshot = new JournalSnapshot("large.v1", large);
    writeSnapshot(new SnapshotWrite(ANN, 1, 0, snapshot));

    assertThat(eventsOf(ANN).getFirst().event()).isEqualTo(event);
    assertThat(Objects.requireNonNull(recover(ANN).snapshot()).snapshot()).isEqualTo(snapshot);
  }

  @Test
  void takesTenThousandOwnersAtOnce() {
    List<Owner> owners =
        IntStream.range(0, 10_000).mapToObj(i -> new Owner(i * 0x9E3779B97F4A7C15L, i)).toList();
    write(owners.stream().map(owner -> writeOf(owner, 1, 1)).toArray(OwnerWrite[]::new));

    List<Recovered> recovered = store.recover(owners, 10);

    assertThat(recovered).extracting(Recovered::owner).isEqualTo(owners);
    assertThat(recovered).extracting(Recovered::highest).containsOnly(1L);
    assertThat(scanned(OwnerRange.ALL)).hasSize(10_000).isSorted();
  }

  // ---- all or none, and the second line

  @Test
  void leavesAWriteOutWhoseNumberIsTaken() {
    write(writeOf(ANN, 1, 2));

    assertThat(conflictsOf(write(writeOf(BOB, 1, 1), writeOf(ANN, 2, 3), writeOf(CAT, 1, 1))))
        .containsExactly(1);

    assertThat(numbers(ANN)).containsExactly(1L, 2L);
    assertThat(numbers(BOB)).containsExactly(1L);
    assertThat(numbers(CAT)).containsExactly(1L);
  }

  @Test
  void leavesAWriteOutThatWouldMakeAGap() {
    write(writeOf(ANN, 1, 2));

    assertThat(conflictsOf(write(writeOf(ANN, 4, 1), writeOf(BOB, 2, 1)))).containsExactly(0, 1);

    assertThat(numbers(ANN)).containsExactly(1L, 2L);
    assertThat(store.highest(BOB)).isZero();
  }

  @Test
  void refusesTwoWritesOfOneOwnerInABatch() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> write(writeOf(ANN, 1, 2), writeOf(BOB, 1, 1), writeOf(ANN, 3, 1)));

    assertThat(numbers(ANN)).isEmpty();
    assertThat(numbers(BOB)).isEmpty();
  }

  @Test
  void doesNotMoveTheDeadlineOfAWriteThatLost() {
    write(deadlineAt(ANN, 1, 5_000));
    assertThat(conflictsOf(write(deadlineAt(ANN, 1, 1_000)))).containsExactly(0);

    assertThat(due(4_999)).isEmpty();
    assertThat(due(5_000)).containsExactly(new DueOwner(ANN, 5_000));
  }

  // ---- fence

  @Test
  void writesNothingOfAFencedNode() {
    assertThat(nodes.register(OTHER, 1)).isTrue();
    write(writeOf(ANN, 1, 1));
    assertThat(nodes.fence(OTHER, NODE)).isEqualTo(FenceResult.FENCED);

    Outcome outcome =
        store.write(
            NODE,
            List.of(writeOf(ANN, 2, 1), writeOf(BOB, 1, 1)),
            List.of(new SnapshotWrite(ANN, 1, 0, new JournalSnapshot("s.v1", new byte[0]))));

    assertThat(outcome).isEqualTo(new Outcome.Fenced());
    assertThat(numbers(ANN)).containsExactly(1L);
    assertThat(recover(ANN).snapshot()).isNull();
    assertThat(store.highest(BOB)).isZero();
    assertThat(nodes.isFenced(NODE)).isTrue();
  }

  @Test
  void deletesNothingForAFencedNode() {
    nodes.register(OTHER, 1);
    write(writeOf(ANN, 1, 3));
    writeSnapshot(ANN, 3, "state");
    nodes.fence(OTHER, NODE);

    NotWritten refusal = catchThrowableOfType(NotWritten.class, () -> store.delete(NODE, ANN, 3));

    assertThat(refusal.reason()).isEqualTo(Reason.FENCED);
    assertThat(numbers(ANN)).containsExactly(1L, 2L, 3L);
  }

  @Test
  void takesANodeWithoutRowForFenced() {
    NodeId stranger = new NodeId("stranger");

    assertThat(nodes.isFenced(stranger)).isTrue();
    assertThat(store.write(stranger, List.of(writeOf(ANN, 1, 1)), List.of()))
        .isEqualTo(new Outcome.Fenced());
    assertThat(nodes.fence(stranger, NODE)).isEqualTo(FenceResult.FENCED_ONESELF);
    assertThat(nodes.isFenced(NODE)).isFalse();
  }

  @Test
  void neverRegistersANodeThatWasFencedBefore() {
    assertThat(nodes.fence(NODE, OTHER)).isEqualTo(FenceResult.FENCED);
    assertThat(nodes.register(OTHER, 1)).isFalse();
    assertThat(nodes.isFenced(OTHER)).isTrue();
    assertThat(nodes.fence(NODE, OTHER)).isEqualTo(FenceResult.FENCED_ALREADY);
  }

  @Test
  void registersANodeTwiceAsOnce() {
    assertThat(nodes.register(OTHER, 1)).isTrue();
    assertThat(nodes.register(OTHER, 1)).isTrue();
    assertThat(nodes.isFenced(OTHER)).isFalse();
  }

  @Test
  void letsOneOfTwoNodesSurviveThatFenceEachOther() throws Exception {
    for (int round = 0; round < 20; round++) {
      NodeId left = new NodeId("left-" + round);
      NodeId right = new NodeId("right-" + round);
      nodes.register(left, 1);
      nodes.register(right, 1);
      CountDownLatch start = new CountDownLatch(1);
      try (ExecutorService both = Executors.newFixedThreadPool(2)) {
        Future<FenceResult> byLeft =
            both.submit(() -> {
              start.await();
              return nodes.fence(left, right);
            });
        Future<FenceResult> byRight =
            both.submit(() -> {
              start.await();
              return nodes.fence(right, left);
            });
        start.countDown();

        assertThat(List.of(byLeft.get(), byRight.get()))
            .containsExactlyInAnyOrder(FenceResult.FENCED, FenceResult.FENCED_ONESELF);
      }
      assertThat(nodes.isFenced(left)).isNotEqualTo(nodes.isFenced(right));
    }
  }

  @Test
  void fencingWaitsForTheBatchInFlight() throws Exception {
    for (int round = 0; round < 20; round++) {
      NodeId old = new NodeId("old-" + round);
      Owner owner = owner(100 + round);
      nodes.register(old, 1);
      AtomicBoolean begun = new AtomicBoolean();
      try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
        Future<Long> acknowledged =
            thread.submit(() -> {
              long number = 0;
              while (store.write(old, List.of(writeOf(owner, number + 1, 1)), List.of())
                  instanceof Outcome.Written) {
                number++;
                begun.set(true);
              }
              return number;
            });
        while (!begun.get()) {
          Thread.onSpinWait();
        }

        assertThat(nodes.fence(NODE, old)).isEqualTo(FenceResult.FENCED);
        long readAfterFence = store.highest(owner);

        // Whoever reads after the fence sees all that the old owner was told is written.
        assertThat(acknowledged.get()).isEqualTo(readAfterFence);
        assertThat(store.highest(owner)).isEqualTo(readAfterFence);
      }
    }
  }

  // ---- incarnation

  @Test
  void fencesAllNodesOfEarlierIncarnationsWhenTheNextIsClaimed() {
    nodes.register(OTHER, 1);
    NodeId next = new NodeId("next");

    assertThat(nodes.claim(next, 1, Duration.ZERO))
        .isEqualTo(new NodeRegistry.Incarnation(2, false));

    assertThat(nodes.isFenced(NODE)).isTrue();
    assertThat(nodes.isFenced(OTHER)).isTrue();
    assertThat(nodes.isFenced(next)).isFalse();
    assertThat(nodes.register(new NodeId("late"), 1)).isFalse();
    assertThat(nodes.renew(NODE, 1)).isFalse();
    assertThat(nodes.release(NODE, 1)).isFalse();
  }

  @Test
  void refusesTheNextIncarnationWhileTheClusterLives() {
    assertThat(nodes.claim(OTHER, 1, Duration.ofMinutes(5))).isNull();
    assertThat(nodes.isFenced(NODE)).isFalse();
    assertThat(nodes.isFenced(OTHER)).isTrue();
    assertThat(nodes.incarnation()).isEqualTo(new NodeRegistry.Incarnation(1, false));
  }

  @Test
  void letsNoProcessClaimTwice() {
    write(writeOf(ANN, 1, 1));

    assertThat(nodes.claim(NODE, 1, Duration.ZERO)).isNull();

    assertThat(nodes.incarnation().number()).isEqualTo(1);
    assertThat(conflictsOf(write(writeOf(ANN, 2, 1)))).isEmpty();
  }

  @Test
  void letsOneOfManyClaimTheNextIncarnation() throws Exception {
    try (ExecutorService claimants = Executors.newFixedThreadPool(8)) {
      List<Future<Boolean>> claims =
          IntStream.range(0, 8)
              .mapToObj(i ->
                  claimants.submit(
                      () -> nodes.claim(new NodeId("claimant-" + i), 1, Duration.ZERO) != null))
              .toList();
      int taken = 0;
      for (Future<Boolean> claim : claims) {
        taken += claim.get() ? 1 : 0;
      }
      assertThat(taken).isEqualTo(1);
    }
    assertThat(nodes.incarnation().number()).isEqualTo(2);
  }

  @Test
  void freesTheNextIncarnationOnRelease() {
    assertThat(nodes.renew(NODE, 1)).isTrue();
    assertThat(nodes.release(NODE, 1)).isTrue();

    assertThat(nodes.incarnation()).isEqualTo(new NodeRegistry.Incarnation(1, true));
    assertThat(nodes.isFenced(NODE)).isTrue();
    assertThat(nodes.register(OTHER, 1)).isFalse();
    assertThat(nodes.claim(OTHER, 1, Duration.ofMinutes(5))).isNotNull();
  }

  @Test
  void keepsTheIncarnationUntilTheLastNodeLeaves() {
    nodes.register(OTHER, 1);
    assertThat(nodes.release(NODE, 1)).isTrue();

    assertThat(nodes.isFenced(NODE)).isTrue();
    assertThat(nodes.release(NODE, 1)).isFalse();
    assertThat(nodes.incarnation()).isEqualTo(new NodeRegistry.Incarnation(1, false));
    assertThat(nodes.renew(OTHER, 1)).isTrue();

    assertThat(nodes.release(OTHER, 1)).isTrue();
    assertThat(nodes.incarnation()).isEqualTo(new NodeRegistry.Incarnation(1, true));
  }

  @Test
  void releasesTheIncarnationWhenAllLeaveAtOnce() throws Exception {
    for (long round = 2; round < 12; round++) {
      NodeId left = new NodeId("left-" + round);
      NodeId right = new NodeId("right-" + round);
      long number = round;
      assertThat(nodes.claim(left, number - 1, Duration.ZERO)).isNotNull();
      nodes.register(right, number);
      try (ExecutorService both = Executors.newFixedThreadPool(2)) {
        Future<Boolean> first = both.submit(() -> nodes.release(left, number));
        Future<Boolean> second = both.submit(() -> nodes.release(right, number));
        assertThat(first.get()).isTrue();
        assertThat(second.get()).isTrue();
      }
      assertThat(nodes.incarnation()).isEqualTo(new NodeRegistry.Incarnation(number, true));
    }
  }

  @Test
  void tellsWhetherTheClusterLives() {
    assertThat(nodes.lives(Duration.ofMinutes(5))).isTrue();
    assertThat(nodes.lives(Duration.ZERO)).isFalse();
    nodes.release(NODE, 1);
    assertThat(nodes.lives(Duration.ofMinutes(5))).isFalse();
  }

  @Test
  void listsTheNodesThatMayWriteAndWhatTheyTold() {
    nodes.register(OTHER, 1);
    nodes.register(new NodeId("third"), 1);
    assertThat(nodes.announce(OTHER, "127.0.0.1:7000", List.of("a", "b"))).isTrue();
    nodes.fence(NODE, new NodeId("third"));

    assertThat(nodes.registered(1))
        .containsExactlyInAnyOrder(
            new NodeRegistry.Registered(NODE, null, List.of()),
            new NodeRegistry.Registered(OTHER, "127.0.0.1:7000", List.of("a", "b")));
    assertThat(nodes.registered(2)).isEmpty();
  }

  @Test
  void takesNoWordFromAFencedOrUnknownNode() {
    nodes.register(OTHER, 1);
    nodes.fence(NODE, OTHER);
    assertThat(nodes.announce(OTHER, "127.0.0.1:7000", List.of())).isFalse();
    assertThat(nodes.announce(new NodeId("unknown"), "127.0.0.1:7000", List.of())).isFalse();
  }

  // ---- recovery

  @Test
  void recoversSnapshotAndLaterEventsOfManyOwners() {
    write(writeOf(ANN, 1, 5), writeOf(BOB, 1, 2));
    writeSnapshot(ANN, 3, "ann at 3");

    List<Recovered> recovered = store.recover(List.of(CAT, ANN, BOB), 100);

    assertThat(recovered).extracting(Recovered::owner).containsExactly(CAT, ANN, BOB);
    assertThat(recovered).extracting(Recovered::highest).containsExactly(0L, 5L, 2L);
    assertThat(recovered).extracting(Recovered::snapshotNumber).containsExactly(0L, 3L, 0L);
    assertThat(recovered.get(0).events()).isEmpty();
    assertThat(recovered.get(1).events()).extracting(StoredEvent::number).containsExactly(4L, 5L);
    assertThat(recovered.get(2).events()).extracting(StoredEvent::number).containsExactly(1L, 2L);
  }

  @Test
  void recoversTheBeginningOfALogThatIsTooLong() {
    write(writeOf(ANN, 1, 20));

    Recovered recovered = store.recover(List.of(ANN), 5).getFirst();

    assertThat(recovered.events())
        .extracting(StoredEvent::number)
        .containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(recovered.highest()).isEqualTo(20);
  }

  @Test
  void recoversAnOwnerWhoseSnapshotIsItsNewestEvent() {
    write(writeOf(ANN, 1, 3));
    writeSnapshot(ANN, 3, "state");

    Recovered recovered = recover(ANN);

    assertThat(recovered.events()).isEmpty();
    assertThat(recovered.highest()).isEqualTo(3);
  }

  // ---- snapshots

  @Test
  void neverReplacesASnapshotByAnOlderOne() {
    write(writeOf(ANN, 1, 5));
    writeSnapshot(ANN, 4, "newer");
    writeSnapshot(ANN, 3, "older");
    assertThat(snapshotOf(ANN)).isEqualTo("newer");

    writeSnapshot(ANN, 5, "newest");
    assertThat(snapshotOf(ANN)).isEqualTo("newest");
  }

  @Test
  void refusesASnapshotAheadOfTheLog() {
    write(writeOf(ANN, 1, 2));
    writeSnapshot(ANN, 3, "of an event that is not there");
    writeSnapshot(BOB, 1, "of nobody");

    assertThat(recover(ANN).snapshot()).isNull();
    assertThat(recover(BOB).snapshot()).isNull();
  }

  @Test
  void storesASnapshotOfAnEventInTheSameBatch() {
    store.write(
        NODE,
        List.of(writeOf(ANN, 1, 2)),
        List.of(new SnapshotWrite(ANN, 2, 7, new JournalSnapshot("s.v1", "now".getBytes(UTF_8)))));

    assertThat(snapshotOf(ANN)).isEqualTo("now");
    assertThat(Objects.requireNonNull(recover(ANN).snapshot()).at()).isEqualTo(7);
  }

  // ---- deletion

  @Test
  void deletesWhatTheSnapshotIncludes() {
    write(writeOf(ANN, 1, 6));
    write(writeOf(BOB, 1, 6));
    writeSnapshot(ANN, 4, "state");

    assertThat(store.delete(NODE, ANN, 2)).isEqualTo(2);
    assertThat(numbers(ANN)).containsExactly(3L, 4L, 5L, 6L);
    assertThat(store.delete(NODE, ANN, 6)).isEqualTo(2);
    assertThat(numbers(ANN)).containsExactly(5L, 6L);
    assertThat(numbers(BOB)).hasSize(6);
  }

  @Test
  void deletesNothingWithoutASnapshot() {
    write(writeOf(ANN, 1, 3));

    assertThat(store.delete(NODE, ANN, 3)).isZero();
    assertThat(numbers(ANN)).hasSize(3);
  }

  @Test
  void keepsTheHighestNumberAndTheDeadlineThroughDeletion() {
    write(deadlineAt(ANN, 1, 1_000));
    write(deadlineAt(ANN, 2, 2_000));
    write(deadlineAt(ANN, 3, 3_000));
    writeSnapshot(ANN, 3, "state");

    assertThat(store.delete(NODE, ANN, Long.MAX_VALUE)).isEqualTo(2);

    assertThat(store.highest(ANN)).isEqualTo(3);
    assertThat(recover(ANN).highest()).isEqualTo(3);
    assertThat(due(2_999)).isEmpty();
    assertThat(due(3_000)).containsExactly(new DueOwner(ANN, 3_000));
    for (long taken = 1; taken <= 3; taken++) {
      assertThat(conflictsOf(write(writeOf(ANN, taken, 1)))).containsExactly(0);
    }
    assertThat(conflictsOf(write(writeOf(ANN, 4, 1)))).isEmpty();
  }

  @Test
  void neverUsesAPositionTwice() throws JournalUnusable {
    write(writeOf(ANN, 1, 5));
    writeSnapshot(ANN, 5, "state");
    List<Long> before = positions(0);
    store.delete(NODE, ANN, 5);
    store.close();
    store = open();
    write(writeOf(ANN, 6, 1));

    assertThat(positions(before.getLast())).hasSize(1).doesNotContainAnyElementsOf(before);
  }

  // ---- agenda

  @Test
  void findsTheOwnersWhoseDeadlineHasCome() {
    write(deadlineAt(ANN, 1, 3_000), deadlineAt(BOB, 1, 1_000), deadlineAt(CAT, 1, 2_000));

    assertThat(due(999)).isEmpty();
    assertThat(due(2_500)).containsExactly(new DueOwner(BOB, 1_000), new DueOwner(CAT, 2_000));
    assertThat(due(9_999))
        .containsExactly(
            new DueOwner(BOB, 1_000), new DueOwner(CAT, 2_000), new DueOwner(ANN, 3_000));
  }

  @Test
  void movesTheDeadlineWithEachEvent() {
    write(deadlineAt(ANN, 1, 1_000));
    write(deadlineAt(ANN, 2, 4_000));
    assertThat(due(3_999)).as("moved later").isEmpty();
    assertThat(due(4_000)).containsExactly(new DueOwner(ANN, 4_000));

    write(deadlineAt(ANN, 3, 2_000));
    assertThat(due(1_999)).as("moved earlier").isEmpty();
    assertThat(due(2_000)).containsExactly(new DueOwner(ANN, 2_000));

    write(deadlineAt(ANN, 4, JournalEvent.NO_DEADLINE));
    assertThat(due(Long.MAX_VALUE - 1)).as("lifted").isEmpty();

    write(deadlineAt(ANN, 5, 3_000));
    assertThat(due(3_000)).as("set again").containsExactly(new DueOwner(ANN, 3_000));
  }

  @Test
  void takesTheDeadlineOfTheLastEventOfAWrite() {
    write(
        new OwnerWrite(
            ANN,
            1,
            List.of(
                new JournalEvent("a.v1", new byte[0], 0, 1_000),
                new JournalEvent("b.v1", new byte[0], 0, 2_000))));

    assertThat(due(1_999)).isEmpty();
    assertThat(due(2_000)).containsExactly(new DueOwner(ANN, 2_000));
  }

  @Test
  void sweepsOnlyTheRangesAskedFor() {
    write(deadlineAt(ANN, 1, 1_000), deadlineAt(BOB, 1, 1_000), deadlineAt(CAT, 1, 1_000));

    assertThat(store.due(List.of(new OwnerRange(BOB, BOB)), 1_000, 10, null))
        .extracting(DueOwner::owner)
        .containsExactly(BOB);
    assertThat(
            store.due(List.of(new OwnerRange(CAT, CAT), new OwnerRange(ANN, ANN)), 1_000, 10, null))
        .extracting(DueOwner::owner)
        .containsExactly(ANN, CAT);
    assertThat(store.due(List.of(), 1_000, 10, null)).isEmpty();
  }

  @Test
  void sortsByTheDeadlineOfTheNewestEvent() {
    write(deadlineAt(ANN, 1, 1_000), deadlineAt(BOB, 1, 2_000), deadlineAt(CAT, 1, 4_000));
    write(deadlineAt(ANN, 2, 3_000));

    List<DueOwner> all = due(5_000);
    assertThat(all)
        .containsExactly(
            new DueOwner(BOB, 2_000), new DueOwner(ANN, 3_000), new DueOwner(CAT, 4_000));
    assertThat(store.due(List.of(OwnerRange.ALL), 5_000, 10, all.getFirst()))
        .isEqualTo(all.subList(1, 3));
  }

  @Test
  void findsADueOwnerBehindManyOfOtherRanges() {
    write(
        IntStream.range(0, 3_000)
            .mapToObj(i -> deadlineAt(owner(1_000 + i), 1, 1_000))
            .toArray(OwnerWrite[]::new));
    write(deadlineAt(ANN, 1, 2_000));

    assertThat(store.due(List.of(new OwnerRange(ANN, ANN)), 5_000, 1, null))
        .containsExactly(new DueOwner(ANN, 2_000));
  }

  @Test
  void sweepsPageByPageThroughWhateverIsDue() {
    int owners = 1_000;
    write(
        IntStream.range(0, owners)
            .mapToObj(i -> deadlineAt(owner(1_000 + i), 1, 1_000 + i / 10))
            .toArray(OwnerWrite[]::new));
    // Every second one has moved on, so its row on the agenda is early.
    write(
        IntStream.range(0, owners)
            .filter(i -> i % 2 == 0)
            .mapToObj(i -> deadlineAt(owner(1_000 + i), 2, 1_000_000))
            .toArray(OwnerWrite[]::new));

    List<DueOwner> swept = new ArrayList<>();
    List<DueOwner> page = store.due(List.of(OwnerRange.ALL), 10_000, 7, null);
    while (!page.isEmpty()) {
      assertThat(page).hasSizeLessThanOrEqualTo(7);
      swept.addAll(page);
      page = store.due(List.of(OwnerRange.ALL), 10_000, 7, page.getLast());
    }

    assertThat(swept).hasSize(owners / 2).doesNotHaveDuplicates();
    assertThat(swept).extracting(DueOwner::deadline).isSorted();
  }

  // ---- feed

  @Test
  void feedsAllEventsInTheOrderOfTheirCommits() {
    write(writeOf(CAT, 1, 2));
    write(writeOf(ANN, 1, 1), writeOf(BOB, 1, 1));
    write(writeOf(CAT, 3, 1));

    List<StoredEvent> feed = feed(0, 100);

    assertThat(feed).extracting(StoredEvent::owner).containsExactly(CAT, CAT, ANN, BOB, CAT);
    assertThat(feed).extracting(StoredEvent::position).isSorted().doesNotHaveDuplicates();
    assertThat(feed(feed.get(1).position(), 2)).isEqualTo(feed.subList(2, 4));
    assertThat(feed(feed.getLast().position(), 100)).isEmpty();
  }

  @Test
  void feedsNothingLateUnderConcurrentWriters() throws Exception {
    int writers = 8;
    int writes = 50;
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(writers + 1)) {
      Future<List<StoredEvent>> consumer =
          threads.submit(() -> {
            List<StoredEvent> seen = new ArrayList<>();
            boolean last;
            do {
              last = done.get();
              seen.addAll(feed(seen.isEmpty() ? 0 : seen.getLast().position(), 1_000));
            } while (!last);
            return seen;
          });
      List<Future<?>> running =
          IntStream.range(0, writers)
              .<Future<?>>mapToObj(w ->
                  threads.submit(() -> {
                    for (int i = 1; i <= writes; i++) {
                      write(writeOf(owner(w), i, 1));
                    }
                  }))
              .toList();
      for (Future<?> writer : running) {
        writer.get();
      }
      done.set(true);

      List<StoredEvent> seen = consumer.get();
      assertThat(seen).hasSize(writers * writes);
      assertThat(seen).isEqualTo(feed(0, Integer.MAX_VALUE));
    }
  }

  // ---- scan

  @Test
  void scansEachOwnersSnapshotBeforeItsEvents() {
    write(writeOf(BOB, 1, 2), writeOf(ANN, 1, 2), writeOf(CAT, 1, 1));
    writeSnapshot(BOB, 1, "bob");

    List<String> seen = new ArrayList<>();
    store.scan(
        OwnerRange.ALL,
        new JournalStore.Scan() {
          @Override
          public void snapshot(SnapshotWrite snapshot) {
            seen.add(snapshot.owner() + " snapshot " + snapshot.number());
          }

          @Override
          public void event(StoredEvent event) {
            seen.add(event.owner() + " event " + event.number());
          }
        });

    assertThat(seen)
        .containsExactly(
            ANN + " event 1",
            ANN + " event 2",
            BOB + " snapshot 1",
            BOB + " event 1",
            BOB + " event 2",
            CAT + " event 1");
    assertThat(store.damages()).isEmpty();
  }

  @Test
  void takesAProbe() {
    store.probe(64 << 10);
    store.probe(1 << 20);

    assertThat(store.damages()).isEmpty();
  }

  // ---- housekeeping

  @Test
  void trimsWhatIsOldAndInTheSnapshot() {
    write(writeOf(ANN, 1, 10), writeOf(BOB, 1, 10), writeOf(CAT, 1, 10));
    writeSnapshot(ANN, 8, "ann at 8");
    writeSnapshot(BOB, 4, "bob at 4");

    Trimmed trimmed = trim(new KeepRule(7, 1_000), null, 1_000);

    assertThat(trimmed).isEqualTo(new Trimmed(CAT, true, 3, 6 + 4, 10, 0));
    assertThat(numbers(ANN)).as("from 7 on they are young").containsExactly(7L, 8L, 9L, 10L);
    assertThat(numbers(BOB)).as("from 5 on there is no snapshot").hasSize(6).startsWith(5L);
    assertThat(numbers(CAT)).hasSize(10);
    assertThat(recover(ANN).events()).extracting(StoredEvent::number).containsExactly(9L, 10L);
    assertThat(trim(new KeepRule(7, 1_000), null, 1_000).deleted()).isZero();
  }

  @Test
  void trimsWhatIsTooManyThoughItIsYoung() {
    write(writeOf(ANN, 1, 10), writeOf(BOB, 1, 10));
    writeSnapshot(ANN, 10, "ann at 10");
    writeSnapshot(BOB, 3, "bob at 3");

    Trimmed trimmed = trim(new KeepRule(0, 4), null, 1_000);

    assertThat(numbers(ANN)).containsExactly(7L, 8L, 9L, 10L);
    assertThat(numbers(BOB)).hasSize(7).startsWith(4L);
    assertThat(trimmed.longest()).isEqualTo(7);
    assertThat(trimmed.overCap()).isEqualTo(1);
  }

  @Test
  void neverTrimsTheNewestEvent() {
    writeInTurn(deadlineAt(ANN, 1, 1_000), deadlineAt(ANN, 2, 2_000));
    writeSnapshot(ANN, 2, "state");

    trim(new KeepRule(Long.MAX_VALUE, 1), null, 1_000);

    assertThat(numbers(ANN)).containsExactly(2L);
    assertThat(store.highest(ANN)).isEqualTo(2);
    assertThat(due(2_000)).containsExactly(new DueOwner(ANN, 2_000));
  }

  @Test
  void trimsWithoutAGapThoughTimesRunBackwards() {
    long[] times = {1, 9, 2, 3};
    List<JournalEvent> events = new ArrayList<>();
    for (long at : times) {
      events.add(new JournalEvent("e.v1", new byte[0], at, JournalEvent.NO_DEADLINE));
    }
    write(new OwnerWrite(ANN, 1, events));
    writeSnapshot(ANN, 4, "state");

    trim(new KeepRule(5, 1_000), null, 1_000);

    assertThat(numbers(ANN)).containsExactly(2L, 3L, 4L);
  }

  @Test
  void trimsPageByPageAndALongLogInParts() {
    int owners = 50;
    for (int i = 0; i < owners; i++) {
      write(writeOf(owner(i), 1, i == 20 ? 100 : 5));
      writeSnapshot(owner(i), i == 20 ? 100 : 5, "state");
    }
    OwnerRange range = new OwnerRange(owner(10), owner(39));

    int work = 7;
    int seen = 0;
    long deleted = 0;
    Trimmed page = new Trimmed(null, false, 0, 0, 0, 0);
    while (!page.done()) {
      Trimmed next =
          store.trim(NODE, range, page.last(), new KeepRule(Long.MAX_VALUE, 1_000), work);
      assertThat(next.owners() + next.deleted()).isPositive().isLessThan(work + 5L);
      seen += next.owners();
      deleted += next.deleted();
      page = next;
    }

    assertThat(seen).isEqualTo(30);
    assertThat(deleted).isEqualTo(29 * 4 + 99);
    assertThat(numbers(owner(9))).hasSize(5);
    assertThat(numbers(owner(10))).containsExactly(5L);
    assertThat(numbers(owner(20))).containsExactly(100L);
    assertThat(numbers(owner(40))).hasSize(5);
  }

  @Test
  void purgesAllOfAnOwner() {
    writeInTurn(deadlineAt(ANN, 1, 1_000), deadlineAt(BOB, 1, 1_000), deadlineAt(ANN, 2, 2_000));
    writeSnapshot(ANN, 1, "state");
    write(writeOf(CAT, 1, 1));

    assertThat(store.purge(NODE, Map.of(ANN, 2L), 0)).containsExactly(ANN);

    assertThat(recover(ANN)).isEqualTo(new Recovered(ANN, null, List.of(), 0));
    assertThat(due(9_999)).containsExactly(new DueOwner(BOB, 1_000));
    assertThat(numbers(BOB)).containsExactly(1L);
    assertThat(store.damages()).isEmpty();
    assertThat(store.purge(NODE, Map.of(ANN, 2L), 0)).as("again").containsExactly(ANN);
    assertThat(conflictsOf(write(writeOf(ANN, 3, 1)))).as("it is over").containsExactly(0);
    assertThat(conflictsOf(write(writeOf(ANN, 1, 1)))).isEmpty();
  }

  @Test
  void purgesNobodyWhoHasWrittenMeanwhile() {
    writeInTurn(deadlineAt(ANN, 1, 1_000), deadlineAt(ANN, 2, 2_000), writeOf(BOB, 1, 1));
    write(writeOf(CAT, 1, 1));

    assertThat(store.purge(NODE, Map.of(ANN, 1L, BOB, 1L), 0)).containsExactly(BOB);

    assertThat(numbers(ANN)).containsExactly(1L, 2L);
    assertThat(due(2_000)).containsExactly(new DueOwner(ANN, 2_000));
  }

  @Test
  void usesNoPositionAgainAfterAPurge() throws JournalUnusable {
    write(writeOf(ANN, 1, 1), writeOf(BOB, 1, 3));
    List<Long> before = positions(0);
    Set<Owner> gone = store.purge(NODE, Map.of(ANN, 1L, BOB, 3L), 0);
    assertThat(gone).contains(ANN);
    store.close();
    store = open();

    write(writeOf(CAT, 1, 1));

    assertThat(eventsOf(CAT).getFirst().position()).isGreaterThan(before.getLast());
    // Whoever had to wait for a later position can go now.
    assertThat(store.purge(NODE, Map.of(BOB, 3L), 0)).containsExactly(BOB);
  }

  @Test
  void erasesAllBeforeAnEvent() {
    writeInTurn(writeOf(ANN, 1, 4), deadlineAt(ANN, 5, 1_000), writeOf(BOB, 1, 2));
    writeSnapshot(ANN, 4, "secret");

    assertThat(store.erase(NODE, ANN, 5, 5, 7_000)).isTrue();

    Recovered left = recover(ANN);
    assertThat(left.snapshot()).isNull();
    assertThat(left.highest()).isEqualTo(5);
    assertThat(numbers(ANN)).containsExactly(5L);
    assertThat(numbers(BOB)).hasSize(2);
    assertThat(due(6_999)).as("done, so nothing is due before the new deadline").isEmpty();
    assertThat(due(7_000)).containsExactly(new DueOwner(ANN, 7_000));
    assertThat(store.erase(NODE, ANN, 5, 5, 7_000)).as("again").isTrue();
    assertThat(store.damages()).isEmpty();
    assertThat(conflictsOf(write(writeOf(ANN, 6, 1)))).isEmpty();
  }

  @Test
  void erasesThoughTheOwnerHasGoneOn() {
    writeInTurn(writeOf(ANN, 1, 4), writeOf(ANN, 5, 3));
    write(deadlineAt(ANN, 8, 500));
    writeSnapshot(ANN, 6, "after it");

    assertThat(store.erase(NODE, ANN, 5, 5, 7_000)).isTrue();

    assertThat(numbers(ANN)).containsExactly(5L, 6L, 7L, 8L);
    assertThat(snapshotOf(ANN)).isEqualTo("after it");
    assertThat(due(500)).containsExactly(new DueOwner(ANN, 500));
    assertThat(store.erase(NODE, ANN, 5, 8, 7_000)).as("the newest one is known").isTrue();
    assertThat(due(6_999)).isEmpty();
    assertThat(due(7_000)).containsExactly(new DueOwner(ANN, 7_000));
    assertThat(store.damages()).isEmpty();
    assertThat(store.erase(NODE, ANN, 9, 9, 7_000)).as("of an event that is not there").isFalse();
    assertThat(store.erase(NODE, BOB, 1, 1, 7_000)).isFalse();
    assertThat(numbers(ANN)).hasSize(4);
  }

  @Test
  void storesNoSnapshotFromBeforeAnErasure() {
    write(writeOf(ANN, 1, 5));
    store.erase(NODE, ANN, 5, 5, JournalEvent.NO_DEADLINE);

    writeSnapshot(ANN, 4, "secret");
    assertThat(recover(ANN).snapshot()).isNull();

    writeSnapshot(ANN, 5, "of nobody");
    assertThat(snapshotOf(ANN)).isEqualTo("of nobody");
  }

  @Test
  void keepsHouseForNoNodeThatIsFenced() {
    nodes.register(OTHER, 1);
    write(writeOf(ANN, 1, 3), writeOf(BOB, 1, 1));
    writeSnapshot(ANN, 3, "state");
    nodes.fence(OTHER, NODE);
    List<StoredEvent> before = feed(0, 100);

    KeepRule nothing = new KeepRule(Long.MAX_VALUE, 1);
    for (Runnable deletion :
        List.<Runnable>of(
            () -> trim(nothing, null, 100),
            () -> store.purge(NODE, Map.of(ANN, 3L), 0),
            () -> store.erase(NODE, ANN, 3, 3, JournalEvent.NO_DEADLINE))) {
      assertThat(catchThrowableOfType(NotWritten.class, deletion::run).reason())
          .isEqualTo(Reason.FENCED);
    }

    assertThat(feed(0, 100)).isEqualTo(before);
    assertThat(snapshotOf(ANN)).isEqualTo("state");
  }

  // ---- readers of the feed

  @Test
  void keepsWhatAConsumerHasYetToRead() {
    write(writeOf(ANN, 1, 10), writeOf(BOB, 1, 10));
    writeSnapshot(ANN, 9, "state");
    writeSnapshot(BOB, 9, "state");
    KeepRule nothing = new KeepRule(Long.MAX_VALUE, 1);
    long read = eventsOf(ANN).get(3).position();
    assertThat(readers().passed("slow", read, 1)).isTrue();
    assertThat(readers().passed("fast", eventsOf(BOB).getLast().position(), 1)).isTrue();

    Trimmed held = trim(nothing, null, 1_000);

    assertThat(held.done()).isTrue();
    assertThat(held.deleted()).isEqualTo(4);
    assertThat(numbers(ANN)).startsWith(5L).hasSize(6);
    assertThat(numbers(BOB)).hasSize(10);
    assertThat(readers().state().forgotten()).isEqualTo(read);

    readers().passed("slow", eventsOf(BOB).get(4).position(), 2);
    trim(nothing, null, 1_000);
    assertThat(numbers(ANN)).containsExactly(10L);
    assertThat(numbers(BOB)).startsWith(6L);
  }

  @Test
  void goesOnTrimmingPastOwnersWhoAreHeldBack() {
    write(writeOf(ANN, 1, 9), writeOf(BOB, 1, 9));
    writeSnapshot(ANN, 9, "state");
    writeSnapshot(BOB, 9, "state");
    readers().passed("slow", 1, 1);

    Trimmed page = trim(new KeepRule(Long.MAX_VALUE, 1), null, 3);
    for (int pages = 0; !page.done(); pages++) {
      assertThat(pages).isLessThan(10);
      page = trim(new KeepRule(Long.MAX_VALUE, 1), page.last(), 3);
    }
  }

  @Test
  void purgesNobodyOfWhomAConsumerHasYetToRead() {
    write(writeOf(ANN, 1, 2), writeOf(BOB, 1, 2));
    readers().passed("slow", eventsOf(ANN).getFirst().position(), 1);

    assertThat(store.purge(NODE, Map.of(ANN, 2L), 0)).isEmpty();

    readers().passed("slow", eventsOf(ANN).getLast().position(), 2);
    long last = eventsOf(ANN).getLast().position();
    assertThat(store.purge(NODE, Map.of(ANN, 2L), 0)).containsExactly(ANN);
    assertThat(readers().state().forgotten()).isEqualTo(last);
  }

  /** Else they would come first in every sweep, for as long as the consumer is behind. */
  @Test
  void movesTheDeadlineOfWhomItCannotPurgeYet() {
    writeInTurn(deadlineAt(ANN, 1, 1_000), deadlineAt(BOB, 1, 2_000), writeOf(CAT, 1, 1));
    readers().passed("slow", 0, 1);

    assertThat(store.purge(NODE, Map.of(ANN, 1L, CAT, 1L), 5_000)).isEmpty();

    assertThat(due(4_999)).containsExactly(new DueOwner(BOB, 2_000));
    assertThat(due(5_000)).containsExactly(new DueOwner(BOB, 2_000), new DueOwner(ANN, 5_000));
    assertThat(store.damages()).isEmpty();
    assertThat(store.purge(NODE, Map.of(ANN, 1L), 4_000)).as("no earlier").isEmpty();
    assertThat(due(4_999)).containsExactly(new DueOwner(BOB, 2_000));
    write(deadlineAt(ANN, 2, 3_000));
    assertThat(due(4_999)).as("but what is written then counts").contains(new DueOwner(ANN, 3_000));
    assertThat(store.purge(NODE, Map.of(ANN, 1L), 9_000)).as("an earlier event").isEmpty();
    assertThat(due(4_999)).contains(new DueOwner(ANN, 3_000));
  }

  @Test
  void erasesWhatAConsumerHasYetToRead() {
    write(writeOf(ANN, 1, 3));
    readers().passed("slow", 0, 1);

    assertThat(store.erase(NODE, ANN, 3, 3, JournalEvent.NO_DEADLINE)).isTrue();

    assertThat(numbers(ANN)).containsExactly(3L);
    assertThat(readers().state().forgotten()).isZero();
  }

  @Test
  void letsAConsumerLapseThatIsBehindForTooLong() {
    write(writeOf(ANN, 1, 10)); // at 1 to 10
    writeSnapshot(ANN, 9, "state");
    readers().passed("slow", eventsOf(ANN).get(3).position(), 4);
    readers().passed("done", eventsOf(ANN).getLast().position(), 4);
    assertThat(readers().consumers())
        .extracting(FeedReaders.Consumer::waitingSince)
        .containsExactly(OptionalLong.empty(), OptionalLong.of(5));

    assertThat(readers().lapse(5)).isZero();
    assertThat(readers().lapse(6)).isEqualTo(1);

    assertThat(readers().consumers())
        .extracting(FeedReaders.Consumer::lapsed)
        .containsExactly(false, true);
    assertThat(readers().passed("slow", 0, 8)).as("it has to begin anew").isFalse();
    trim(new KeepRule(Long.MAX_VALUE, 1), null, 1_000);
    assertThat(numbers(ANN)).containsExactly(10L);
    assertThat(readers().forget("slow")).isTrue();
    assertThat(readers().forget("slow")).isFalse();
    assertThat(readers().passed("slow", 0, 9)).isTrue();
  }

  /**
   * A new one begins with the oldest event, which may be older than what is kept for the others.
   */
  @Test
  void letsNoConsumerLapseThatMovesOn() {
    write(writeOf(ANN, 1, 10)); // at 1 to 10
    readers().passed("new", 0, 100);
    assertThat(readers().lapse(100)).isZero();

    readers().passed("new", eventsOf(ANN).getFirst().position(), 200);
    readers().passed("new", eventsOf(ANN).getFirst().position(), 300);

    assertThat(readers().consumers())
        .extracting(FeedReaders.Consumer::movedAt)
        .as("asking again from the same place is no move")
        .containsExactly(200L);
    assertThat(readers().lapse(200)).isZero();
    assertThat(readers().lapse(201)).isEqualTo(1);
  }

  @Test
  void tellsWhereItsFeedEnds() {
    write(writeOf(ANN, 1, 3));
    FeedReaders.State state = readers().state();
    assertThat(state.end()).isGreaterThanOrEqualTo(positions(0).getLast());
    write(writeOf(ANN, 4, 1));
    assertThat(positions(state.end())).hasSize(1);
  }

  @Test
  void takesItsIdentityAlongWhereverItsRowsAreMoved() throws JournalUnusable {
    String own = readers().state().identity();
    assertThat(own).matches("[0-9a-f]{32}");
    var told = new ArrayList<String>();
    store.scan(
        OwnerRange.ALL,
        new JournalStore.Scan() {
          @Override
          public void journal(String identity, long forgotten, @Nullable String ownerSecret) {
            told.add(identity + " " + forgotten + " " + ownerSecret);
          }

          @Override
          public void snapshot(SnapshotWrite snapshot) {}

          @Override
          public void event(StoredEvent event) {}
        });
    assertThat(told).containsExactly(own + " 0 ");
    nodes.release(NODE, 1);

    var newest = new StoredEvent(78, ANN, 1, new JournalEvent("e.v1", new byte[0], 1, 2));
    store.load(scan -> {
      scan.journal("0123456789abcdef0123456789abcdef", 77, "sealed");
      scan.event(newest);
    });

    assertThat(readers().state().identity()).isEqualTo("0123456789abcdef0123456789abcdef");
    assertThat(readers().state().forgotten()).isEqualTo(77);
    assertThat(store.ownerSecret()).isEqualTo("sealed");
  }

  /** As where the newest event of all was a visitor's who has been purged since. */
  @Test
  void goesOnBehindPositionsThatReadersHaveSeenOrIsAnotherJournalToThem() throws JournalUnusable {
    assertThat(nodes.release(NODE, 1)).isTrue();
    String identity = "0123456789abcdef0123456789abcdef";
    long deleted = 1L << 45;
    var kept = new StoredEvent(7, ANN, 1, new JournalEvent("a.v1", new byte[0], 1, 2));
    store.load(scan -> {
      scan.journal(identity, deleted, null);
      scan.event(kept);
    });
    NodeId next = new NodeId("next");
    assertThat(nodes.claim(next, 1, Duration.ZERO)).isNotNull();

    store.write(next, List.of(writeOf(BOB, 1, 1)), List.of());

    FeedReaders.State state = readers().state();
    long position = eventsOf(BOB).getFirst().position();
    assertThat(position > deleted || !state.identity().equals(identity)).isTrue();
    assertThat(state.forgotten()).isLessThan(position);
  }

  @Test
  void keepsTheOwnerSecretOfWhoeverWasFirst() throws JournalUnusable {
    assertThat(store.ownerSecret()).as("there is none yet").isEmpty();
    assertThat(store.replaceOwnerSecret("", "first")).isTrue();
    assertThat(store.replaceOwnerSecret("", "second")).isFalse();
    assertThat(store.ownerSecret()).isEqualTo("first");
    assertThat(store.replaceOwnerSecret("first", "anew")).isTrue();
    assertThat(store.ownerSecret()).isEqualTo("anew");

    // What an earlier version has exported has none, and gets none.
    nodes.release(NODE, 1);
    store.load(scan -> scan.journal("0123456789abcdef0123456789abcdef", 0, null));
    assertThat(store.ownerSecret()).isNull();
    assertThat(store.replaceOwnerSecret("", "made")).isFalse();
  }

  private FeedReaders readers() {
    return store.feedReaders();
  }

  @Test
  void loadsWhatAnotherJournalHeldAndGoesOnAfterIt() throws JournalUnusable {
    assertThat(nodes.release(NODE, 1)).isTrue();
    long high = 1L << 45;
    List<StoredEvent> events =
        List.of(
            new StoredEvent(7, ANN, 4, new JournalEvent("a.v1", "x".getBytes(UTF_8), 40, 900)),
            new StoredEvent(high, ANN, 5, new JournalEvent("b.v1", new byte[0], 50, 1_000)),
            new StoredEvent(
                9, BOB, 1, new JournalEvent("c.v1", new byte[] {0, -1}, 60, Long.MAX_VALUE)));
    SnapshotWrite snapshot =
        new SnapshotWrite(ANN, 4, 41, new JournalSnapshot("s.v1", "state".getBytes(UTF_8)));

    store.load(scan -> {
      scan.snapshot(snapshot);
      events.forEach(scan::event);
    });

    assertThat(eventsOf(ANN)).isEqualTo(events.subList(0, 2));
    assertThat(eventsOf(BOB)).isEqualTo(events.subList(2, 3));
    assertThat(recover(ANN)).isEqualTo(new Recovered(ANN, snapshot, events.subList(1, 2), 5));
    assertThat(due(999)).isEmpty();
    assertThat(due(9_999)).containsExactly(new DueOwner(ANN, 1_000));
    assertThat(store.damages()).isEmpty();
    NodeId next = new NodeId("next");
    assertThat(nodes.claim(next, 1, Duration.ZERO)).isNotNull();
    assertThat(store.write(next, List.of(writeOf(ANN, 6, 1), writeOf(CAT, 1, 1)), List.of()))
        .isEqualTo(new Outcome.Written(List.of()));
    assertThat(positions(0)).startsWith(7L, 9L, high).hasSize(5).isSorted();
  }

  @Test
  void loadsNothingIfItCannotLoadAll() throws JournalUnusable {
    nodes.release(NODE, 1);
    List<StoredEvent> events = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      JournalEvent event = new JournalEvent("a.v1", new byte[9], 1, 1);
      events.add(new StoredEvent(i + 1, owner(i), 1, event));
    }

    assertThatThrownBy(() ->
            store.load(scan -> {
              events.forEach(scan::event);
              throw new IllegalArgumentException("line 3001");
            }))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("line 3001");

    assertThat(scanned(OwnerRange.ALL)).isEmpty();
    assertThat(due(9_999)).isEmpty();
    store.load(scan -> events.forEach(scan::event));
    assertThat(scanned(OwnerRange.ALL)).hasSize(3_000);
  }

  @Test
  void loadsNothingIntoAJournalThatIsNotEmpty() {
    write(writeOf(ANN, 1, 1));
    nodes.release(NODE, 1);

    JournalUnusable refusal =
        catchThrowableOfType(
            JournalUnusable.class, () -> store.load(scan -> scan.event(eventsOf(ANN).getFirst())));

    assertThat(refusal.problem()).isEqualTo(JournalUnusable.Problem.NOT_EMPTY);
    assertThat(numbers(ANN)).hasSize(1);
  }

  private Trimmed trim(KeepRule keep, @Nullable Owner after, int work) {
    return store.trim(NODE, OwnerRange.ALL, after, keep, work);
  }

  // ---- words of the tests

  static Owner owner(long number) {
    return new Owner(number, ~number);
  }

  static OwnerWrite writeOf(Owner owner, long first, int events) {
    return new OwnerWrite(
        owner,
        first,
        LongStream.range(first, first + events)
            .mapToObj(number ->
                new JournalEvent(
                    "event.v1",
                    (owner + "/" + number).getBytes(UTF_8),
                    number,
                    JournalEvent.NO_DEADLINE))
            .toList());
  }

  private static OwnerWrite deadlineAt(Owner owner, long number, long deadline) {
    return new OwnerWrite(
        owner, number, List.of(new JournalEvent("event.v1", new byte[0], number, deadline)));
  }

  private Outcome write(OwnerWrite... writes) {
    return store.write(NODE, Arrays.asList(writes), List.of());
  }

  /** Each in a batch of its own. */
  private void writeInTurn(OwnerWrite... writes) {
    for (OwnerWrite write : writes) {
      assertThat(conflictsOf(write(write))).isEmpty();
    }
  }

  private void writeSnapshot(Owner owner, long number, String state) {
    writeSnapshot(
        new SnapshotWrite(
            owner, number, number, new JournalSnapshot("state.v1", state.getBytes(UTF_8))));
  }

  private void writeSnapshot(SnapshotWrite snapshot) {
    store.write(NODE, List.of(), List.of(snapshot));
  }

  private String snapshotOf(Owner owner) {
    SnapshotWrite stored = Objects.requireNonNull(recover(owner).snapshot());
    return new String(stored.snapshot().payload(), UTF_8);
  }

  private static List<Integer> conflictsOf(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Written written -> written.conflicts();
      case Outcome.Fenced _ -> throw new AssertionError("fenced");
    };
  }

  private Recovered recover(Owner owner) {
    return store.recover(Collections.singletonList(owner), 1_000).getFirst();
  }

  private List<StoredEvent> eventsOf(Owner owner) {
    List<StoredEvent> events = new ArrayList<>();
    store.read(owner, 1, Long.MAX_VALUE, Long.MAX_VALUE, events::add);
    return events;
  }

  private List<Long> numbers(Owner owner) {
    return eventsOf(owner).stream().map(StoredEvent::number).toList();
  }

  private List<Long> numbers(Owner owner, long from, long to, long max) {
    List<Long> numbers = new ArrayList<>();
    long count = store.read(owner, from, to, max, event -> numbers.add(event.number()));
    assertThat(count).isEqualTo(numbers.size());
    return numbers;
  }

  private List<DueOwner> due(long now) {
    return store.due(List.of(OwnerRange.ALL), now, 100, null);
  }

  private List<StoredEvent> feed(long position, int max) {
    List<StoredEvent> events = new ArrayList<>();
    int count = store.feed(position, max, events::add);
    assertThat(count).isEqualTo(events.size());
    return events;
  }

  private List<Long> positions(long after) {
    return feed(after, 1_000).stream().map(StoredEvent::position).toList();
  }

  private List<Owner> scanned(OwnerRange range) {
    List<Owner> owners = new ArrayList<>();
    store.scan(
        range,
        new JournalStore.Scan() {
          @Override
          public void snapshot(SnapshotWrite snapshot) {
            throw new AssertionError("no snapshot was written");
          }

          @Override
          public void event(StoredEvent event) {
            owners.add(event.owner());
          }
        });
    return owners;
  }

  @Test
  void raisesTheFormOfEventsAndNeverLowersIt() {
    assertThat(store.nodes().form()).isEqualTo(1);
    store.nodes().raiseForm(3);
    store.nodes().raiseForm(2);
    assertThat(store.nodes().form()).isEqualTo(3);
  }
}
