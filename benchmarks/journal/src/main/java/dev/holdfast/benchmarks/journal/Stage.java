package dev.holdfast.benchmarks.journal;

import com.typesafe.config.Config;
import dev.holdfast.benchmarks.journal.Contestant.Latencies;
import dev.holdfast.benchmarks.journal.Contestant.RecoveryOrder;
import dev.holdfast.benchmarks.journal.Contestant.RecoveryRound;
import dev.holdfast.benchmarks.journal.Contestant.WriteOrder;
import dev.holdfast.benchmarks.journal.Subject.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The actors and their load, the same for every journal.
 *
 * <p>The load costs little: an acknowledgement notes the time and tells the next actor, on the
 * thread on which it came.
 */
final class Stage implements AutoCloseable {

  private static final int PATIENCE_SECONDS = 60;

  /** Parents of the actors that recover, as a node has shards. */
  private static final int GROUPS = 100;

  private final ActorSystem<Task> system;
  private final Subject subject;

  /** Ends with the first failure of any actor. */
  private volatile CompletableFuture<Void> failure = new CompletableFuture<>();

  private List<ActorRef<Command>> writers = List.of();

  /** What a group is told to do. */
  private sealed interface Task {}

  /** Makes a group of actors that end together. */
  private record MakeGroup(CompletableFuture<ActorRef<Task>> group) implements Task {}

  private record End(ActorRef<Task> group, CompletableFuture<Void> ended) implements Task {}

  /** Makes an actor and sends it a message. */
  private record Make(String id, Command first, CompletableFuture<ActorRef<Command>> made)
      implements Task {}

  Stage(Config config, Subject subject) {
    this.subject = subject;
    this.system = ActorSystem.create(root(), "benchmark", config);
  }

  private Behavior<Task> root() {
    return Behaviors.setup(context ->
        Behaviors.receiveMessage(task -> {
          switch (task) {
            case MakeGroup make -> make.group.complete(context.spawnAnonymous(group()));
            case End end -> {
              CompletableFuture<Void> ended = end.ended;
              context.spawnAnonymous(
                  Behaviors.<Task>setup(watcher -> {
                    watcher.watch(end.group);
                    return Behaviors.receive(Task.class)
                        .onSignal(
                            org.apache.pekko.actor.typed.Terminated.class,
                            _ -> {
                              ended.complete(null);
                              return Behaviors.stopped();
                            })
                        .build();
                  }));
              context.stop(end.group);
            }
            case Make _ -> throw new IllegalStateException("only groups make actors");
          }
          return Behaviors.same();
        }));
  }

  private Behavior<Task> group() {
    return Behaviors.setup(context ->
        Behaviors.receiveMessage(task -> {
          switch (task) {
            case Make make -> {
              ActorRef<Command> made =
                  context.spawnAnonymous(
                      subject.of(make.id, cause -> failure.completeExceptionally(cause)));
              made.tell(make.first);
              make.made.complete(made);
            }
            case MakeGroup _, End _ -> throw new IllegalStateException("only the root does this");
          }
          return Behaviors.same();
        }));
  }

  private ActorRef<Task> makeGroup() throws Exception {
    var group = new CompletableFuture<ActorRef<Task>>();
    system.tell(new MakeGroup(group));
    return group.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private void end(ActorRef<Task> group) throws Exception {
    var ended = new CompletableFuture<Void>();
    system.tell(new End(group, ended));
    ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  /** Waits for {@code done}, for a failure, or for so long without the one or the other. */
  private void await(CountDownLatch done, long seconds) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (!done.await(20, TimeUnit.MILLISECONDS)) {
      if (failure.isDone()) {
        failure.get();
      }
      if (System.nanoTime() - end > 0) {
        throw new TimeoutException(done.getCount() + " are still awaited");
      }
    }
  }

  /** Makes the actors that write, and waits until each has recovered. */
  void open(int owners) throws Exception {
    var population = new Population(Population.WRITERS, owners);
    ActorRef<Task> group = makeGroup();
    List<CompletableFuture<ActorRef<Command>>> made = new ArrayList<>();
    for (int i = 0; i < owners; i++) {
      made.add(new CompletableFuture<>());
    }
    each(
        owners,
        256,
        600,
        (i, done) ->
            group.tell(new Make(population.id(i), new Command.Tell(_ -> done.run()), made.get(i))));
    List<ActorRef<Command>> all = new ArrayList<>();
    for (CompletableFuture<ActorRef<Command>> one : made) {
      all.add(one.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    }
    writers = List.copyOf(all);
  }

  @FunctionalInterface
  private interface Work {
    void on(int index, Runnable done);
  }

  /** Does {@code work} on each of 0 to {@code count}, {@code window} at a time. */
  private void each(int count, int window, long seconds, Work work) throws Exception {
    var next = new AtomicInteger();
    var left = new CountDownLatch(count);
    var start =
        new IntConsumer() {
          @Override
          public void accept(int index) {
            if (index < count) {
              work.on(
                  index,
                  () -> {
                    left.countDown();
                    accept(next.getAndIncrement());
                  });
            }
          }
        };
    for (int i = 0; i < window; i++) {
      start.accept(next.getAndIncrement());
    }
    await(left, seconds);
  }

  /** One event in hand at a time, of one of a few owners at random. */
  private static final class Loop {

    private final List<ActorRef<Command>> actors;
    private final SplittableRandom random;
    private final Clock clock;
    private final CountDownLatch ended;
    private final Samples samples = new Samples();
    private final Command persist = new Command.Persist(this::acknowledged);
    private long written;
    private long sent;

    Loop(
        List<ActorRef<Command>> actors,
        SplittableRandom random,
        Clock clock,
        CountDownLatch ended) {
      this.actors = actors;
      this.random = random;
      this.clock = clock;
      this.ended = ended;
    }

    void next() {
      sent = System.nanoTime();
      actors.get(random.nextInt(actors.size())).tell(persist);
    }

    private void acknowledged() {
      long now = System.nanoTime();
      written++;
      if (now - clock.begin >= 0 && now - clock.end < 0) {
        samples.add(now - sent);
      }
      if (now - clock.end < 0) {
        next();
      } else {
        ended.countDown();
      }
    }
  }

  private record Clock(long begin, long end) {}

  /**
   * What was written.
   *
   * @param written acknowledged in all
   */
  record Written(long written, double perSecond, Latencies latencies) {}

  /**
   * Writes in closed loops, one event in hand each.
   *
   * @param counted told when counting begins and when it ends
   */
  Written write(WriteOrder order, Runnable counted) throws Exception {
    int loops = order.loops();
    var ended = new CountDownLatch(loops);
    long now = System.nanoTime();
    long begin = now + TimeUnit.MILLISECONDS.toNanos(order.rampMillis());
    var clock = new Clock(begin, begin + TimeUnit.MILLISECONDS.toNanos(order.millis()));
    List<Loop> all = new ArrayList<>();
    for (int i = 0; i < loops; i++) {
      List<ActorRef<Command>> actors = new ArrayList<>();
      for (int j = i; j < writers.size(); j += loops) {
        actors.add(writers.get(j));
      }
      all.add(new Loop(List.copyOf(actors), new SplittableRandom(now + i), clock, ended));
    }
    for (Loop loop : all) {
      loop.next();
    }
    TimeUnit.NANOSECONDS.sleep(clock.begin - System.nanoTime());
    counted.run();
    TimeUnit.NANOSECONDS.sleep(clock.end - System.nanoTime());
    counted.run();
    await(ended, PATIENCE_SECONDS);
    long[] taken = Samples.all(all.stream().map(loop -> loop.samples).toList());
    return new Written(
        all.stream().mapToLong(loop -> loop.written).sum(),
        taken.length * 1e3 / order.millis(),
        Latencies.of(taken));
  }

  /** Reads owners ahead of their recovery. */
  interface ReadingAhead {
    void read(List<String> ids) throws Exception;
  }

  /**
   * Recovers owners, each by one message, and others one after another meanwhile.
   *
   * @param ahead for those whom nobody waits for
   */
  RecoveryRound recover(RecoveryOrder order, ReadingAhead ahead) throws Exception {
    var population = new Population(order.population(), order.count());
    var wrong = new LongAdder();
    List<ActorRef<Task>> crowd = new ArrayList<>();
    for (int i = 0; i < GROUPS; i++) {
      crowd.add(makeGroup());
    }
    ActorRef<Task> chosen = makeGroup();
    var crowdIsBack = new CountDownLatch(1);
    var probing = new CompletableFuture<Samples>();
    Thread.ofPlatform()
        .name("probes")
        .start(() -> {
          try {
            probing.complete(probe(order, chosen, crowdIsBack, wrong));
          } catch (Exception e) {
            probing.completeExceptionally(e);
          }
        });
    long began = System.nanoTime();
    Work recovering =
        (i, done) ->
            crowd
                .get(i % GROUPS)
                .tell(
                    new Make(
                        population.id(i),
                        new Command.Tell(state -> {
                          check(state, order.events(), wrong);
                          done.run();
                        }),
                        new CompletableFuture<>()));
    if (order.ahead() == 0) {
      each(order.count(), order.window(), 900, recovering);
    } else {
      behindOthers(order.count(), order.ahead(), population, ahead, recovering);
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    crowdIsBack.countDown();
    Samples probes = probing.get(900, TimeUnit.SECONDS);
    for (ActorRef<Task> group : crowd) {
      end(group);
    }
    end(chosen);
    if (wrong.sum() > 0) {
      throw new IllegalStateException(wrong.sum() + " owners came back other than they were");
    }
    return new RecoveryRound(
        order.count() / seconds, probes.count(), Latencies.of(Samples.all(List.of(probes))));
  }

  /** As the sweep of a node wakes users: read ahead some at a time, then as many in hand. */
  private static void behindOthers(
      int count, int atATime, Population population, ReadingAhead ahead, Work recovering)
      throws Exception {
    var inHand = new Semaphore(atATime);
    for (int i = 0; i < count; i += atATime) {
      int end = Math.min(count, i + atATime);
      ahead.read(IntStream.range(i, end).mapToObj(population::id).toList());
      for (int j = i; j < end; j++) {
        inHand.acquire();
        recovering.on(j, inHand::release);
      }
    }
    inHand.acquire(atATime);
  }

  /** Recovers owners again and again until it works. */
  void reconnect(RecoveryOrder order) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    boolean connected = false;
    while (!connected) {
      try {
        recover(order, _ -> {});
        connected = true;
      } catch (ExecutionException | TimeoutException notYet) {
        if (System.nanoTime() - end > 0) {
          throw notYet;
        }
        TimeUnit.MILLISECONDS.sleep(200);
        failure = new CompletableFuture<>();
      }
    }
  }

  private static void check(Subject.State state, int events, LongAdder wrong) {
    if (state.events() != events || state.snapshot().length != Payloads.SNAPSHOT.length) {
      wrong.increment();
    }
  }

  /**
   * One cold owner after another, each asked for at its time whether or not the last one is back.
   */
  private Samples probe(
      RecoveryOrder order, ActorRef<Task> group, CountDownLatch crowdIsBack, LongAdder wrong)
      throws Exception {
    var population = new Population(Population.PROBED, order.probes());
    List<CompletableFuture<Long>> answers = new ArrayList<>();
    long began = System.nanoTime();
    for (int i = 0; i < order.probes(); i++) {
      long due = began + TimeUnit.MILLISECONDS.toNanos(i * order.probeMillis());
      long wait = due - System.nanoTime();
      boolean over =
          order.count() > 0 && crowdIsBack.await(Math.max(0, wait), TimeUnit.NANOSECONDS);
      if (over) {
        break;
      }
      if (order.count() == 0) {
        TimeUnit.NANOSECONDS.sleep(wait);
      }
      var answer = new CompletableFuture<Long>();
      answers.add(answer);
      long sent = System.nanoTime();
      group.tell(
          new Make(
              population.id(i),
              new Command.Tell(state -> {
                answer.complete(System.nanoTime() - sent);
                check(state, order.events(), wrong);
              }),
              new CompletableFuture<>()));
    }
    var samples = new Samples();
    for (CompletableFuture<Long> answer : answers) {
      samples.add(answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    }
    return samples;
  }

  @Override
  public void close() {
    system.terminate();
    system
        .getWhenTerminated()
        .toCompletableFuture()
        .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
        .join();
  }
}
