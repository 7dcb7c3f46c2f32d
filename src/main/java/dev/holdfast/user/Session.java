package dev.holdfast.user;

import dev.holdfast.json.Json;

/**
 * One device or browser of a user. All times are milliseconds since 1970, all durations
 * milliseconds.
 *
 * @param generation of the only token that is valid, from 1
 * @param confirmed whether that token was used; until then the request that made it may be repeated
 *     with the token before it
 * @param lastSeenAt the last activity that is journaled
 * @param revision of the last event that changed the session; activity does not
 */
public record Session(
    SessionId id,
    int generation,
    boolean confirmed,
    Json.Obj attributes,
    long createdAt,
    long lastSeenAt,
    long idleMillis,
    long absoluteMillis,
    long revision) {

  /** {@return when the session ends, whatever happens} */
  public long endsAt() {
    return later(createdAt, absoluteMillis);
  }

  /** {@return when the session ends if it was seen last at that moment} */
  public long expiresAt(long seenAt) {
    return Math.min(later(seenAt, idleMillis), endsAt());
  }

  /**
   * {@return the last activity that may have been acknowledged} Reads are journaled only when a
   * tenth of the idle timeout has passed since the last time, so after a recovery, where nothing
   * else is known, that tenth is granted.
   */
  long lastSeen(Presence presence) {
    long seen = presence.seen(id);
    return seen == Presence.UNKNOWN ? later(lastSeenAt, touchMillis()) : Math.max(seen, lastSeenAt);
  }

  /** {@return the moment that many milliseconds later, at the latest the end of all time} */
  static long later(long moment, long millis) {
    long later = moment + millis;
    return millis > 0 && later < moment ? Long.MAX_VALUE : later;
  }

  /** {@return how long activity may go unjournaled} */
  long touchMillis() {
    return idleMillis / 10;
  }

  Session seen(long at) {
    return new Session(
        id,
        generation,
        true,
        attributes,
        createdAt,
        Math.max(at, lastSeenAt),
        idleMillis,
        absoluteMillis,
        revision);
  }

  Session rotated(int toGeneration, long atRevision) {
    return new Session(
        id,
        toGeneration,
        false,
        attributes,
        createdAt,
        lastSeenAt,
        idleMillis,
        absoluteMillis,
        atRevision);
  }

  Session withAttributes(Json.Obj others, long atRevision) {
    return new Session(
        id,
        generation,
        confirmed,
        others,
        createdAt,
        lastSeenAt,
        idleMillis,
        absoluteMillis,
        atRevision);
  }
}
