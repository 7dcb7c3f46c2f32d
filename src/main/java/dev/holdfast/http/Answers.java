package dev.holdfast.http;

import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Reply;
import dev.holdfast.user.SessionId;
import io.helidon.http.HeaderNames;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** What the handlers of the routes have in common: asking for the session, and answering. */
final class Answers {

  private static final SecureRandom RANDOM = new SecureRandom();

  private Answers() {}

  static SessionId newSession() {
    return new SessionId(RANDOM.nextLong(), RANDOM.nextLong());
  }

  static byte[] random(int bytes) {
    byte[] random = new byte[bytes];
    RANDOM.nextBytes(random);
    return random;
  }

  /** {@return the session and cart of the one who asks} */
  static Reply.View look(Call call) {
    return seen(call.read(call.owner(), new Command.Look(call.access())));
  }

  /**
   * {@return what came of a change on behalf of the session that asks}
   *
   * @param from whom a repeat must come from
   */
  static Reply.Done act(Call call, Call.RepeatFrom from, Action action) {
    call.refusePrecondition(HeaderNames.IF_NONE_MATCH);
    return done(
        call,
        call.change(
            call.owner(),
            new Command.Act(call.access(), call.identity(from), call.precondition(), action)));
  }

  static Reply.View seen(Reply reply) {
    if (reply instanceof Reply.Seen(var view)) {
      return view;
    }
    throw new IllegalStateException("a look is answered with " + reply.getClass());
  }

  static long epoch(Reply reply) {
    if (reply instanceof Reply.Epoch(long epoch)) {
      return epoch;
    }
    throw new IllegalStateException("a user answers with the epoch when asked for it");
  }

  /** {@return what came of a change; a repeat only if it is the caller's own, by its key} */
  static Reply.Done done(Call call, Reply reply) {
    if (reply instanceof Reply.Done done) {
      return done.replayed() && !call.isKeyed()
          ? new Reply.Done(done.outcome(), false, done.revision(), done.view())
          : done;
    }
    throw new IllegalStateException("a change is answered with " + reply.getClass());
  }

  static <T extends Outcome> T outcome(Reply.Done done, Class<T> kind) {
    return kind.cast(done.outcome());
  }

  /**
   * {@return the view of a change}
   *
   * @throws Rejected with 504 if this server's own repeat finds that the change took effect and the
   *     session has ended since: there is nothing left to show, and a 401 would say that nothing
   *     happened
   */
  static Reply.View view(Reply.Done done) {
    if (done.view() == null) {
      throw new Rejected(Problems.outcomeUnknown());
    }
    return done.view();
  }

  /** {@return the value of a reader whose place has ended well} */
  static <T> T read(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("a reader that gives nothing says what is wrong");
    }
    return value;
  }

  /**
   * {@return the answer with the revision that the change made and, where it is one, as a repeat}
   */
  static Response shown(Reply.Done done, Response response) {
    return replayed(done, response).with("ETag", EntityTags.of(done.revision()));
  }

  static Response replayed(Reply.Done done, Response response) {
    return done.replayed() ? response.with("Idempotent-Replayed", "true") : response;
  }

  static Response notModified(long revision) {
    return Response.of(304).with("ETag", EntityTags.of(revision));
  }
}
