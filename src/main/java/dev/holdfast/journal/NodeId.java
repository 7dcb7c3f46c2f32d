package dev.holdfast.journal;

import java.util.UUID;

/**
 * The unique id of one node <em>process</em>: a process that starts again is another node. The
 * fence goes by it.
 *
 * @param value 1 to 200 characters, never used again
 */
public record NodeId(String value) {

  public NodeId {
    if (value.isEmpty() || value.length() > 200) {
      throw new IllegalArgumentException("a node id has 1 to 200 characters: '" + value + "'");
    }
  }

  /** An id that no other process has. */
  public static NodeId random() {
    return new NodeId(UUID.randomUUID().toString());
  }

  @Override
  public String toString() {
    return value;
  }
}
