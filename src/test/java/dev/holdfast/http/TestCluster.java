package dev.holdfast.http;

import dev.holdfast.cluster.Membership;
import dev.holdfast.cluster.NodeFigures;
import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.NodeStatus.State;
import dev.holdfast.cluster.Takeover;
import dev.holdfast.cluster.Tier;
import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.Histogram;
import dev.holdfast.telemetry.Histogram.Scale;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/** A cluster with a node in every state and two takeovers, as its members would tell it. */
final class TestCluster implements Membership {

  private final List<String> drained = new CopyOnWriteArrayList<>();
  private volatile boolean faulty;

  /** {@return the names of the nodes that were drained, in order} */
  List<String> drained() {
    return List.copyOf(drained);
  }

  /** Does something while the cluster answers nothing but exceptions. */
  <T> T failing(Supplier<T> what) {
    faulty = true;
    try {
      return what.get();
    } finally {
      faulty = false;
    }
  }

  @Override
  public List<NodeStatus> nodes() {
    fail();
    var nodes = new ArrayList<NodeStatus>();
    for (State state : State.values()) {
      int number = nodes.size() + 1;
      boolean silent = state == State.DOWN || state == State.UNREACHABLE;
      nodes.add(
          new NodeStatus(
              "node-" + number,
              "127.0.0.1:" + (2550 + number),
              silent ? null : "http://127.0.0.1:" + (8080 + number),
              silent ? OptionalLong.empty() : OptionalLong.of(4_000 + number),
              state,
              number == 2,
              silent ? OptionalLong.empty() : OptionalLong.of(33),
              silent ? OptionalLong.empty() : OptionalLong.of(1_200)));
    }
    return nodes;
  }

  @Override
  public List<Takeover> takeovers() {
    return List.of(
        new Takeover("node-6", Tier.PROOF, Instant.parse("2026-05-01T10:00:00.123456Z"), 34, null),
        new Takeover(
            "node-5",
            Tier.RESOLVER,
            Instant.parse("2026-05-01T09:00:00Z"),
            33,
            Duration.ofNanos(1_234_567_890)));
  }

  @Override
  public List<NodeFigures> figures() {
    fail();
    Distribution some = new Histogram(Scale.NANOS).read();
    return List.of(
        new NodeFigures(
            "node-1",
            new Figures(
                60_000,
                new Figures.Requests(some, some, 3, 1),
                new Figures.Journal(true, 2, 0, 17, some, new Histogram(Scale.COUNT).read(), some),
                new Figures.Memory(1_200, 0, 64 << 20, 1L << 30))),
        new NodeFigures("node-5", null));
  }

  @Override
  public boolean drain(String name) {
    fail();
    if (nodes().stream().noneMatch(node -> node.name().equals(name))) {
      return false;
    }
    drained.add(name);
    return true;
  }

  private void fail() {
    if (faulty) {
      throw new IllegalStateException("a secret of the cluster's");
    }
  }
}
