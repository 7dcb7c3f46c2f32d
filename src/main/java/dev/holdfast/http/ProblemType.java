package dev.holdfast.http;

import java.util.Locale;

/**
 * The kinds of errors that the API answers with, as {@code openapi.yaml} lists them. Callers
 * program against {@link #uri()}, so a constant is never renamed.
 */
public enum ProblemType {
  MALFORMED_REQUEST(400, "The request cannot be read"),
  SESSION_INVALID(401, "No such session"),
  API_KEY_INVALID(401, "No valid API key"),
  FORBIDDEN(403, "Forbidden"),
  NO_SUCH_ROUTE(404, "No such route"),
  NO_SUCH_ATTRIBUTE(404, "No such attribute"),
  NO_SUCH_LINE(404, "No such line"),
  NO_SUCH_SESSION(404, "No such session"),
  NO_SUCH_NODE(404, "No such node"),
  NO_SUCH_USER(404, "No such user"),
  NO_SUCH_CONSUMER(404, "No such consumer"),
  METHOD_NOT_ALLOWED(405, "Method not allowed"),
  NOT_ACCEPTABLE(406, "Not acceptable"),
  CART_EMPTY(409, "The cart is empty"),
  CART_FULL(409, "The cart is full"),
  CURRENCY_MISMATCH(409, "Another currency"),
  QUANTITY_EXCEEDED(409, "Too many of one article"),
  USER_MISMATCH(409, "Another user's"),
  LOG_IN_OVERTAKEN(409, "Log-in overtaken"),
  HISTORY_EXPIRED(410, "History expired"),
  CURSOR_FOREIGN(410, "A cursor of another journal"),
  CONSUMER_LAPSED(410, "Consumer lapsed"),
  STALE_REVISION(412, "Stale revision"),
  TOO_LARGE(413, "Too large"),
  URI_TOO_LONG(414, "URI too long"),
  UNSUPPORTED_MEDIA_TYPE(415, "Unsupported media type"),
  INVALID_FIELDS(422, "Invalid fields"),
  IDEMPOTENCY_KEY_REUSED(422, "Idempotency key reused"),
  TOO_MANY_REQUESTS(429, "Too many requests"),
  RATE_EXCEEDED(429, "Too many requests of one caller"),
  HEADERS_TOO_LARGE(431, "Headers too large"),
  INTERNAL_ERROR(500, "Internal error"),
  USER_UNREADABLE(500, "User unreadable"),
  JOURNAL_UNAVAILABLE(503, "Journal unavailable"),
  OVERLOADED(503, "Overloaded"),
  NO_OWNER(503, "No owner yet"),
  NOT_HEALTHY(503, "Not healthy"),
  OUTCOME_UNKNOWN(504, "Outcome unknown");

  private final int status;
  private final String title;
  private final String uri;

  ProblemType(int status, String title) {
    this.status = status;
    this.title = title;
    this.uri = "urn:holdfast:problem:" + name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public int status() {
    return status;
  }

  public String title() {
    return title;
  }

  public String uri() {
    return uri;
  }
}
