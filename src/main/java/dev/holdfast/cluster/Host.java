package dev.holdfast.cluster;

import dev.holdfast.user.OwnerKeys;
import java.time.Duration;
import java.util.List;

/**
 * What a node needs of the process that it runs in.
 *
 * @param tokenKeys names of the keys for session tokens, those first that would rather sign
 * @param owners by which the owner keys of known users follow from their ids, the same on all nodes
 * @param silence after so long without a renewal a cluster is gone. Zero for those who know that no
 *     other process has the journal: they never join, and claim at once
 * @param halt ends the process at once, since others hold its users or may; called at least once
 * @param stop ends the process in good order, as SIGTERM does; returns at once
 */
public record Host(
    List<String> tokenKeys, OwnerKeys owners, Duration silence, Runnable halt, Runnable stop) {

  /** A process whose journal has no secret for owner keys. */
  public Host(List<String> tokenKeys, Duration silence, Runnable halt, Runnable stop) {
    this(tokenKeys, OwnerKeys.plain(), silence, halt, stop);
  }

  public Host {
    tokenKeys = List.copyOf(tokenKeys);
  }

  boolean isAlone() {
    return silence.isZero();
  }
}
