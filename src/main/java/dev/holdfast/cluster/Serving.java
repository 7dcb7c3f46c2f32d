package dev.holdfast.cluster;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which processes have told this node that they serve the API. A process does so until it ends, so
 * what was heard once holds; and each has an id of its own, so what is left of earlier ones harms
 * nobody.
 *
 * <p>A node is a member seconds before it serves, since it goes on loading and compiling. Who gives
 * it users meanwhile has them wait for all of that.
 */
final class Serving {

  private final Set<String> heard = ConcurrentHashMap.newKeySet();

  void heard(String id) {
    heard.add(id);
  }

  boolean serves(String id) {
    return heard.contains(id);
  }

  /** It is no member any more. */
  void forget(String id) {
    heard.remove(id);
  }
}
