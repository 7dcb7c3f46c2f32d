package dev.holdfast.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Keeps web pages away from a server that lets every caller in. Such a server listens on the
 * loopback interface, yet a browser on the same machine would carry any page's requests there: so
 * {@code Host} must be a loopback name (else a page could point a name of its own at the loopback
 * address) and the browser must not call the request another site's.
 */
final class LoopbackRule {

  private static final HeaderName SEC_FETCH_SITE = HeaderNames.create("Sec-Fetch-Site");
  private static final Pattern LOOPBACK =
      Pattern.compile("(?:localhost|127(?:\\.(?:0|[1-9][0-9]{0,2})){3}|\\[::1])(?::[0-9]{1,5})?");

  private final boolean hostMustBeLoopback;

  /** One that is a loopback name. */
  private volatile @Nullable String lastLoopback;

  /**
   * @param insecure whether callers may come from anywhere
   */
  LoopbackRule(boolean insecure) {
    hostMustBeLoopback = !insecure;
  }

  /**
   * @param keys whether callers must show a key; then no page can call, and the rule is off
   * @throws Rejected with 403 if the request may come from a web page
   */
  void check(ServerRequest request, boolean keys) {
    if (keys) {
      return;
    }
    String host = Call.header(request, HeaderNames.HOST);
    if (hostMustBeLoopback && !isLoopbackAsBefore(host)) {
      throw new Rejected(
          ProblemType.FORBIDDEN, "Without configured API keys, Host must be a loopback name.");
    }
    String site = Call.header(request, SEC_FETCH_SITE);
    String origin = Call.header(request, HeaderNames.ORIGIN);
    boolean foreignSite = site != null && !site.equals("none") && !site.equals("same-origin");
    if (foreignSite || isForeign(origin, host)) {
      throw new Rejected(
          ProblemType.FORBIDDEN, "Without configured API keys, no other site's page may call.");
    }
  }

  /** The same callers say the same again and again. */
  private boolean isLoopbackAsBefore(@Nullable String host) {
    if (host != null && host.equals(lastLoopback)) {
      return true;
    }
    boolean loopback = isLoopback(host);
    if (loopback) {
      lastLoopback = host;
    }
    return loopback;
  }

  static boolean isLoopback(@Nullable String host) {
    return host != null && LOOPBACK.matcher(host.toLowerCase(Locale.ROOT)).matches();
  }

  private static boolean isForeign(@Nullable String origin, @Nullable String host) {
    return origin != null
        && !origin.equalsIgnoreCase("http://" + host)
        && !origin.equalsIgnoreCase("https://" + host);
  }
}
