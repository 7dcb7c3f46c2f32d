package dev.holdfast.local;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A request as the front takes it: one that every node would read in the same way.
 *
 * @param framing of its body; never until the end
 */
record FrontRequest(Head head, String method, Framing framing) {

  private static final Pattern LINE = Pattern.compile("(\\S+) (/[!-~]*) HTTP/1\\.1");

  /** Nothing that could stand for something else where it is quoted. */
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._~\\[\\]:-]{1,255}");

  /** Meant for the next hop only (RFC 9110, section 7.6.1); the framing is copied on purpose. */
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-connection",
          "proxy-authenticate",
          "proxy-authorization",
          "te",
          "trailer",
          "upgrade",
          "http2-settings",
          "expect");

  /** What {@code Connection} may name. Anything else would let a caller take headers away. */
  private static final Set<String> OPTIONS =
      Set.of("", "close", "keep-alive", "te", "trailer", "upgrade", "http2-settings");

  /**
   * Reads a request.
   *
   * @throws Head.Malformed if it is none that the front passes on
   */
  static FrontRequest of(Head head) throws Head.Malformed {
    var line = LINE.matcher(head.start());
    if (!line.matches() || !Head.isToken(line.group(1))) {
      throw new Head.Malformed("this is no request line of HTTP/1.1");
    }
    var hosts = head.all("Host");
    if (hosts.size() != 1 || !HOST.matcher(hosts.getFirst()).matches()) {
      throw new Head.Malformed("Host must be there once, and be a host");
    }
    for (String connection : head.all("Connection")) {
      for (String option : connection.split(",", -1)) {
        if (!OPTIONS.contains(option.strip().toLowerCase(Locale.ROOT))) {
          throw new Head.Malformed("Connection names what is not known");
        }
      }
    }
    return new FrontRequest(head, line.group(1), Framing.ofRequest(head));
  }

  /** {@return whether the method asks for no change, so that repeating it does no harm} */
  boolean isSafe() {
    return switch (method) {
      case "GET", "HEAD", "OPTIONS", "TRACE" -> true;
      default -> false;
    };
  }

  /** {@return whether it asks for this path, or one below it} */
  boolean isFor(String path) {
    String target = head.start().split(" ", 3)[1];
    return target.startsWith(path)
        && (target.length() == path.length() || "/?".indexOf(target.charAt(path.length())) >= 0);
  }

  boolean hasBody() {
    return !framing.equals(new Framing.Sized(0));
  }

  /** {@return whether the caller lets the connection be used again} */
  boolean keepsAlive() {
    return !head.lists("Connection", "close");
  }

  /** {@return whether the caller waits to be told that the body is wanted} */
  boolean awaitsContinue() {
    return head.lists("Expect", "100-continue");
  }

  /**
   * {@return the head for the node}
   *
   * @param caller the address of the caller
   */
  byte[] forwarded(String caller) {
    String host = head.all("Host").getFirst();
    String by = caller.indexOf(':') < 0 ? caller : "\"[" + caller + "]\"";
    return head.bytes(
        head.start(),
        FrontRequest::isForTheNextHopToo,
        "Forwarded: for="
            + by
            + ";host=\""
            + host
            + "\";proto=http\r\nX-Forwarded-For: "
            + caller
            + "\r\nVia: 1.1 holdfast\r\n");
  }

  /** {@return whether a field of a request or an answer is passed on} */
  static boolean isForTheNextHopToo(Head.Field field) {
    return !HOP_BY_HOP.contains(field.name().toLowerCase(Locale.ROOT));
  }
}
