package dev.holdfast.http;

import dev.holdfast.http.Call.RepeatFrom;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.PublicSessionId;
import dev.holdfast.user.Reply;
import io.helidon.http.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /v1/user/sessions}: all sessions of the user to whom the asking one belongs. */
final class UserRoutes {

  private UserRoutes() {}

  static List<Route> all() {
    return List.of(
        Route.session(Method.GET, "/v1/user/sessions", UserRoutes::list),
        Route.session(Method.DELETE, "/v1/user/sessions/{id}", UserRoutes::end),
        Route.session(Method.POST, "/v1/user/sessions/end-others", UserRoutes::endOthers));
  }

  private static Response list(Call call) {
    call.refusePreconditions();
    call.refuseBody();
    Reply reply = call.read(call.owner(), new Command.ListSessions(call.access()));
    if (reply instanceof Reply.Sessions sessions) {
      return Response.json(200, WireJson.sessions(call.owner(), sessions));
    }
    throw new IllegalStateException("a list is answered with " + reply.getClass());
  }

  private static Response end(Call call) {
    call.refuseBody();
    PublicSessionId id = parse(call.parameter("id"));
    // An id of another user, or one that was never given out, is looked for all the same: whether
    // the token is valid is told first.
    long tag = id != null && id.owner().equals(call.owner()) ? id.tag() : NO_TAG;
    return Answers.replayed(
        Answers.act(call, RepeatFrom.ANY_SESSION, new Action.EndSession(tag)), Response.of(204));
  }

  /** A tag that no session has: tags are 64 bits of a hash, and nobody finds the text of this. */
  private static final long NO_TAG = 0;

  private static Response endOthers(Call call) {
    call.optionalFields().end();
    var done = Answers.act(call, RepeatFrom.SESSION, new Action.EndOthers());
    return Answers.replayed(
        done,
        Response.json(200, WireJson.ended(Answers.outcome(done, Outcome.Ended.class).count())));
  }

  /** {@return the id that a text stands for, or null} */
  static @Nullable PublicSessionId parse(String text) {
    try {
      return PublicSessionId.parse(text);
    } catch (IllegalArgumentException none) {
      return null;
    }
  }
}
