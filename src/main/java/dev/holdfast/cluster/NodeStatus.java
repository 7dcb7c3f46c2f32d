package dev.holdfast.cluster;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One member of the cluster, as another one sees it.
 *
 * @param name what people call it
 * @param address where other nodes reach it, as {@code host:port}
 * @param http where it serves the API, as {@code http://host:port}; null if it did not say in time
 * @param pid its process, likewise
 * @param state its standing
 * @param oldest whether it has been a member for longest, and so decides where shards go
 * @param shards that it holds, likewise
 * @param users that it has in memory, likewise
 */
public record NodeStatus(
    String name,
    String address,
    @Nullable String http,
    OptionalLong pid,
    State state,
    boolean oldest,
    OptionalLong shards,
    OptionalLong users) {

  /** Where a member stands, in the order of its life. */
  public enum State {
    /** On its way in; holds no users yet. */
    JOINING,
    /** Holds users. */
    UP,
    /** Hands its users over, and then leaves. */
    DRAINING,
    /** On its way out, without users. */
    LEAVING,
    /** A member, but some other member does not reach it. */
    UNREACHABLE,
    /** Excluded; its users are taken over. */
    DOWN
  }
}
