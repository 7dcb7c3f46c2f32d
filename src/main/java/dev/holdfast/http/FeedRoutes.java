package dev.holdfast.http;

import dev.holdfast.feed.Cursor;
import dev.holdfast.feed.EventLog;
import io.helidon.http.Method;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code /v1/admin/feed}: all events in one order, and who reads them. */
final class FeedRoutes {

  private static final String FEED = "/v1/admin/feed";
  private static final int MOST_EVENTS = 1_000;
  private static final int USUAL_EVENTS = 100;
  private static final long LONGEST_WAIT = TimeUnit.SECONDS.toMillis(30);
  private static final String NAME = "[A-Za-z0-9._-]{1,64}";

  private FeedRoutes() {}

  static List<Route> all(EventLog log) {
    return List.of(
        Route.admin(Method.GET, FEED, Scope.FEED, call -> read(call, log))
            .taking("after", "limit", "wait", "consumer"),
        Route.admin(Method.GET, FEED + "/consumers", Scope.FEED, call -> consumers(call, log)),
        Route.admin(
                Method.DELETE, FEED + "/consumers/{name}", Scope.ADMIN, call -> forget(call, log))
            .noted());
  }

  private static Response read(Call call, EventLog log) {
    call.refusePreconditions();
    call.refuseBody();
    var query = call.query();
    var reading =
        new EventLog.Reading(
            consumer(query),
            cursor(query),
            (int) query.number("limit", 1, MOST_EVENTS, USUAL_EVENTS),
            query.duration("wait", LONGEST_WAIT, 0));
    query.end();
    call.working();
    return switch (log.feed(reading)) {
      case EventLog.Feed.Events page ->
          Response.json(200, WireEvents.feed(page.events(), page.next(), page.more()));
      case EventLog.Feed.Forgotten _ ->
          throw new Rejected(
              ProblemType.HISTORY_EXPIRED,
              "Events after this cursor are not kept any more. Begin anew without one.");
      case EventLog.Feed.Foreign _ ->
          throw new Rejected(
              ProblemType.CURSOR_FOREIGN,
              "The cursor is of another journal, or this one was put back to an earlier state."
                  + " Begin anew without one.");
      case EventLog.Feed.Lapsed _ ->
          throw new Rejected(
              ProblemType.CONSUMER_LAPSED,
              "The consumer was behind for so long that its events are not kept any more. Delete"
                  + " it, and begin anew.");
    };
  }

  private static @Nullable String consumer(Query query) {
    String name = query.text("consumer");
    if (name != null && !name.matches(NAME)) {
      query.wrong("consumer", "must be 1 to 64 letters, digits, dots, hyphens or underscores");
    }
    return name;
  }

  private static @Nullable Cursor cursor(Query query) {
    String text = query.text("after");
    if (text == null) {
      return null;
    }
    try {
      return Cursor.parse(text);
    } catch (IllegalArgumentException e) {
      query.wrong("after", "must be a cursor that the feed gave");
      return null;
    }
  }

  private static Response consumers(Call call, EventLog log) {
    call.refusePreconditions();
    call.refuseBody();
    call.working();
    return Response.json(200, WireEvents.consumers(log.consumers()));
  }

  private static Response forget(Call call, EventLog log) {
    call.refusePreconditions();
    call.refuseBody();
    call.working();
    if (!log.forget(call.parameter("name"))) {
      throw new Rejected(ProblemType.NO_SUCH_CONSUMER, "The feed has no consumer of that name.");
    }
    return Response.of(204);
  }
}
