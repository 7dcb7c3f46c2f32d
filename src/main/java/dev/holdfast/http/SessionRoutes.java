package dev.holdfast.http;

import dev.holdfast.cart.MergePolicy;
import dev.holdfast.http.Call.RepeatFrom;
import dev.holdfast.http.Fields.Place;
import dev.holdfast.http.WireJson.Merge;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import java.util.List;

/** {@code /v1/sessions} and {@code /v1/session}: one session, its attributes and its token. */
final class SessionRoutes {

  private static final String ATTRIBUTE = "/v1/session/attributes/{name}";

  private SessionRoutes() {}

  static List<Route> all() {
    return List.of(
        Route.application(Method.POST, "/v1/sessions", SessionRoutes::open),
        Route.session(Method.GET, "/v1/session", SessionRoutes::look),
        Route.session(Method.DELETE, "/v1/session", SessionRoutes::logOut),
        Route.session(Method.PATCH, "/v1/session/attributes", SessionRoutes::mergeAttributes),
        Route.session(Method.GET, ATTRIBUTE, SessionRoutes::attribute),
        Route.session(Method.PUT, ATTRIBUTE, SessionRoutes::putAttribute),
        Route.session(Method.DELETE, ATTRIBUTE, SessionRoutes::removeAttribute),
        Route.session(Method.POST, "/v1/session/login", SessionRoutes::logIn),
        Route.session(Method.POST, "/v1/session/rotate", SessionRoutes::rotate));
  }

  private static Response open(Call call) {
    call.refusePreconditions();
    var lifetimes = call.settings().lifetimes();
    var fields = call.optionalFields();
    var user = fields.optional("user", Readers.USER);
    var attributes = fields.optional("attributes", Readers.ATTRIBUTES);
    var idle =
        fields.optional(
            "idleTimeout", Readers.duration(lifetimes.leastIdle(), lifetimes.greatestIdle()));
    var absolute =
        fields.optional(
            "absoluteTimeout",
            Readers.duration(lifetimes.leastAbsolute(), lifetimes.greatestAbsolute()));
    fields.end();
    int most = call.settings().limits().attributesBytes();
    if (attributes.or(Json.Obj.empty()).size() > most) {
      throw new Rejected(
          ProblemType.TOO_LARGE,
          "The attributes of a session may take " + most + " bytes of JSON.");
    }
    Request request = call.identity(RepeatFrom.ANY_SESSION);
    String userId = user.orNull();
    OwnerKey owner = userId == null ? OwnerKey.ofOpening(request.id()) : call.ofUser(userId);
    var done =
        Answers.done(
            call,
            call.change(
                owner,
                new Command.Open(
                    request,
                    Answers.newSession(),
                    userId,
                    attributes.or(Json.Obj.empty()),
                    idle.or(lifetimes.idle().toMillis()),
                    absolute.or(lifetimes.absolute().toMillis()))));
    var opened = Answers.outcome(done, Outcome.Opened.class);
    String token = call.write(new SessionTokens.Token(owner, opened.session(), 1));
    return Answers.shown(
            done, Response.json(201, WireJson.sessionWithToken(owner, Answers.view(done), token)))
        .with("Location", "/v1/session")
        .with("Session-Token", token);
  }

  private static Response look(Call call) {
    call.refusePrecondition(HeaderNames.IF_MATCH);
    call.refuseBody();
    EntityTags held = call.held();
    Reply.View view = Answers.look(call);
    return held.names(view.revision())
        ? Answers.notModified(view.revision())
        : Response.json(200, WireJson.session(call.owner(), view))
            .with("ETag", EntityTags.of(view.revision()));
  }

  private static Response logOut(Call call) {
    call.refuseBody();
    return Answers.replayed(
        Answers.act(call, RepeatFrom.SESSION, new Action.LogOut()), Response.of(204));
  }

  private static Response mergeAttributes(Call call) {
    var place = Place.body();
    Json.Obj patch = Readers.ATTRIBUTES.read(call.mergePatch(), place);
    place.end();
    return session(call, new Action.MergeAttributes(Answers.read(patch)));
  }

  private static Response session(Call call, Action action) {
    var done = Answers.act(call, RepeatFrom.SESSION, action);
    return Answers.shown(
        done, Response.json(200, WireJson.session(call.owner(), Answers.view(done))));
  }

  private static Response attribute(Call call) {
    call.refusePrecondition(HeaderNames.IF_MATCH);
    call.refuseBody();
    EntityTags held = call.held();
    Reply.View view = Answers.look(call);
    Json value = view.session().attributes().get(call.parameter("name"));
    if (value == null) {
      throw new Rejected(
          ProblemType.NO_SUCH_ATTRIBUTE, "The session has no attribute of that name.");
    }
    return held.names(view.revision())
        ? Answers.notModified(view.revision())
        : Response.json(200, WireJson.attribute(value))
            .with("ETag", EntityTags.of(view.revision()));
  }

  private static Response putAttribute(Call call) {
    String name = call.parameter("name");
    if (!Readers.isAttributeName(name)) {
      var place = Place.parameter("name");
      place.wrong("must have 1 to 128 characters");
      place.end();
    }
    Json value = call.json();
    var done = Answers.act(call, RepeatFrom.SESSION, new Action.PutAttribute(name, value));
    byte[] body = WireJson.attribute(value);
    return done.outcome() instanceof Outcome.Created
        ? Answers.shown(done, Response.json(201, body))
            .with("Location", "/v1/session/attributes/" + PathSegment.encode(name))
        : Answers.shown(done, Response.json(200, body));
  }

  private static Response removeAttribute(Call call) {
    call.refuseBody();
    return Answers.replayed(
        Answers.act(call, RepeatFrom.SESSION, new Action.RemoveAttribute(call.parameter("name"))),
        Response.of(204));
  }

  private static Response logIn(Call call) {
    var fields = Fields.of(call.json(), Place.body());
    var user = fields.required("user", Readers.USER);
    var policy = fields.optional("merge", Readers.POLICY);
    fields.end();
    call.requireReadableHead();
    OwnerKey owner = call.ofUser(user.get());
    var done = logIn(call, owner, user.get(), policy.or(MergePolicy.SUM));
    return switch (done.outcome()) {
      case Outcome.LoggedIn loggedIn -> {
        Reply.View view =
            Answers.seen(call.readAfterChange(owner, new Command.LookUnused(loggedIn.session())));
        String token = call.write(new SessionTokens.Token(owner, loggedIn.session(), 1));
        yield Answers.shown(
                done,
                Response.json(
                    200,
                    WireJson.loggedIn(
                        owner, view, token, new Merge(loggedIn.policy(), loggedIn.report()))))
            .with("Session-Token", token);
      }
      // The session is the user's already.
      case Outcome.Rotated rotated -> {
        String token = rotatedToken(call, rotated);
        yield Answers.shown(
                done,
                Response.json(
                    200, WireJson.loggedIn(call.owner(), Answers.view(done), token, null)))
            .with("Session-Token", token);
      }
      case Outcome other -> throw new IllegalStateException("a log-in came to " + other);
    };
  }

  private static Reply.Done logIn(Call call, OwnerKey owner, String user, MergePolicy policy) {
    // Asked for before the log-in begins: if all sessions are ended in between, that wins.
    long epoch = Action.StartLogIn.NOT_ADMITTED;
    Rejected tooMany = null;
    try {
      epoch = Answers.epoch(call.read(owner, new Command.AskEpoch()));
    } catch (Rejected refused) {
      if (refused.problem().type() != ProblemType.TOO_MANY_REQUESTS) {
        throw refused;
      }
      tooMany = refused; // which is nothing to the repeat of a log-in that has happened
    }
    try {
      return Answers.act(
          call, RepeatFrom.TOKEN, new Action.StartLogIn(Answers.newSession(), user, epoch, policy));
    } catch (Rejected refused) {
      boolean forThat = refused.problem().type() == ProblemType.TOO_MANY_REQUESTS;
      throw tooMany != null && forThat ? tooMany : refused;
    }
  }

  private static Response rotate(Call call) {
    call.optionalFields().end();
    var done = Answers.act(call, RepeatFrom.TOKEN, new Action.Rotate());
    String token = rotatedToken(call, Answers.outcome(done, Outcome.Rotated.class));
    return Answers.shown(
            done,
            Response.json(200, WireJson.sessionWithToken(call.owner(), Answers.view(done), token)))
        .with("Session-Token", token);
  }

  private static String rotatedToken(Call call, Outcome.Rotated rotated) {
    return call.write(
        new SessionTokens.Token(call.owner(), rotated.session(), rotated.generation()));
  }
}
