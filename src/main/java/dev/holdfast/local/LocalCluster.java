package dev.holdfast.local;

import dev.holdfast.app.TokenKeyFile;
import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.shop.Nodes;
import dev.holdfast.shop.Shop;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several nodes on this machine behind one address: their processes, which it starts, watches and
 * ends, and the {@link Front}.
 *
 * <p>Nothing of it outlives its process. The nodes see that their standard input ends, and end
 * themselves; the lock on the folder is the kernel's.
 */
public final class LocalCluster implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LocalCluster.class);

  /** What the documentation says that a node may take to end in good order, and some more. */
  private static final Duration ENDING = Duration.ofSeconds(45);

  private static final Duration FINISHING = Duration.ofSeconds(2);

  /** A node asks the others for up to a second before it tells. */
  private static final Duration ASKING = Duration.ofSeconds(2);

  private static final long LOOK_MILLIS = 1_000;

  /** So often a node may end before it was ready for the first time; then something is wrong. */
  private static final int FAILED_STARTS = 3;

  /** Percent of the machine's memory that all heaps together may take. */
  private static final double SHARE_OF_MEMORY = 60;

  private static final int WRONG_SETTINGS = 2;
  private static final int CLUSTER_PORTS = 100;

  /**
   * What to run.
   *
   * @param nodes how many
   * @param host what the front listens on
   * @param port the front's; 0 for any free one
   * @param data folder of the lock and the logs
   * @param environment of the nodes: all of it but what is different for each
   * @param makesTokenKey whether the nodes are to share the token key of the folder, which is made
   *     if it is missing
   * @param adminKey with which the nodes tell of their cluster, or null if they want none
   * @param restarts whether a node is started again when it ended
   * @param logBytes of one file of a node's log; there are two
   */
  public record Plan(
      int nodes,
      String host,
      int port,
      Path data,
      Map<String, String> environment,
      boolean makesTokenKey,
      @Nullable String adminKey,
      boolean restarts,
      long logBytes) {
    public Plan {
      environment = Map.copyOf(environment);
    }
  }

  private final Plan plan;
  private final HeldFolder folder;
  private final Consumer<News> news;
  private final List<Supervisor> supervisors = new ArrayList<>();

  /** Why it did not come to be ready; empty if it did. */
  private final CompletableFuture<Optional<String>> ready = new CompletableFuture<>();

  private final Map<String, AdminClient> clients = new ConcurrentHashMap<>();
  private final DownedNodes downed = new DownedNodes();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("local-cluster").factory());
  private @Nullable Front front;
  private volatile @Nullable Shop shop;
  private volatile boolean closed;

  private LocalCluster(Plan plan, HeldFolder folder, Consumer<News> news) {
    this.plan = plan;
    this.folder = folder;
    this.news = news;
  }

  /**
   * Starts the front and the processes, and returns. See {@link #awaitReady}.
   *
   * @param news told of what happens to the nodes, on some thread, one thing at a time
   * @throws IOException if the folder is in use, an address cannot be had, or a process cannot be
   *     started
   */
  public static LocalCluster start(Plan plan, Consumer<News> news) throws IOException {
    HeldFolder folder = HeldFolder.hold(plan.data());
    var lock = new Object();
    var cluster =
        new LocalCluster(
            plan,
            folder,
            one -> {
              synchronized (lock) {
                news.accept(one);
              }
            });
    try {
      cluster.run();
      return cluster;
    } catch (IOException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private void run() throws IOException {
    var ports = new Ports();
    Path logs = plan.data().resolve("logs");
    var nodes = new ArrayList<LocalNode>();
    for (int i = 1; i <= plan.nodes(); i++) {
      int wanted = plan.port() == 0 ? 0 : plan.port() + i;
      nodes.add(
          new LocalNode(
              "node-" + i,
              ports.choose(wanted),
              ports.choose(wanted == 0 ? 0 : wanted + CLUSTER_PORTS),
              logs.resolve("node-" + i + ".log")));
    }
    front =
        Front.start(
            plan.host(),
            plan.port(),
            nodes.stream().map(node -> new Front.Node(node.name(), node.address())).toList(),
            this::lookForReady);
    // Made only now that the folder is held, so that nobody else makes another one.
    String tokenKey = plan.makesTokenKey() ? TokenKeyFile.textIn(plan.data()) : null;
    List<String> command = NodeProcess.program(List.of(), SHARE_OF_MEMORY / plan.nodes());
    command.add("serve");
    for (LocalNode node : nodes) {
      var supervisor =
          new Supervisor(
              node,
              command,
              environment(node, tokenKey),
              plan.restarts(),
              new NodeLog(node.log(), plan.logBytes()),
              this::tell,
              this::startFailed);
      clients.put(node.name(), new AdminClient(node.http(), plan.adminKey(), ASKING));
      synchronized (supervisors) {
        supervisors.add(supervisor);
      }
      supervisor.start();
    }
    var _ =
        clock.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  private Map<String, String> environment(LocalNode node, @Nullable String tokenKey) {
    var environment = new HashMap<>(plan.environment());
    environment.put("HOLDFAST_NODE", node.name());
    environment.put("HOLDFAST_HOST", LocalNode.HOST);
    environment.put("HOLDFAST_PORT", Integer.toString(node.httpPort()));
    environment.put("HOLDFAST_CLUSTER_HOST", LocalNode.HOST);
    environment.put("HOLDFAST_CLUSTER_PORT", Integer.toString(node.clusterPort()));
    environment.put("HOLDFAST_UNTIL_EOF", "true");
    if (tokenKey != null) {
      environment.put("HOLDFAST_TOKEN_KEYS", tokenKey);
    }
    return environment;
  }

  // ---------------------------------------------------------------------------------------------
  // What happens

  private void tell(News one) {
    if (one instanceof News.Ended) {
      front().suspect(one.node());
    }
    news.accept(one);
  }

  private void startFailed(LocalNode node, int status, int times, String why) {
    if (status == WRONG_SETTINGS || times >= FAILED_STARTS || !plan.restarts()) {
      // Has no effect once all were ready.
      ready.complete(Optional.of(node.name() + " does not start: " + why));
    }
  }

  private void lookForReady() {
    List<Supervisor> all = supervisors();
    for (Supervisor supervisor : all) {
      if (front().isReady(supervisor.node().name())) {
        supervisor.becameReady();
      }
    }
    if (all.size() == plan.nodes() && all.stream().allMatch(Supervisor::isReady)) {
      ready.complete(Optional.empty());
    }
  }

  private void look() {
    try {
      lookForReady();
      killDowned();
      for (Supervisor supervisor : supervisors()) {
        supervisor.tidy();
      }
    } catch (RuntimeException e) {
      // Without this the executor would never look again.
      LOG.warn("looking after the nodes failed", e);
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    }
  }

  private void killDowned() throws InterruptedException {
    var living = new HashMap<String, Long>();
    for (Supervisor supervisor : supervisors()) {
      Process process = supervisor.process();
      if (process != null) {
        living.put(supervisor.node().name(), process.pid());
      }
      supervisor.readyPid().ifPresent(pid -> downed.wasReady(supervisor.node().name(), pid));
    }
    if (living.size() < 2) {
      return;
    }
    // Also those that are not ready: a hung node may keep the others from writing, and so from
    // that.
    for (String name : downed.look(living, views(living.keySet()))) {
      for (Supervisor supervisor : supervisors()) {
        Long pid = living.get(name);
        if (supervisor.node().name().equals(name) && pid != null) {
          supervisor.kill(pid, "The cluster goes on without it, and it did not end by itself.");
        }
      }
    }
  }

  private Map<String, List<NodeStatus>> views(Set<String> asked) throws InterruptedException {
    var views = new HashMap<String, List<NodeStatus>>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var asking = new HashMap<String, Future<List<NodeStatus>>>();
      for (String name : asked) {
        AdminClient client = clients.get(name);
        if (client != null) {
          asking.put(name, threads.submit(() -> client.cluster().nodes()));
        }
      }
      for (var one : asking.entrySet()) {
        try {
          views.put(one.getKey(), one.getValue().get());
        } catch (ExecutionException silent) {
          LOG.debug("{} did not tell of the cluster", one.getKey(), silent);
        }
      }
    }
    return views;
  }

  private List<Supervisor> supervisors() {
    synchronized (supervisors) {
      return List.copyOf(supervisors);
    }
  }

  private Front front() {
    Front made = front;
    if (made == null) {
      throw new IllegalStateException("the front is not there yet");
    }
    return made;
  }

  // ---------------------------------------------------------------------------------------------
  // For the one who started it

  /**
   * Opens a shop at {@link Shop#PATH} of the front, in which people can kill nodes. Only where
   * nobody but this machine reaches the front.
   */
  public void openShop() throws IOException {
    Shop opened = Shop.open(url(), new KillableNodes());
    shop = opened;
    front().passes(Shop.PATH, opened.address());
  }

  private final class KillableNodes implements Nodes {

    @Override
    public List<Node> all() {
      return supervisors().stream()
          .map(supervisor -> {
            Process process = supervisor.process();
            String name = supervisor.node().name();
            return new Node(
                name,
                process == null ? 0 : process.pid(),
                process != null && front().isReady(name));
          })
          .toList();
    }

    @Override
    public boolean kill(String name) {
      for (Supervisor supervisor : supervisors()) {
        Process process = supervisor.process();
        if (supervisor.node().name().equals(name) && process != null) {
          supervisor.kill(process.pid(), "Somebody pressed the button in the shop.");
          return true;
        }
      }
      return false;
    }
  }

  /** {@return the address of all of it} */
  public URI url() {
    return front().url();
  }

  /**
   * Waits until every node was ready.
   *
   * @throws IOException if that does not come to be, since a node ends again and again
   */
  public void awaitReady() throws IOException, InterruptedException {
    Optional<String> why;
    try {
      why = ready.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("nothing completes it with an exception", e);
    }
    if (why.isPresent()) {
      throw new IOException(why.get());
    }
  }

  /** Ends the nodes in good order, each within 45 s, else with SIGKILL. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    clock.shutdownNow();
    clients.values().forEach(AdminClient::close);
    ready.complete(Optional.of("ended before all nodes were ready"));
    Shop opened = shop;
    if (opened != null) {
      opened.close();
    }
    if (front != null) {
      front.stop();
    }
    List<Supervisor> all = supervisors();
    all.forEach(Supervisor::stop);
    long end = System.nanoTime() + ENDING.toNanos();
    try {
      for (Supervisor supervisor : all) {
        supervisor.awaitEnd(end);
      }
      folder.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.warn("the folder could not be given back", e);
    }
    if (front != null) {
      front.awaitIdle(FINISHING);
      front.close();
    }
  }
}
