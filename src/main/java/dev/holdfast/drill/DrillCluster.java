package dev.holdfast.drill;

import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.NodeStatus.State;
import dev.holdfast.local.AdminClient;
import dev.holdfast.local.AdminClient.ClusterView;
import dev.holdfast.local.Ports;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The cluster under drill: real processes, and nothing that looks after them. */
final class DrillCluster implements AutoCloseable {

  private static final Duration STARTING = Duration.ofSeconds(90);
  private static final Duration ASKING = Duration.ofSeconds(3);
  private static final long PAUSE_NANOS = 100_000_000;

  /** Percent of the machine's memory that all heaps together may take. */
  private static final double SHARE_OF_MEMORY = 40;

  /**
   * The same for every drill: in PostgreSQL they have one schema, one after the other, and no node
   * starts on a journal that was used with another key. It opens nothing but drills.
   */
  private static final String TOKEN_KEY =
      "1:"
          + Base64.getUrlEncoder()
              .withoutPadding()
              .encodeToString(
                  "for-drills-only-a-key-everybody-knows".getBytes(StandardCharsets.US_ASCII));

  private final DrillPlan plan;
  private final Ports ports = new Ports();
  private final Path logs;
  private final Map<String, String> environment;
  private final List<DrillNode> nodes = new CopyOnWriteArrayList<>();

  /** Also those that hang, which would not notice that this process is gone. */
  private final Thread killing =
      Thread.ofPlatform().unstarted(() -> nodes.forEach(DrillNode::kill));

  private final @Nullable Relay relay;
  private final Map<URI, AdminClient> clients = new ConcurrentHashMap<>();

  DrillCluster(DrillPlan plan) throws IOException {
    this.plan = plan;
    this.relay = plan.needsRelay() ? new Relay() : null;
    this.logs = Files.createDirectories(plan.logs());
    this.environment = new HashMap<>(plan.environment());
    Runtime.getRuntime().addShutdownHook(killing);
    environment.put("HOLDFAST_DATA", plan.data().toString());
    environment.put("HOLDFAST_TOKEN_KEYS", TOKEN_KEY);
  }

  /** {@return all nodes that there are, by age of their first start} */
  List<DrillNode> nodes() {
    return List.copyOf(nodes);
  }

  /**
   * Starts so many nodes more, without waiting for them.
   *
   * @throws IOException if a process cannot be started, or there is no port
   */
  List<DrillNode> start(int count) throws IOException {
    var started = new ArrayList<DrillNode>();
    for (int i = 0; i < count; i++) {
      int number = nodes.size() + 1;
      String name = "node-" + number;
      var own = new HashMap<>(environment);
      int port = ports.choose(0);
      int wirePort = ports.choose(0);
      own.put("HOLDFAST_CLUSTER_PORT", Integer.toString(port));
      own.put("HOLDFAST_CLUSTER_WIRE_PORT", Integer.toString(wirePort));
      if (relay == null) {
        own.put("HOLDFAST_CLUSTER_HOST", DrillNode.HOST);
      } else {
        own.put("HOLDFAST_CLUSTER_HOST", Relay.published(number));
        own.put("HOLDFAST_CLUSTER_BIND_HOST", Relay.bound(number));
        relay.publish(name, number, port);
        if (plan.wire()) {
          relay.publish(name, number, wirePort);
        }
      }
      var node =
          new DrillNode(
              name,
              ports.choose(0),
              List.of(),
              SHARE_OF_MEMORY / plan.nodes(),
              own,
              logs.resolve(name + ".log"),
              new DrillNode.Lifecycle() {
                @Override
                public void begins(long pid) throws IOException {
                  if (relay != null) {
                    relay.runs(name, pid);
                  }
                }

                @Override
                public void ends(long pid) {
                  if (relay != null) {
                    relay.ended(name, pid);
                  }
                }
              });
      nodes.add(node);
      started.add(node);
      node.start();
    }
    return started;
  }

  /** {@return the network between the nodes, where the fault is done to it} */
  Relay relay() {
    if (relay == null) {
      throw new IllegalStateException("there is none for " + plan.faults());
    }
    return relay;
  }

  /** The node is here no more. */
  void remove(DrillNode node) {
    nodes.remove(node);
  }

  /**
   * Waits until all nodes are members, and hold about as many shards each.
   *
   * @throws IOException if that does not come to be within 90 s, or a node ends
   */
  void awaitBalance() throws IOException, InterruptedException {
    long end = System.nanoTime() + STARTING.toNanos();
    String state = "";
    while (System.nanoTime() - end < 0) {
      for (DrillNode node : nodes) {
        if (!node.isAlive() && plan.faults().contains(Fault.REJECT)) {
          node.start(); // whose place it has cost is not known before
        } else if (!node.isAlive()) {
          throw new IOException(
              node + " has ended, status " + node.status() + "; see " + logs + "/" + node + ".log");
        }
      }
      try {
        ClusterView view = view(nodes.getFirst());
        state = view.json();
        if (isBalanced(view)) {
          return;
        }
      } catch (IOException notYet) {
        state = String.valueOf(notYet.getMessage());
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw new IOException("the nodes did not become one cluster in time: " + state);
  }

  private boolean isBalanced(ClusterView view) {
    LongSummaryStatistics shards =
        view.nodes().stream().mapToLong(node -> node.shards().orElse(0)).summaryStatistics();
    return view.nodes().size() == nodes.size()
        && view.nodes().stream().allMatch(node -> node.state() == State.UP)
        && shards.getMin() > 0
        && shards.getMax() - shards.getMin() <= Math.max(2, shards.getMax() / 4);
  }

  /**
   * {@return the cluster as that node sees it}
   *
   * @throws IOException if it does not tell
   */
  ClusterView view(DrillNode node) throws IOException, InterruptedException {
    return clients
        .computeIfAbsent(node.http(), http -> new AdminClient(http, null, ASKING))
        .cluster();
  }

  /**
   * {@return the node that has been a member for longest}
   *
   * @throws IOException if the cluster does not tell
   */
  DrillNode oldest() throws IOException, InterruptedException {
    String name =
        view(nodes.getFirst()).nodes().stream()
            .filter(NodeStatus::oldest)
            .map(NodeStatus::name)
            .findFirst()
            .orElseThrow(() -> new IOException("the cluster does not tell which node is oldest"));
    return nodes.stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> new IOException("there is a node here that is not of this drill: " + name));
  }

  /** Ends all nodes in good order, the oldest last. */
  @Override
  public void close() {
    clients.values().forEach(AdminClient::close);
    for (DrillNode node : List.copyOf(nodes).reversed()) {
      try {
        node.close();
      } catch (InterruptedException e) {
        node.kill();
        Thread.currentThread().interrupt();
      }
    }
    if (relay != null) {
      relay.close();
    }
  }
}
