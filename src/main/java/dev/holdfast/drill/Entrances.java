package dev.holdfast.drill;

import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.NoAnswer;
import dev.holdfast.drill.ApiClient.Sent;
import dev.holdfast.drill.Sample.Came;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Where the load enters: at all nodes that say that they are ready, in turn, as behind an ordinary
 * load balancer. A node is asked every 200 ms, and is left out as soon as it refuses, says no, or
 * says nothing for a second. A caller who waits for a node that is left out since it does not
 * answer gives it up, as one does whose connection is cut.
 *
 * <p>Nothing is sent twice by itself, but what could not be sent, since nobody listened, is sent to
 * the next node.
 */
final class Entrances implements AutoCloseable {

  private static final Duration HEALTH_PATIENCE = Duration.ofSeconds(1);
  private static final long HEALTH_PAUSE_NANOS = 200_000_000;
  private static final long NOBODY_PAUSE_NANOS = 20_000_000;

  private static final class Entrance {
    private final String node;
    private final URI url;
    private volatile boolean ready;
    private volatile boolean cutOff;
    private volatile boolean gone;

    /** Completed when the node is left out for its silence; then there is a new one. */
    private volatile CompletableFuture<Sent> silent = new CompletableFuture<>();

    Entrance(String node, URI url) {
      this.node = node;
      this.url = url;
    }
  }

  private final List<Entrance> all = new CopyOnWriteArrayList<>();
  private final ConcurrentLinkedQueue<Sample> samples = new ConcurrentLinkedQueue<>();
  private final AtomicInteger turn = new AtomicInteger();
  private volatile boolean closed;

  /** A further node; it is asked at once whether it is ready. */
  void add(DrillNode node) {
    var entrance = new Entrance(node.name(), node.http());
    all.add(entrance);
    Thread.ofVirtual().start(() -> watch(entrance));
  }

  /** A node that is there no more. */
  void remove(String node) {
    for (Entrance entrance : all) {
      if (entrance.node.equals(node)) {
        entrance.gone = true;
        entrance.ready = false;
      }
    }
    all.removeIf(entrance -> entrance.gone);
  }

  /** The load balancer does not reach it any more, though others may. */
  void cutOff(String node, boolean cut) {
    for (Entrance entrance : all) {
      if (entrance.node.equals(node)) {
        entrance.cutOff = cut;
      }
    }
  }

  private void watch(Entrance entrance) {
    while (!closed && !entrance.gone) {
      Sent sent = ApiClient.sendTo(entrance.url, Call.get("/health/ready"), HEALTH_PATIENCE);
      switch (sent) {
        case Answer answer when !entrance.cutOff -> entrance.ready = answer.ok();
        case NoAnswer no when no.why() instanceof ConnectException && !entrance.cutOff ->
            entrance.ready = false;
        case Answer answer -> silent(entrance, answer.begun());
        case NoAnswer no -> silent(entrance, no.begun());
      }
      LockSupport.parkNanos(HEALTH_PAUSE_NANOS);
    }
  }

  private static void silent(Entrance entrance, long since) {
    entrance.ready = false;
    CompletableFuture<Sent> before = entrance.silent;
    entrance.silent = new CompletableFuture<>();
    before.complete(
        new NoAnswer(
            new IOException(entrance.node + " does not answer"), since, System.nanoTime()));
  }

  /** {@return all that was sampled since the last time this was asked} */
  List<Sample> drain() {
    var drained = new ArrayList<Sample>();
    for (Sample sample = samples.poll(); sample != null; sample = samples.poll()) {
      drained.add(sample);
    }
    return drained;
  }

  /**
   * {@return the way in for one user's requests}
   *
   * @param user a number from 0, or -1 for visitors
   */
  Api of(int user) {
    return call -> send(user, call);
  }

  private Sent send(int user, Call call) {
    long begun = System.nanoTime();
    long end = begun + ApiClient.PATIENCE.toNanos();
    while (true) {
      Entrance entrance = next(end);
      Sent sent = sendTo(entrance, call);
      Came came = came(sent);
      if (came == Came.NOT_SENT && System.nanoTime() - end > 0) {
        came = Came.GIVEN_UP;
      }
      samples.add(sample(user, entrance, begun, sent, came));
      switch (came) {
        case NOT_SENT -> entrance.ready = false;
        case DONE, REFUSED, UNAVAILABLE, UNKNOWN, BROKEN, GIVEN_UP -> {
          return sent;
        }
      }
    }
  }

  /** {@return a node that is ready; when {@code end} has come, any} */
  private Entrance next(long end) {
    while (true) {
      List<Entrance> ready = all.stream().filter(entrance -> entrance.ready).toList();
      if (!ready.isEmpty()) {
        return ready.get(Math.floorMod(turn.getAndIncrement(), ready.size()));
      }
      if (System.nanoTime() - end > 0) {
        return all.get(Math.floorMod(turn.getAndIncrement(), all.size()));
      }
      LockSupport.parkNanos(NOBODY_PAUSE_NANOS);
    }
  }

  private static Sent sendTo(Entrance entrance, Call call) {
    CompletableFuture<Sent> silent = entrance.silent;
    var came = new CompletableFuture<Sent>();
    long begun = System.nanoTime();
    Thread.ofVirtual()
        .start(() -> came.complete(ApiClient.sendTo(entrance.url, call, ApiClient.PATIENCE)));
    Sent first = (Sent) CompletableFuture.anyOf(came, silent).join();
    return first instanceof NoAnswer(IOException why, long _, long ended)
        ? new NoAnswer(why, begun, ended)
        : first;
  }

  private static Sample sample(int user, Entrance entrance, long begun, Sent sent, Came came) {
    return switch (sent) {
      case Answer answer ->
          new Sample(
              user,
              begun,
              answer.ended(),
              entrance.node,
              answer.header("Holdfast-Owner"),
              came,
              answer.status() >= 500 ? answer.status() + " " + answer.problem() : "");
      case NoAnswer no ->
          new Sample(user, begun, no.ended(), entrance.node, "", came, no.why().toString());
    };
  }

  private static Came came(Sent sent) {
    return switch (sent) {
      case Answer answer -> came(answer);
      case NoAnswer no -> came(no);
    };
  }

  private static Came came(Answer answer) {
    if (answer.status() < 400) {
      return Came.DONE;
    }
    if (answer.status() < 500) {
      return Came.REFUSED;
    }
    return answer.status() == 503 ? Came.UNAVAILABLE : Came.UNKNOWN;
  }

  private static Came came(NoAnswer no) {
    if (no.why() instanceof ConnectException) {
      return Came.NOT_SENT;
    }
    return String.valueOf(no.why().getMessage()).endsWith("does not answer")
        ? Came.GIVEN_UP
        : Came.BROKEN;
  }

  @Override
  public void close() {
    closed = true;
  }
}
