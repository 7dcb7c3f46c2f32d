package dev.holdfast.drill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Effect;
import dev.holdfast.drill.History.Operation;
import dev.holdfast.drill.History.Unknown;
import dev.holdfast.drill.History.View;
import dev.holdfast.drill.Violation.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * The faults that a session store may have, each planted into a small simulated cluster of two
 * nodes and a journal: the checker must find it in what callers saw, and nothing without it. The
 * node that owns the user stops at some moment, the other takes over, and the first one goes on
 * later.
 */
class PlantedFaultsTest {

  private static final int SEEDS = 200;
  private static final String LINE = "user anna";
  private static final String COLOR = "session/anna/color";
  private static final String TEA = "cart/tea";

  /** What is wrong with the cluster. */
  enum Plant {
    NOTHING,
    NO_FENCE,
    ACKNOWLEDGES_BEFORE_THE_WRITE,
    NO_READ_LEASE,
    LEASE_RENEWED_BY_BUFFERED_ANSWERS,
    STALE_SNAPSHOT_OVER_A_NEWER_ONE,
    BLIND_REPEAT,
    EXPIRED_SESSION_REVIVED_BY_TAKEOVER
  }

  @Test
  void findsNothingWhereNothingIsPlanted() {
    for (int seed = 0; seed < SEEDS; seed++) {
      assertThat(HistoryChecker.check(new Simulation(Plant.NOTHING, seed).run()))
          .as("seed %d", seed)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Plant.class, mode = Mode.EXCLUDE, names = "NOTHING")
  void findsEachPlantedFault(Plant plant) {
    var found = new ArrayList<Kind>();
    for (int seed = 0; seed < SEEDS; seed++) {
      HistoryChecker.check(new Simulation(plant, seed).run())
          .forEach(violation -> found.add(violation.kind()));
    }
    assertThat(found).as("of %d histories", SEEDS).contains(expected(plant));
  }

  private static Kind expected(Plant plant) {
    return switch (plant) {
      case NOTHING -> throw new IllegalArgumentException("nothing is expected");
      case NO_FENCE -> Kind.FORKED;
      case ACKNOWLEDGES_BEFORE_THE_WRITE, STALE_SNAPSHOT_OVER_A_NEWER_ONE, BLIND_REPEAT ->
          Kind.LOST_WRITE;
      case NO_READ_LEASE, LEASE_RENEWED_BY_BUFFERED_ANSWERS -> Kind.STALE_ANSWER;
      case EXPIRED_SESSION_REVIVED_BY_TAKEOVER -> Kind.DEAD_TOKEN_WORKS;
    };
  }

  /** A user's state: what callers are shown. */
  private record State(
      long revision, String color, int tea, boolean expired, Set<String> receipts) {

    State apply(Event event) {
      var known = new HashSet<>(receipts);
      known.add(event.key());
      return new State(
          event.revision(),
          event.color() == null ? color : event.color(),
          tea + event.tea(),
          expired || event.expires(),
          known);
    }
  }

  private record Event(
      long revision, String key, @Nullable String color, int tea, boolean expires) {}

  private static final class Node {
    @Nullable State memory;
    boolean fenced;

    /** Until when it may answer from memory. */
    long right;
  }

  private static final class Simulation {
    private final Plant plant;
    private final Random random;
    private final History history = new History();
    private final List<Event> journal = new ArrayList<>();
    private final Node first = new Node();
    private final Node second = new Node();
    private long time;
    private int values;
    private final Map<String, Operation> open = new HashMap<>();

    Simulation(Plant plant, long seed) {
      this.plant = plant;
      this.random = new Random(seed);
    }

    History run() {
      recover(first);
      some(first, 3 + random.nextInt(5));
      boolean expires = random.nextBoolean();
      Operation inHand = writeUnanswered(first);
      // The first node stops here. Its right ends before anybody takes over.
      long stopped = first.right;
      time = Math.max(time, stopped) + 1;
      first.fenced = plant != Plant.NO_FENCE;
      recover(second);
      repeat(second, inHand);
      some(second, 2 + random.nextInt(4));
      if (random.nextBoolean()) {
        repeatOfAnEarlierPut(second);
      }
      // And goes on here.
      if (plant == Plant.NO_READ_LEASE) {
        first.right = Long.MAX_VALUE;
      } else if (plant == Plant.LEASE_RENEWED_BY_BUFFERED_ANSWERS && random.nextBoolean()) {
        first.right = time + 1_000;
      }
      some(first, 3);
      some(second, 2);
      if (expires) {
        expire(second);
        recover(second);
        look(second);
      }
      read(second);
      return history;
    }

    private void recover(Node node) {
      State state = new State(0, History.ABSENT, 0, false, Set.of());
      for (Event event : journal) {
        if (event.revision() > state.revision()
            && !(plant == Plant.EXPIRED_SESSION_REVIVED_BY_TAKEOVER && event.expires())) {
          state = state.apply(event);
        }
      }
      node.memory = state;
      node.right = time + 10;
      if (plant == Plant.STALE_SNAPSHOT_OVER_A_NEWER_ONE && node == second && !journal.isEmpty()) {
        // One of an earlier moment is stored over it, and the events below the newer one are gone.
        node.memory = before(random.nextInt(journal.size()));
      }
    }

    private State before(int events) {
      State state = new State(0, History.ABSENT, 0, false, Set.of());
      for (Event event : journal.subList(0, events)) {
        state = state.apply(event);
      }
      return new State(
          journal.getLast().revision(), state.color(), state.tea(), false, state.receipts());
    }

    private void some(Node node, int count) {
      for (int i = 0; i < count; i++) {
        switch (random.nextInt(4)) {
          case 0 -> write(node, "k" + values, null, 1 + random.nextInt(3));
          case 1, 2 -> write(node, "k" + values, "v" + values, 0);
          default -> read(node);
        }
        if (!node.fenced) {
          node.right = Math.max(node.right, time + 10);
        }
      }
    }

    private void write(Node node, String key, @Nullable String color, int tea) {
      values++;
      Effect effect = color == null ? Effect.add(TEA, tea) : Effect.set(COLOR, color);
      Operation operation = history.operation(LINE, key, effect);
      open.put(key, operation);
      attempt(node, operation, new Event(0, key, color, tea, false));
    }

    private void attempt(Node node, Operation operation, Event wanted) {
      long begun = ++time;
      State state = memory(node);
      if (state.receipts().contains(wanted.key()) && plant != Plant.BLIND_REPEAT) {
        long revision =
            journal.stream()
                .filter(event -> event.key().equals(wanted.key()))
                .mapToLong(Event::revision)
                .findFirst()
                .orElse(state.revision());
        done(operation, begun, revision, true);
        return;
      }
      var event =
          new Event(state.revision() + 1, wanted.key(), wanted.color(), wanted.tea(), false);
      if (node.fenced) {
        history.attempted(operation, begun, ++time, new Unknown("the node ended"));
        return;
      }
      boolean lost = plant == Plant.ACKNOWLEDGES_BEFORE_THE_WRITE && random.nextInt(4) == 0;
      if (!lost) {
        journal.add(event);
      }
      node.memory = state.apply(event);
      done(operation, begun, event.revision(), false);
    }

    private void done(Operation operation, long begun, long revision, boolean replayed) {
      history.attempted(
          operation, begun, ++time, new Acknowledged(revision, replayed, "200", Map.of()));
    }

    /** It is in the journal, and the answer does not arrive any more. */
    private Operation writeUnanswered(Node node) {
      String key = "k" + values;
      String color = "v" + values++;
      Operation operation = history.operation(LINE, key, Effect.set(COLOR, color));
      long begun = ++time;
      State state = memory(node);
      var event = new Event(state.revision() + 1, key, color, 0, false);
      journal.add(event);
      node.memory = state.apply(event);
      open.put(key, operation);
      history.attempted(operation, begun, ++time, new Unknown("the connection broke"));
      return operation;
    }

    /** The caller asks again; another caller has set the same meanwhile. */
    private void repeat(Node node, Operation operation) {
      read(node);
      Event first =
          journal.stream()
              .filter(event -> operation.equals(open.get(event.key())))
              .findFirst()
              .orElseThrow();
      write(node, "k" + values, "v" + values, 0);
      attempt(node, operation, first);
      read(node);
    }

    private void repeatOfAnEarlierPut(Node node) {
      journal.stream()
          .filter(event -> event.color() != null)
          .findFirst()
          .ifPresent(event -> {
            Operation operation = open.get(event.key());
            if (operation != null) {
              attempt(node, operation, event);
            }
          });
    }

    private void read(Node node) {
      long begun = ++time;
      if (time > node.right && node.fenced) {
        return; // no right to answer
      }
      State state = memory(node);
      history.saw(
          new View(
              LINE,
              Set.of("session/anna", "cart"),
              state.revision(),
              state.color().isEmpty() ? Map.of() : Map.of(COLOR, state.color()),
              state.tea() == 0 ? Map.of() : Map.of(TEA, state.tea()),
              begun,
              ++time));
    }

    private void expire(Node node) {
      State state = memory(node);
      journal.add(new Event(state.revision() + 1, "expiry", null, 0, true));
      node.memory = state.apply(journal.getLast());
      look(node);
    }

    /** With the token of a session that may have expired. */
    private void look(Node node) {
      long begun = ++time;
      Operation expiry = history.operation(LINE, "expiry", Effect.end("token"));
      history.attempted(expiry, 0, begun, new Unknown("nobody asked for it"));
      history.used("token", !memory(node).expired(), begun, ++time);
    }

    private static State memory(Node node) {
      State state = node.memory;
      if (state == null) {
        throw new IllegalStateException("nothing was recovered");
      }
      return state;
    }
  }
}
