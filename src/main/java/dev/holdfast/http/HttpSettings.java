package dev.holdfast.http;

import dev.holdfast.user.Limits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How the API is served. The defaults are the documented ones.
 *
 * @param node this node's name, sent with every answer
 * @param host what to listen on
 * @param port 0 for any free one
 * @param keys whom to let in; without any every caller is
 * @param requestsASecond of one caller, with twice as many at once; 0 for no limit
 * @param tls for TLS; null for none
 * @param insecure lets callers without a key in from anywhere: without it and without keys, {@code
 *     Host} must be a loopback name
 * @param lifetimes of sessions
 * @param limits of the domain, for what is checked where a request enters
 * @param bounds of single requests and connections
 */
public record HttpSettings(
    String node,
    String host,
    int port,
    ApiKeys keys,
    int requestsASecond,
    @Nullable ServerTls tls,
    boolean insecure,
    Lifetimes lifetimes,
    Limits limits,
    Bounds bounds) {

  /**
   * How long sessions may live.
   *
   * @param idle where the caller names none
   * @param absolute where the caller names none
   */
  public record Lifetimes(
      Duration idle,
      Duration leastIdle,
      Duration greatestIdle,
      Duration absolute,
      Duration leastAbsolute,
      Duration greatestAbsolute) {

    public static Lifetimes defaults() {
      return new Lifetimes(
          Duration.ofMinutes(30),
          Duration.ofSeconds(1),
          Duration.ofDays(30),
          Duration.ofDays(7),
          Duration.ofSeconds(1),
          Duration.ofDays(365));
    }
  }

  /**
   * What one request or connection may take.
   *
   * @param bodyBytes of a request's body, chunked or not
   * @param requestLineBytes of the first line; what is over gets 414
   * @param headerBytes of all headers; what is over gets 431
   * @param connections open at a time; further ones wait to be accepted
   * @param requestsInHand asked of users at a time; further ones get 503
   * @param receiving from the first byte of a request to its last; a slower one is cut off
   * @param answering for a caller to take an answer; a slower one is cut off
   * @param idle for a connection between two requests
   * @param streams of changes open at a time; further ones get 503
   * @param heartbeat after how much silence a stream sends a sign of life
   * @param deadline for an answer from a user, repeats included
   * @param stopping for requests in hand when the server stops
   */
  public record Bounds(
      int bodyBytes,
      int requestLineBytes,
      int headerBytes,
      int connections,
      int requestsInHand,
      Duration receiving,
      Duration answering,
      Duration idle,
      int streams,
      Duration heartbeat,
      Duration deadline,
      Duration stopping) {

    public static Bounds defaults() {
      return new Bounds(
          128 * 1024,
          4 * 1024,
          16 * 1024,
          10_000,
          4_096,
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(75),
          5_000,
          Duration.ofSeconds(15),
          Duration.ofSeconds(15),
          Duration.ofSeconds(20));
    }

    /** {@return these, with another time for answers from users and for requests in hand to end} */
    Bounds within(Duration other) {
      return new Bounds(
          bodyBytes,
          requestLineBytes,
          headerBytes,
          connections,
          requestsInHand,
          receiving,
          answering,
          idle,
          streams,
          heartbeat,
          other,
          other);
    }
  }
}
