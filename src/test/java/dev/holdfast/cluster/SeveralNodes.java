package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresStore;
import dev.holdfast.journal.TestPostgres;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Nodes of one cluster in this JVM, each with an actor system and a store of its own, on one
 * journal in PostgreSQL.
 */
final class SeveralNodes implements AutoCloseable {

  static final int SHARDS = 18;
  static final Duration SILENCE = Duration.ofSeconds(3);
  private static final long PATIENCE_MILLIS = 15_000;

  private final PostgresOptions database;
  private final List<Member> members = Collections.synchronizedList(new ArrayList<>());

  SeveralNodes() {
    this(TestPostgres.fresh());
  }

  SeveralNodes(PostgresOptions database) {
    this.database = database;
  }

  /** The clocks of one machine, which tests move. */
  static final class Clocks {
    private final AtomicLong passed = new AtomicLong();
    private final AtomicLong jumped = new AtomicLong();

    /** So much time passes, for all clocks alike. */
    void pass(Duration time) {
      passed.addAndGet(time.toMillis());
    }

    /** The wall clock is set, by so much more than before. */
    void jump(Duration by) {
      jumped.addAndGet(by.toMillis());
    }

    long wall() {
      return System.currentTimeMillis() + passed.get() + jumped.get();
    }

    private long running() {
      return System.nanoTime() / 1_000_000 + passed.get();
    }

    private TrustedClock trusted() {
      return new TrustedClock(() -> Instant.ofEpochMilli(wall()), this::running, this::running);
    }
  }

  /** A node and what belongs to it. */
  static final class Member {
    final String name;
    final Journal journal;
    final Node node;
    final Clocks clocks;
    final AtomicBoolean halted;
    private final AtomicBoolean left;

    private Member(
        String name,
        Journal journal,
        Node node,
        Clocks clocks,
        AtomicBoolean halted,
        AtomicBoolean left) {
      this.name = name;
      this.journal = journal;
      this.node = node;
      this.clocks = clocks;
      this.halted = halted;
      this.left = left;
    }

    NodeId id() {
      return journal.node();
    }

    void serves() {
      node.serves(URI.create("http://" + name + ".test"));
    }

    /** The actor system is gone without a word; what the journal has in hand goes on. */
    void crash() {
      node.abort();
    }

    void drainAndLeave() {
      node.drain(Duration.ofSeconds(20));
      leave();
    }

    void leave() {
      node.close();
      left.set(true);
      journal.release(node.incarnation());
      journal.close();
    }
  }

  Member start(String name) {
    return start(name, List.of("key"));
  }

  Member start(String name, List<String> keys) {
    return start(anyPlace(name), keys, ConfigFactory.empty());
  }

  /** Starts one that writes no event of a newer form. */
  Member startPinned(String name, int form) {
    return start(anyPlace(name), List.of("key"), ConfigFactory.empty(), form);
  }

  private static ClusterSettings.Place anyPlace(String name) {
    return new ClusterSettings.Place(name, "127.0.0.1", "127.0.0.1", 0, 0, null);
  }

  /** Starts one at a place of its own, with other settings of Pekko in place of ours. */
  Member start(ClusterSettings.Place place, List<String> keys, Config pekko) {
    return start(place, keys, pekko, Integer.MAX_VALUE);
  }

  private Member start(ClusterSettings.Place place, List<String> keys, Config pekko, int form) {
    Member member = join(place, keys, pekko, form, UnaryOperator.identity());
    member.serves();
    return member;
  }

  /** Starts one that is a member, and does not serve callers yet. */
  Member join(String name) {
    return join(name, UnaryOperator.identity());
  }

  /** Joins one whose store is another than it should be. */
  Member join(String name, UnaryOperator<JournalStore> store) {
    return join(anyPlace(name), List.of("key"), ConfigFactory.empty(), Integer.MAX_VALUE, store);
  }

  private Member join(
      ClusterSettings.Place place,
      List<String> keys,
      Config pekko,
      int form,
      UnaryOperator<JournalStore> store) {
    String name = place.name();
    var halted = new AtomicBoolean();
    var left = new AtomicBoolean();
    Runnable halt =
        () -> {
          if (!left.get()) {
            halted.set(true);
          }
        };
    var config = pekko.withFallback(ConfigFactory.load());
    Journal journal;
    try {
      journal =
          Journal.start(
              store.apply(PostgresStore.open(database)),
              NodeId.random(),
              JournalSettings.from(config),
              InstantSource.system(),
              halt);
    } catch (JournalUnusable e) {
      throw new IllegalStateException(e);
    }
    var clocks = new Clocks();
    try {
      Node node =
          Node.start(
              config,
              new ClusterSettings(
                  SHARDS, 100_000, Duration.ofMillis(200), 8, Duration.ofSeconds(20), form, place),
              journal,
              clocks.trusted(),
              Limits.defaults(),
              new Host(keys, SILENCE, halt, () -> {}));
      var member = new Member(name, journal, node, clocks, halted, left);
      members.add(member);
      return member;
    } catch (RuntimeException e) {
      journal.close();
      throw e;
    }
  }

  /** Starts so many at once. */
  List<Member> startAtOnce(int count) throws InterruptedException, ExecutionException {
    try (var starters = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Member>> started =
          IntStream.rangeClosed(1, count)
              .mapToObj(i -> starters.submit((Callable<Member>) () -> start("node-" + i)))
              .toList();
      List<Member> up = new ArrayList<>();
      for (Future<Member> one : started) {
        up.add(one.get());
      }
      return up;
    }
  }

  /** The journal shows for so long that nobody has renewed the incarnation, though they do. */
  void hideRenewals(Duration time) throws SQLException {
    long end = System.nanoTime() + time.toNanos();
    try (Connection connection = DriverManager.getConnection(TestPostgres.url());
        Statement statement = connection.createStatement()) {
      while (System.nanoTime() - end < 0) {
        statement.execute("UPDATE " + database.schema() + ".incarnation SET renewed_at = 0");
      }
    }
  }

  /** Opens a session of a user whose key is spread over all shards. */
  static OwnerKey open(Node node, int number) {
    OwnerKey owner = OwnerKey.ofUser("user-" + number);
    assertThat(write(node, owner, number)).isInstanceOf(Answer.Answered.class);
    return owner;
  }

  static Answer write(Node node, OwnerKey owner, int number) {
    return node.users()
        .ask(
            owner,
            new Command.Open(
                new Request(new RequestId(1, number), 0, false),
                new SessionId(0, number),
                "user-" + number,
                Json.Obj.empty(),
                Duration.ofDays(1).toMillis(),
                Duration.ofDays(7).toMillis()),
            PATIENCE_MILLIS);
  }

  static Answer look(Node node, OwnerKey owner, int number) {
    return node.users()
        .ask(
            owner,
            new Command.Look(new Command.Access(new SessionId(0, number), 1)),
            PATIENCE_MILLIS);
  }

  @Override
  public void close() {
    for (Member member : members) {
      if (!member.left.get()) {
        member.crash();
        member.node.close();
        member.journal.close();
      }
    }
  }
}
