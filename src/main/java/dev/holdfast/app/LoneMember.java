package dev.holdfast.app;

import dev.holdfast.cluster.Membership;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.NodeStatus.State;
import dev.holdfast.cluster.Takeover;
import java.net.URI;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * The cluster of one node: there is nobody to tell of others, and nobody to hand users over to.
 *
 * @param url where it serves, once it does
 * @param end ends the process in good order, without waiting for it
 */
record LoneMember(String name, Node node, Supplier<URI> url, Runnable end) implements Membership {

  @Override
  public List<NodeStatus> nodes() {
    return List.of(
        new NodeStatus(
            name,
            node.address(),
            url.get().toString(),
            OptionalLong.of(ProcessHandle.current().pid()),
            node.isUp() ? State.UP : State.JOINING,
            OptionalLong.empty(),
            OptionalLong.of(node.population().inMemory())));
  }

  @Override
  public List<Takeover> takeovers() {
    return List.of();
  }

  @Override
  public boolean drain(String wanted) {
    if (!wanted.equals(name)) {
      return false;
    }
    end.run();
    return true;
  }
}
