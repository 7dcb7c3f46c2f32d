package dev.holdfast.journal;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Where a journal in PostgreSQL is, and how it is used.
 *
 * @param url a JDBC URL of the driver, {@code jdbc:postgresql://host1,host2/database?…}
 * @param schema the schema that the journal has for itself; made if it is missing
 * @param readers connections that read, at least 1; a reading call waits for a free one
 * @param writers batches that may be on their way at a time, each on a connection of its own, at
 *     least 1
 */
public record PostgresOptions(String url, String schema, int readers, int writers) {

  /** The schema where none is named. */
  public static final String DEFAULT_SCHEMA = "holdfast";

  private static final String JDBC = "jdbc:postgresql:";

  /** What libpq calls its parameters, and what the driver calls them. */
  private static final Map<String, String> PARAMETERS =
      Map.of(
          "sslmode", "sslmode",
          "sslrootcert", "sslrootcert",
          "sslcert", "sslcert",
          "sslkey", "sslkey",
          "sslpassword", "sslpassword",
          "user", "user",
          "password", "password",
          "channel_binding", "channelBinding",
          "gssencmode", "gssEncMode");

  public PostgresOptions {
    if (!url.startsWith(JDBC)) {
      throw new IllegalArgumentException("not a JDBC URL of PostgreSQL");
    }
    if (!schema.matches("[a-z_][a-z0-9_]{0,62}")) {
      throw new IllegalArgumentException(
          "a schema has 1 to 63 lower-case letters, digits and underscores, not '" + schema + "'");
    }
    if (readers < 1 || writers < 1) {
      throw new IllegalArgumentException("a journal needs at least one reader and one writer");
    }
  }

  /** Four readers and two writers. */
  public static PostgresOptions of(String url) {
    return new PostgresOptions(jdbc(url), DEFAULT_SCHEMA, 4, 2);
  }

  /**
   * The JDBC URL for what people write: that, or a URL of libpq, {@code
   * postgresql://user:password@host1:5432,host2/database?sslmode=verify-full}.
   *
   * @throws IllegalArgumentException if it is neither; the message repeats nothing of it, for it
   *     may hold a password
   */
  public static String jdbc(String url) {
    if (url.startsWith(JDBC)) {
      if (url.substring(0, pathEnd(url)).contains("@")) {
        // The driver would take all of it for a host's name, which is told to whoever asks.
        throw new IllegalArgumentException(
            "a JDBC URL has user and password behind the question mark, as user=...&password=...");
      }
      return url;
    }
    int scheme = url.indexOf("://");
    String name = scheme < 0 ? "" : url.substring(0, scheme).toLowerCase(Locale.ROOT);
    if (!name.equals("postgresql") && !name.equals("postgres")) {
      throw new IllegalArgumentException(
          "a PostgreSQL URL begins with jdbc:postgresql:// or postgresql://");
    }
    // Several hosts are no valid authority for URI: only what stands around them is read by it.
    int end = pathBegin(url, scheme + 3);
    String authority = url.substring(scheme + 3, end);
    int at = authority.lastIndexOf('@');
    Map<String, String> parameters = new LinkedHashMap<>();
    if (at >= 0) {
      String[] credentials = authority.substring(0, at).split(":", 2);
      parameters.put("user", decoded(credentials[0]));
      if (credentials.length == 2) {
        parameters.put("password", decoded(credentials[1]));
      }
    }
    String rest = url.substring(end);
    try {
      URI path = new URI(rest.isEmpty() ? "/" : rest);
      if (path.getRawQuery() != null) {
        for (String pair : path.getRawQuery().split("&", -1)) {
          String[] parts = pair.split("=", 2);
          String known = PARAMETERS.get(parts[0]);
          if (known == null || parts.length < 2) {
            throw new IllegalArgumentException(
                "the PostgreSQL URL has a parameter other than "
                    + PARAMETERS.keySet().stream().sorted().collect(Collectors.joining(", "))
                    + "; in a JDBC URL every parameter of the driver can be given");
          }
          parameters.put(known, decoded(parts[1]));
        }
      }
      String query =
          parameters.entrySet().stream()
              .map(entry -> entry.getKey() + "=" + encoded(entry.getValue()))
              .collect(Collectors.joining("&"));
      return JDBC
          + "//"
          + authority.substring(at + 1)
          + (path.getRawPath().isEmpty() ? "/" : path.getRawPath())
          + (query.isEmpty() ? "" : "?" + query);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("the PostgreSQL URL is not a valid URL");
    }
  }

  private static int pathEnd(String url) {
    int query = url.indexOf('?');
    return query < 0 ? url.length() : query;
  }

  private static int pathBegin(String url, int from) {
    for (int i = from; i < url.length(); i++) {
      if (url.charAt(i) == '/' || url.charAt(i) == '?') {
        return i;
      }
    }
    return url.length();
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static String encoded(String text) {
    return java.net.URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Where the journal is, without user, password and other parameters: what may be in a log. */
  public String place() {
    return "postgresql:" + url.substring(JDBC.length(), pathEnd(url)) + " schema " + schema;
  }

  /** Leaves out what may hold a password. */
  @Override
  public String toString() {
    return "PostgresOptions[" + place() + "]";
  }
}
