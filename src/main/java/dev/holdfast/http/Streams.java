package dev.holdfast.http;

import dev.holdfast.cluster.Changes;
import dev.holdfast.cluster.Users;
import dev.holdfast.entity.Answer;
import dev.holdfast.feed.EventLog;
import dev.holdfast.user.Command;
import dev.holdfast.user.Reply;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/session/events}: all streams of changes that are open on this node. */
final class Streams implements AutoCloseable {

  static final String EVENT_STREAM = "text/event-stream";
  private static final HeaderName LAST_EVENT_ID = HeaderNames.create("Last-Event-ID");
  private static final long RETRY_MILLIS = TimeUnit.SECONDS.toMillis(1);

  private final Users users;
  private final Changes changes;
  private final EventLog log;
  private final HttpSettings.Bounds bounds;
  private final Semaphore room;
  private final Set<SessionStream> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  Streams(
      Users users,
      Changes changes,
      EventLog log,
      HttpSettings.Bounds bounds,
      MeterRegistry metrics) {
    this.users = users;
    this.changes = changes;
    this.log = log;
    this.bounds = bounds;
    this.room = new Semaphore(bounds.streams());
    Gauge.builder("holdfast.http.streams", open, Set::size)
        .description("Open streams of changes")
        .register(metrics);
  }

  Route route() {
    return Route.session(Method.GET, "/v1/session/events", List.of(EVENT_STREAM), this::open);
  }

  private Response open(Call call) {
    call.refusePreconditions();
    call.refuseBody();
    Long seen = seen(call);
    if (closed || !room.tryAcquire()) {
      throw new Rejected(Problems.overloaded().retryAfterMillis(RETRY_MILLIS));
    }
    var watch = new Command.Watch(call.access());
    var stream =
        new SessionStream(
            new SessionStream.Watched(
                call.owner(),
                call.access().session(),
                call.access().generation(),
                log,
                () -> view(call, watch),
                call::isStillAdmitted),
            bounds.heartbeat().toMillis());
    open.add(stream);
    Changes.Subscription subscription = changes.listen(call.owner(), stream);
    boolean begun = false;
    try {
      Reply.View view = Answers.seen(call.read(call.owner(), watch));
      if (!call.isStillAdmitted()) {
        stream.close(); // since it was let in, and before it could be found among the open ones
      }
      begun = true;
      return Response.of(EVENT_STREAM, new Opened(stream, subscription, view, seen));
    } finally {
      if (!begun) {
        end(stream, subscription);
      }
    }
  }

  /** {@return the session as it is now, or null if it is over or cannot be seen} */
  private Reply.@Nullable View view(Call call, Command.Watch watch) {
    Answer answer = users.ask(call.owner(), watch, bounds.deadline().toMillis());
    return answer instanceof Answer.Answered(Reply.Seen(var view), _) ? view : null;
  }

  private static @Nullable Long seen(Call call) {
    String id = call.header(LAST_EVENT_ID);
    if (id == null || id.isEmpty()) {
      return null;
    }
    if (!id.matches("0|[1-9][0-9]{0,17}")) {
      throw new Rejected(
          ProblemType.MALFORMED_REQUEST, "Last-Event-ID must be the id of an event of the stream.");
    }
    return Long.parseLong(id);
  }

  private void end(SessionStream stream, Changes.Subscription subscription) {
    subscription.close();
    open.remove(stream);
    room.release();
  }

  /** A stream that has begun. */
  private final class Opened implements Response.Stream {
    private final SessionStream stream;
    private final Changes.Subscription subscription;
    private final Reply.View view;
    private final @Nullable Long seen;

    Opened(
        SessionStream stream,
        Changes.Subscription subscription,
        Reply.View view,
        @Nullable Long seen) {
      this.stream = stream;
      this.subscription = subscription;
      this.view = view;
      this.seen = seen;
    }

    @Override
    public void run(SessionStream.Sink sink) throws IOException {
      if (closed) {
        stream.close();
      }
      stream.run(view, seen, sink);
    }

    @Override
    public void close() {
      end(stream, subscription);
    }
  }

  /** Ends those whose request would not be let in any more: their callers learn why. */
  void endRefused() {
    for (SessionStream stream : open) {
      if (!stream.isStillAdmitted()) {
        stream.close();
      }
    }
  }

  /** Ends all streams: their callers come back, to another node. */
  @Override
  public void close() {
    closed = true;
    open.forEach(SessionStream::close);
  }
}
