package dev.holdfast.shop;

import java.util.List;

/** The nodes behind the API, as whoever runs them sees them. */
public interface Nodes {

  /**
   * One of them.
   *
   * @param pid of its process; 0 while it has none
   * @param ready whether it takes requests
   */
  record Node(String name, long pid, boolean ready) {}

  /** {@return all, in the order of their names} */
  List<Node> all();

  /**
   * Sends a node's process SIGKILL.
   *
   * @return false if there is no such process
   */
  boolean kill(String name);
}
