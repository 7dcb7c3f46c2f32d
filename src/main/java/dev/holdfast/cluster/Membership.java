package dev.holdfast.cluster;

import java.util.List;

/** The cluster as this node sees it. Blocking; meant for virtual threads. */
public interface Membership {

  /**
   * {@return the members by name} Asks each what only it knows, for up to a second; what was not
   * told by then is absent.
   */
  List<NodeStatus> nodes();

  /**
   * {@return the last takeovers, the newest first; at most 100} Each member tells, for up to a
   * second, those that it carried out; what a member carried out that is gone itself is not told.
   */
  List<Takeover> takeovers();

  /**
   * {@return what the members have done and how they stand, by name} Asks each, for up to a second.
   */
  List<NodeFigures> figures();

  /**
   * Has a node hand its users over and then end its process, as SIGTERM would. Returns once the
   * node was told; the rest shows in {@link #nodes}.
   *
   * @param name of a member; this node's own too
   * @return false if there is no such member
   */
  boolean drain(String name);
}
