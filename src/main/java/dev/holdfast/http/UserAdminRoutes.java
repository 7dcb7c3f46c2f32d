package dev.holdfast.http;

import dev.holdfast.feed.EventLog;
import dev.holdfast.user.Command;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.PublicSessionId;
import dev.holdfast.user.Reply;
import io.helidon.http.Method;
import java.util.List;

/**
 * {@code /v1/admin/users} and {@code /v1/admin/sessions}: what support and operators see of a user,
 * and end. The present is answered by the user's actor, as for everybody; the past by the journal.
 */
final class UserAdminRoutes {

  private static final String USER = "/v1/admin/users/{user}";
  private static final String SESSIONS = USER + "/sessions";
  private static final String SESSION = SESSIONS + "/{id}";
  private static final int MOST_EVENTS = 1_000;
  private static final int USUAL_EVENTS = 100;
  private static final long OLDEST = -1;

  private UserAdminRoutes() {}

  static List<Route> all(EventLog log) {
    return List.of(
        Route.admin(Method.GET, USER, Scope.USERS, call -> look(call, log)).taking("at").noted(),
        Route.admin(Method.DELETE, USER, Scope.ADMIN, UserAdminRoutes::erase).noted(),
        Route.admin(Method.GET, USER + "/history", Scope.USERS, call -> history(call, log))
            .taking("after", "limit")
            .noted(),
        Route.admin(Method.GET, SESSIONS, Scope.USERS, UserAdminRoutes::sessions).noted(),
        Route.admin(Method.DELETE, SESSIONS, Scope.ADMIN, UserAdminRoutes::endAll).noted(),
        Route.admin(Method.GET, SESSION, Scope.USERS, UserAdminRoutes::session).noted(),
        Route.admin(Method.DELETE, SESSION, Scope.ADMIN, UserAdminRoutes::endOne).noted(),
        Route.admin(Method.GET, "/v1/admin/sessions/{id}", Scope.USERS, UserAdminRoutes::anySession)
            .noted());
  }

  private static Response look(Call call, EventLog log) {
    call.refusePreconditions();
    String user = user(call);
    var owner = call.ofUser(user);
    Query query = call.query();
    Long moment = query.moment("at");
    query.end();
    if (moment == null) {
      return Response.json(200, WireJson.user(owner, inspected(call, owner)));
    }
    call.working();
    return switch (log.at(owner, moment)) {
      case EventLog.Past.Known(var state) when state.userId() != null ->
          Response.json(200, WireJson.user(owner, state));
      case EventLog.Past.Known _ -> throw noSuchUser();
      case EventLog.Past.Nobody _ -> throw noSuchUser();
      case EventLog.Past.Forgotten _ ->
          throw new Rejected(
              ProblemType.HISTORY_EXPIRED,
              "What is kept of the user does not reach back to that time.");
      case EventLog.Past.Ahead _ -> {
        query.wrong("at", "must not be in the future");
        query.end();
        throw new IllegalStateException("what is wrong is refused");
      }
    };
  }

  private static Response history(Call call, EventLog log) {
    call.refusePreconditions();
    String user = user(call);
    var query = call.query();
    long after = query.number("after", 0, Long.MAX_VALUE, OLDEST);
    int limit = (int) query.number("limit", 1, MOST_EVENTS, USUAL_EVENTS);
    query.end();
    call.working();
    return switch (log.history(call.ofUser(user), after, limit)) {
      case EventLog.History.Events(var events, boolean more) ->
          Response.json(200, WireEvents.history(events, more));
      case EventLog.History.Forgotten _ ->
          throw new Rejected(
              ProblemType.HISTORY_EXPIRED,
              "The event after number " + after + " is not kept any more.");
      case EventLog.History.Nobody _ -> throw noSuchUser();
    };
  }

  private static Response sessions(Call call) {
    call.refusePreconditions();
    var owner = call.ofUser(user(call));
    return Response.json(200, WireJson.sessionsOfUser(owner, inspected(call, owner)));
  }

  private static Response session(Call call) {
    call.refusePreconditions();
    var owner = call.ofUser(user(call));
    PublicSessionId id = UserRoutes.parse(call.parameter("id"));
    if (id == null || !id.owner().equals(owner)) {
      throw noSuchSession();
    }
    return sessionOf(call, id);
  }

  private static Response anySession(Call call) {
    call.refusePreconditions();
    call.refuseBody();
    PublicSessionId id = UserRoutes.parse(call.parameter("id"));
    if (id == null) {
      throw noSuchSession();
    }
    return sessionOf(call, id);
  }

  private static Response sessionOf(Call call, PublicSessionId id) {
    for (Reply.View view : inspect(call, id.owner()).sessions()) {
      if (view.session().id().tag() == id.tag()) {
        return Response.json(200, WireJson.session(id.owner(), view));
      }
    }
    throw noSuchSession();
  }

  private static Response endAll(Call call) {
    call.refusePreconditions();
    var owner = call.ofUser(user(call));
    return ended(
        call, call.change(owner, new Command.EndAll(call.identity(Call.RepeatFrom.ANY_SESSION))));
  }

  private static Response endOne(Call call) {
    call.refusePreconditions();
    var owner = call.ofUser(user(call));
    PublicSessionId id = UserRoutes.parse(call.parameter("id"));
    if (id == null || !id.owner().equals(owner)) {
      throw noSuchSession();
    }
    return ended(
        call,
        call.change(
            owner, new Command.EndOne(call.identity(Call.RepeatFrom.ANY_SESSION), id.tag())));
  }

  private static Response ended(Call call, Reply reply) {
    Reply.Done done = Answers.done(call, reply);
    return Answers.replayed(
        done,
        Response.json(200, WireJson.ended(Answers.outcome(done, Outcome.Ended.class).count())));
  }

  private static Response erase(Call call) {
    call.refusePreconditions();
    var owner = call.ofUser(user(call));
    Reply.Done done =
        Answers.done(
            call,
            call.change(owner, new Command.Erase(call.identity(Call.RepeatFrom.ANY_SESSION))));
    if (done.revision() == 0) {
      throw noSuchUser();
    }
    return Answers.replayed(
        done,
        Response.json(
            200,
            WireJson.erased(owner, done.revision(), Answers.outcome(done, Outcome.Erased.class))));
  }

  // ---------------------------------------------------------------------------------------------

  /** The user as they are now; somebody of whom nothing is left is nobody. */
  private static Reply.Inspected inspected(Call call, OwnerKey owner) {
    Reply.Inspected inspected = inspect(call, owner);
    if (inspected.userId() == null) {
      throw noSuchUser();
    }
    return inspected;
  }

  private static Reply.Inspected inspect(Call call, OwnerKey owner) {
    if (call.read(owner, new Command.Inspect()) instanceof Reply.Inspected inspected) {
      return inspected;
    }
    throw new IllegalStateException("an inspection is answered with something else");
  }

  private static String user(Call call) {
    call.refuseBody();
    String user = call.parameter("user");
    var place = Fields.Place.parameter("user");
    Readers.user(user, place);
    place.end();
    return user;
  }

  private static Rejected noSuchUser() {
    return new Rejected(ProblemType.NO_SUCH_USER, "Nothing is known of a user of that id.");
  }

  private static Rejected noSuchSession() {
    return new Rejected(ProblemType.NO_SUCH_SESSION, "There is no live session of that id.");
  }
}
