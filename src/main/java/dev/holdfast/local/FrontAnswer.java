package dev.holdfast.local;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.holdfast.http.ProblemType;
import java.nio.charset.StandardCharsets;

/**
 * What the front answers by itself, in the words of the API.
 *
 * @param detail a sentence for the caller
 * @param retry whether a repeat makes sense in a second
 */
record FrontAnswer(ProblemType type, String detail, boolean retry) {

  static FrontAnswer noNode() {
    return new FrontAnswer(
        ProblemType.NO_OWNER, "No node is ready at the moment. Nothing happened.", true);
  }

  /** The node went, or did not answer, with the request in hand. */
  static FrontAnswer outcomeUnknown(FrontRequest request) {
    return new FrontAnswer(
        ProblemType.OUTCOME_UNKNOWN,
        request.isSafe()
            ? "The node went away with the request in hand. Nothing was to be changed: repeat it."
            : "The node went away with the request in hand. The change may have happened. Repeat it"
                + " with the same Idempotency-Key, or read first.",
        request.isSafe());
  }

  static FrontAnswer refused(Head.Malformed why) {
    if (why instanceof Head.TooLarge large) {
      return large.isFirstLine()
          ? new FrontAnswer(ProblemType.URI_TOO_LONG, "The request line is too long.", false)
          : new FrontAnswer(ProblemType.HEADERS_TOO_LARGE, "The headers are too large.", false);
    }
    return new FrontAnswer(
        ProblemType.MALFORMED_REQUEST,
        "This is no request by the rules of HTTP/1.1: " + why.getMessage() + ".",
        false);
  }

  /**
   * {@return the whole answer}
   *
   * @param last whether the connection is closed behind it
   * @param headOnly as HEAD wants it
   */
  byte[] bytes(boolean last, boolean headOnly) {
    String body =
        "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}"
            .formatted(
                type.uri(),
                type.title(),
                type.status(),
                new String(JsonStringEncoder.getInstance().quoteAsString(detail)));
    String head =
        "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nContent-Length: %d\r\n%s%s\r\n"
            .formatted(
                type.status(),
                type.title(),
                body.getBytes(StandardCharsets.UTF_8).length,
                retry ? "Retry-After: 1\r\n" : "",
                last ? "Connection: close\r\n" : "");
    return (headOnly ? head : head + body).getBytes(StandardCharsets.UTF_8);
  }
}
