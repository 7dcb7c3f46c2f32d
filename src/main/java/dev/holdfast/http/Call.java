package dev.holdfast.http;

import dev.holdfast.cluster.Users;
import dev.holdfast.entity.Answer;
import dev.holdfast.http.Fields.Place;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One request in hand: what it says, read strictly, and the way to the users that it concerns. For
 * the one thread that handles the request.
 */
final class Call implements AutoCloseable {

  static final HeaderName SESSION_TOKEN = HeaderNames.create("Session-Token");
  private static final HeaderName IDEMPOTENCY_KEY = HeaderNames.create("Idempotency-Key");
  private static final int MAX_KEY = 128;
  private static final String MERGE_PATCH = "application/merge-patch+json";
  private static final byte[] NO_BODY = {};
  private static final SecureRandom RANDOM = new SecureRandom();

  /** What all calls share. */
  record Server(
      HttpSettings settings,
      AcceptedKeys keys,
      Users users,
      SessionTokens tokens,
      OwnerKeys owners,
      Semaphore inHand) {}

  /** Whom the repeat of a request must come from, or else it is another request. */
  enum RepeatFrom {
    /** Any session of the user. */
    ANY_SESSION,
    /** The same session, since the answer is about it. */
    SESSION,
    /** The same token, since the answer holds the next one. */
    TOKEN
  }

  private final Server server;
  private final ServerRequest request;
  private final Route route;
  private final Map<String, String> parameters;
  private final ApiKeys.Caller caller;
  private final SessionTokens.@Nullable Token token;
  private final Query query;
  private final long startedAt = System.nanoTime();
  private byte @Nullable [] body;
  private boolean admitted;
  private @Nullable String ownersNode;

  /**
   * @param token null on routes that need none
   */
  Call(
      Server server,
      ServerRequest request,
      Routes.Match match,
      ApiKeys.Caller caller,
      SessionTokens.@Nullable Token token,
      Query query) {
    this.query = query;
    this.server = server;
    this.request = request;
    this.route = match.route();
    this.parameters = match.parameters();
    this.caller = caller;
    this.token = token;
  }

  // ---------------------------------------------------------------------------------------------
  // What the request says

  HttpSettings settings() {
    return server.settings();
  }

  /** {@return what stands for a variable of the route's template} */
  String parameter(String name) {
    String value = parameters.get(name);
    if (value == null) {
      throw new IllegalStateException(route.name() + " has no {" + name + "}");
    }
    return value;
  }

  Query query() {
    return query;
  }

  /** {@return the owner key of a known user} */
  OwnerKey ofUser(String userId) {
    return server.owners().ofUser(userId);
  }

  ApiKeys.Caller caller() {
    return caller;
  }

  /** The request is whole, and what it asks for may take its time. */
  void working() {
    Connection.current().working();
  }

  /** {@return the media type to answer with, of those that the route produces} */
  String accepted() {
    return MediaTypes.accepted(
        route.produces(), request.headers().all(HeaderNames.ACCEPT, List::of));
  }

  /** {@return the one value of a header, or null if it is absent} */
  @Nullable String header(HeaderName name) {
    return header(request, name);
  }

  static @Nullable String header(ServerRequest request, HeaderName name) {
    List<String> values = request.headers().all(name, List::of);
    if (values.size() > 1) {
      throw new Rejected(
          ProblemType.MALFORMED_REQUEST, "The header " + name.defaultCase() + " is there twice.");
    }
    return values.isEmpty() ? null : values.getFirst();
  }

  /**
   * {@return what {@code If-Match} requires}
   *
   * @throws Rejected with 400 if it is not by the grammar
   */
  Precondition precondition() {
    EntityTags tags = entityTags(HeaderNames.IF_MATCH);
    return tags == null ? Precondition.None.none() : tags.required();
  }

  /**
   * {@return what the caller holds already, by {@code If-None-Match}}
   *
   * @throws Rejected with 400 if it is not by the grammar
   */
  EntityTags held() {
    EntityTags tags = entityTags(HeaderNames.IF_NONE_MATCH);
    return tags == null ? EntityTags.none() : tags;
  }

  private @Nullable EntityTags entityTags(HeaderName name) {
    List<String> values = request.headers().all(name, List::of);
    if (values.isEmpty()) {
      return null;
    }
    EntityTags tags = EntityTags.parse(String.join(", ", values));
    if (tags == null) {
      throw new Rejected(
          ProblemType.MALFORMED_REQUEST,
          name.defaultCase() + " must be entity tags, such as \"8\", or *.");
    }
    return tags;
  }

  /** Refuses a precondition on an operation that has no use for one; it must not be ignored. */
  void refusePrecondition(HeaderName name) {
    if (request.headers().contains(name)) {
      throw new Rejected(
          ProblemType.MALFORMED_REQUEST, "This call takes no " + name.defaultCase() + ".");
    }
  }

  /** Refuses preconditions on an operation that has no use for them. */
  void refusePreconditions() {
    refusePrecondition(HeaderNames.IF_MATCH);
    refusePrecondition(HeaderNames.IF_NONE_MATCH);
  }

  /** Refuses a body on an operation that takes none. */
  void refuseBody() {
    if (read().length > 0) {
      throw new Rejected(ProblemType.MALFORMED_REQUEST, "This call takes no body.");
    }
  }

  /** {@return the body of an operation that needs one} */
  Json json() {
    return json(Response.JSON);
  }

  /** {@return the body of an operation that takes a merge patch} */
  Json mergePatch() {
    return json(MERGE_PATCH);
  }

  /** {@return the body's fields; without a body there are none} */
  Fields optionalFields() {
    return read().length == 0
        ? Fields.of(Json.Obj.empty(), Place.body())
        : Fields.of(json(), Place.body());
  }

  private Json json(String mediaType) {
    // The header is looked at first: what is sent as something else is not read at all.
    // A merge patch that is sent as plain JSON is one all the same: nothing else is patched here.
    String contentType = header(HeaderNames.CONTENT_TYPE);
    if (!MediaTypes.isJson(mediaType, contentType)
        && !MediaTypes.isJson(Response.JSON, contentType)) {
      Problem problem =
          Problem.of(
              ProblemType.UNSUPPORTED_MEDIA_TYPE, "Send the body as " + mediaType + " in UTF-8.");
      throw new Rejected(
          problem.with(mediaType.equals(MERGE_PATCH) ? "Accept-Patch" : "Accept", mediaType));
    }
    return StrictJson.read(read());
  }

  private byte[] read() {
    byte[] read = body;
    if (read == null) {
      int most = settings().bounds().bodyBytes();
      if (!request.content().hasEntity()) {
        body = NO_BODY;
        return body;
      }
      long told = request.headers().contentLength().orElse(most);
      try (InputStream in = request.content().inputStream()) {
        // One more than is told to come, and no more: room for all of it is made beforehand.
        read = in.readNBytes((int) Math.min(told, most) + 1);
      } catch (DataReader.InsufficientDataAvailableException gone) {
        throw new CloseConnectionException("the caller left in the middle of the body", gone);
      } catch (IOException e) {
        throw new UncheckedIOException("reading the body", e);
      }
      if (read.length > most) {
        throw tooLarge(most);
      }
      body = read;
    }
    return read;
  }

  static Rejected tooLarge(int most) {
    return new Rejected(ProblemType.TOO_LARGE, "A body may have " + most + " bytes.");
  }

  // ---------------------------------------------------------------------------------------------
  // Who asks

  /** {@return the session's token; for routes that need one} */
  SessionTokens.Token token() {
    if (token == null) {
      throw new IllegalStateException(route.name() + " needs no token");
    }
    return token;
  }

  /**
   * {@return whether this request would be let in now as it was at its time} Its API key or the key
   * of its token may have been taken back since.
   */
  boolean isStillAdmitted() {
    Scope scope = route.scope();
    try {
      if (scope != null) {
        server.keys().current().caller(header(HeaderNames.AUTHORIZATION), scope);
      }
    } catch (Rejected refused) {
      return false;
    }
    return token == null || server.tokens().read(header(SESSION_TOKEN)) != null;
  }

  OwnerKey owner() {
    return token().owner();
  }

  Command.Access access() {
    return new Command.Access(token().session(), token().generation());
  }

  String write(SessionTokens.Token other) {
    return server.tokens().write(other);
  }

  // ---------------------------------------------------------------------------------------------
  // What makes it repeatable

  /**
   * {@return the request's identity: from the caller's key if there is one, which is good for the
   * same API key and route; else random} The fingerprint covers the path and the body.
   *
   * @param from whom a repeat must come from
   */
  Request identity(RepeatFrom from) {
    String key = key();
    if (key == null) {
      return new Request(new RequestId(RANDOM.nextLong(), RANDOM.nextLong()), 0, false);
    }
    ByteBuffer id = hash(caller.scope(), route.name(), key);
    MessageDigest fingerprint = Hashes.sha256();
    fingerprint.update(request.path().rawPath().getBytes(StandardCharsets.UTF_8));
    fingerprint.update((byte) 0);
    String asker =
        switch (from) {
          case ANY_SESSION -> "";
          case SESSION -> token().session().toString();
          case TOKEN -> token().session() + " " + token().generation();
        };
    fingerprint.update(asker.getBytes(StandardCharsets.UTF_8));
    fingerprint.update((byte) 0);
    fingerprint.update(read());
    return new Request(
        new RequestId(id.getLong(), id.getLong()),
        ByteBuffer.wrap(fingerprint.digest()).getLong(),
        true);
  }

  /** {@return whether the caller has given a key, by which it may repeat the request} */
  boolean isKeyed() {
    return request.headers().contains(IDEMPOTENCY_KEY);
  }

  private @Nullable String key() {
    String key = header(IDEMPOTENCY_KEY);
    if (key != null
        && (key.isEmpty()
            || key.length() > MAX_KEY
            || !key.chars().allMatch(c -> c > ' ' && c < 127))) {
      throw new Rejected(
          ProblemType.MALFORMED_REQUEST,
          "Idempotency-Key must be 1 to " + MAX_KEY + " visible ASCII characters.");
    }
    return key;
  }

  /**
   * Refuses a key or a precondition that cannot be read; for handlers that ask somebody before they
   * come to the change itself.
   */
  void requireReadableHead() {
    var _ = key();
    var _ = precondition();
  }

  private static ByteBuffer hash(String... parts) {
    MessageDigest digest = Hashes.sha256();
    for (String part : parts) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    return ByteBuffer.wrap(digest.digest());
  }

  // ---------------------------------------------------------------------------------------------
  // The users

  /**
   * Asks for something that changes nothing that would matter if the answer were lost.
   *
   * @throws Rejected if the user refuses or cannot be asked
   */
  Reply read(OwnerKey owner, Command command) {
    return switch (ask(owner, command)) {
      case Answer.Answered answered -> accepted(answered.reply());
      case Answer.Unavailable unavailable -> throw new Rejected(Problems.of(unavailable));
      case Answer.Unreadable _ -> throw new Rejected(Problems.userUnreadable());
      case Answer.Unknown _ ->
          throw new Rejected(Problems.noOwner().retryAfterMillis(TimeUnit.SECONDS.toMillis(1)));
    };
  }

  /**
   * Asks for a change.
   *
   * @throws Rejected if the user refuses, cannot be asked, or has not answered in time
   */
  Reply change(OwnerKey owner, Command command) {
    return switch (ask(owner, command)) {
      case Answer.Answered answered -> accepted(answered.reply());
      case Answer.Unavailable unavailable -> throw new Rejected(Problems.of(unavailable));
      case Answer.Unreadable _ -> throw new Rejected(Problems.userUnreadable());
      case Answer.Unknown _ -> throw new Rejected(Problems.outcomeUnknown());
    };
  }

  /**
   * Asks for what belongs to the answer of a change that has happened. If it cannot be had, the
   * caller cannot be told that nothing happened.
   */
  Reply readAfterChange(OwnerKey owner, Command command) {
    return switch (ask(owner, command)) {
      case Answer.Answered answered -> accepted(answered.reply());
      case Answer.Unavailable _ -> throw new Rejected(Problems.outcomeUnknown());
      case Answer.Unreadable _ -> throw new Rejected(Problems.outcomeUnknown());
      case Answer.Unknown _ -> throw new Rejected(Problems.outcomeUnknown());
    };
  }

  private Answer ask(OwnerKey owner, Command command) {
    // The place in hand is taken as late as this, so that senders of slow bodies hold none.
    if (!admitted) {
      if (!server.inHand().tryAcquire()) {
        return new Answer.Unavailable(Answer.Cause.OVERLOADED, TimeUnit.SECONDS.toMillis(1));
      }
      admitted = true;
      Connection.current().working();
    }
    long spent = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedAt);
    long left = settings().bounds().deadline().toMillis() - spent;
    Answer answer = server.users().ask(owner, command, Math.max(1, left));
    if (answer instanceof Answer.Answered answered) {
      ownersNode = answered.node();
    }
    return answer;
  }

  private static Reply accepted(Reply reply) {
    if (reply instanceof Reply.Refused(var refusal)) {
      throw new Rejected(Problems.of(refusal));
    }
    return reply;
  }

  /** {@return the name of the node whose user had a say in the answer; null if none had} */
  @Nullable String ownersNode() {
    return ownersNode;
  }

  @Override
  public void close() {
    if (admitted) {
      server.inHand().release();
    }
  }
}
