package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.Line;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import java.util.List;
import java.util.Objects;

/** Somebody who holds a session's token, and asks with it. */
record Device(LiveUser user, SessionId session, int generation) {

  Access access() {
    return new Access(session, generation);
  }

  /** {@return the same session with the token of another generation} */
  Device with(int other) {
    return new Device(user, session, other);
  }

  // --- asks

  Reply looks() {
    return user.asks(new Command.Look(access()));
  }

  Reply.View watches() {
    return ((Reply.Seen) expecting(Reply.Seen.class, user.asks(new Command.Watch(access()))))
        .view();
  }

  Reply does(Action action) {
    return does(Requests.fresh(), action);
  }

  Reply does(Request request, Action action) {
    return does(request, Precondition.None.none(), action);
  }

  Reply does(Request request, Precondition precondition, Action action) {
    return user.asks(new Command.Act(access(), request, precondition, action));
  }

  /** Under a key of the caller's; the same action by the same session has the same fingerprint. */
  Reply doesKeyed(String key, Action action) {
    return does(keyed(key, action), action);
  }

  /** {@return the request that the key names when this session asks for that action} */
  Request keyed(String key, Action action) {
    return Requests.keyed(key, action.onCart() ? action : List.of(session, action));
  }

  // --- asks, and takes it that the answer is yes

  Reply.View sees() {
    return ((Reply.Seen) expecting(Reply.Seen.class, looks())).view();
  }

  Reply.Done did(Action action) {
    return done(does(action));
  }

  Reply.Done didKeyed(String key, Action action) {
    return done(doesKeyed(key, action));
  }

  Device rotated() {
    var rotated = (Outcome.Rotated) did(new Action.Rotate()).outcome();
    return with(rotated.generation());
  }

  /** {@return the sessions of the user, as this one sees them} */
  List<SessionId> lists() {
    var listed =
        (Reply.Sessions)
            expecting(Reply.Sessions.class, user.asks(new Command.ListSessions(access())));
    return listed.sessions().stream().map(view -> view.session().id()).toList();
  }

  List<Line> cart() {
    return sees().cart().lines();
  }

  // --- answers

  static Reply.Done done(Reply reply) {
    return (Reply.Done) expecting(Reply.Done.class, reply);
  }

  static Reply.View view(Reply.Done done) {
    return Objects.requireNonNull(done.view(), "the session is gone");
  }

  private static Reply expecting(Class<? extends Reply> kind, Reply reply) {
    assertThat(reply).isInstanceOf(kind);
    return reply;
  }
}
