package dev.holdfast.cluster;

/** What has shown that a node is gone, the quickest first. */
public enum Tier {
  /** Its process has died: the connection to it ended, and its kernel refuses others. */
  PROOF,
  /** Another process answers in its place. */
  REPLACED,
  /** Its heartbeats ceased. Of the two nodes that were left, the other fenced it first. */
  RACE,
  /** Its heartbeats ceased, and the split-brain resolver has excluded it with its side. */
  RESOLVER
}
