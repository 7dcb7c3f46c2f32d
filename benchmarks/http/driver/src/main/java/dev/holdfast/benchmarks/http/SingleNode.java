package dev.holdfast.benchmarks.http;

import dev.holdfast.local.ShopLoad;
import dev.holdfast.local.ShopLoad.Kind;
import dev.holdfast.local.ShopLoad.Round;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What is measured of Holdfast alone, each on nodes of its own with an empty journal. */
final class SingleNode {

  /** Ten times the connections of the closed loop: enough to hand in three times what it can. */
  private static final int OVERLOAD_CONNECTIONS = 1_024;

  private static final double OVERLOAD = 3;
  private static final int EVENTS_AFTER_SNAPSHOT = 4;

  /** By then nobody has asked for them long enough, and all of them are packed. */
  private static final long IDLE_SECONDS = 30;

  /** A node that opens users has so few in memory that all others leave it with a snapshot. */
  private static final int FEW_IN_MEMORY = 1_000;

  /** So many times the users that are measured come back before, until all is compiled. */
  private static final int WARMING = 6;

  /** The peak, and what is left of it under three times as much. */
  record Overload(Round peak, Round overloaded, double heapBefore, double heapAfter) {
    double goodput() {
      return overloaded.perSecond() / peak.perSecond();
    }
  }

  /** Users a second who come back, on a JVM that has just started and on a warm one. */
  record Recovery(double justStarted, double warm) {}

  private final Stage stage;
  private final Plan plan;
  private final Consumer<String> progress;

  SingleNode(Stage stage, Plan plan, Consumer<String> progress) {
    this.stage = stage;
    this.plan = plan;
    this.progress = progress;
  }

  /** From the start of the process to ready, in seconds. */
  List<Double> starts() throws Exception {
    stage.postgres().create("starts");
    var seconds = new ArrayList<Double>();
    for (int i = 0; i <= plan.rounds(); i++) {
      try (ServerProcess node = stage.node("starts", Stage.freePort(), Map.of())) {
        if (i > 0) { // the first one makes the schema
          seconds.add(node.start().toMillis() / 1e3);
        }
      }
    }
    progress.accept("starts: " + seconds);
    return seconds;
  }

  /** What an idle user with a cart of five lines takes, in bytes of the heap. */
  List<Double> heapBytesAUser() throws Exception {
    stage.postgres().create("heap");
    var bytes = new ArrayList<Double>();
    // All of them stay, whatever the heap.
    int most = (plan.rounds() + 2) * plan.heapUsers();
    try (ServerProcess node =
            stage.node(
                "heap",
                Stage.freePort(),
                Map.of("HOLDFAST_CLUSTER_USERS_IN_MEMORY", Integer.toString(most)));
        var load = new ShopLoad(List.of(node.url()), plan.connections(), "heap")) {
      int each = plan.heapUsers() / plan.connections();
      load.open(each);
      TimeUnit.SECONDS.sleep(IDLE_SECONDS);
      long before = node.liveHeapBytes();
      for (int i = 0; i < plan.rounds(); i++) {
        load.open(each);
        TimeUnit.SECONDS.sleep(IDLE_SECONDS);
        long after = node.liveHeapBytes();
        bytes.add((double) (after - before) / ((long) each * plan.connections()));
        before = after;
      }
    }
    progress.accept("heap bytes a user: " + bytes);
    return bytes;
  }

  /**
   * Users a second who come back from the journal, each because it is looked at: on a node that was
   * started just before, and on the same one when it has recovered some times as many others, which
   * is what a node that takes users over has long done. The database is restarted before.
   */
  List<Recovery> recoveries() throws Exception {
    String database = "recoveries";
    stage.postgres().create(database);
    int port = Stage.freePort();
    int each = plan.recovered() / plan.connections();
    List<URI> url = List.of(URI.create("http://127.0.0.1:" + port));
    ServerProcess node =
        stage.node(
            database,
            port,
            Map.of("HOLDFAST_CLUSTER_USERS_IN_MEMORY", Integer.toString(FEW_IN_MEMORY)));
    var recoveries = new ArrayList<Recovery>();
    try (var first = new ShopLoad(url, plan.connections(), "first");
        var warm = new ShopLoad(url, plan.connections(), "warm");
        var load = new ShopLoad(url, plan.connections(), "cold");
        var pushed = new ShopLoad(url, plan.connections(), "others")) {
      List<ShopLoad> all = List.of(first, warm, load);
      for (ShopLoad users : all) {
        users.reconnect(); // one that asked for nothing for long was closed
        users.open(users == warm ? WARMING * each : each);
      }
      pushed.reconnect();
      pushed.open(2 * FEW_IN_MEMORY / plan.connections());
      node.close();
      node = stage.node(database, port, Map.of());
      for (ShopLoad users : all) {
        users.reconnect();
        users.changeAll(EVENTS_AFTER_SNAPSHOT);
      }
      progress.accept(
          "snapshots: "
              + stage.postgres().text(database, "SELECT count(*) FROM holdfast.snapshot")
              + ", events: "
              + stage.postgres().text(database, "SELECT count(*) FROM holdfast.event"));
      for (int i = 0; i < plan.rounds(); i++) {
        node.kill();
        stage.postgres().settle(database);
        stage.postgres().restart();
        node = stage.node(database, port, Map.of());
        first.reconnect();
        double justStarted = first.once().perSecond();
        warm.reconnect();
        warm.once();
        load.reconnect();
        recoveries.add(new Recovery(justStarted, load.once().perSecond()));
        progress.accept("recovered: " + recoveries.getLast());
      }
    } finally {
      node.close();
    }
    return recoveries;
  }

  /** Changes and reads a second at three times the peak of the closed loop. */
  List<Overload> overload(Kind kind) throws Exception {
    String database = "overload_" + kind.name().toLowerCase(Locale.ROOT);
    stage.postgres().create(database);
    var all = new ArrayList<Overload>();
    try (ServerProcess node = stage.node(database, Stage.freePort(), Map.of());
        var load = new ShopLoad(List.of(node.url()), plan.connections(), "peak");
        var more = new ShopLoad(List.of(node.url()), OVERLOAD_CONNECTIONS, "more")) {
      load.open(plan.users());
      more.open(Math.max(1, plan.users() * plan.connections() / OVERLOAD_CONNECTIONS));
      load.closed(kind, plan.warmUp());
      more.open(kind, plan.turn(), load.closed(kind, plan.turn()).perSecond());
      for (int i = 0; i < plan.rounds(); i++) {
        stage.postgres().settle(database);
        Round peak = load.closed(kind, plan.turn());
        double before = node.liveHeapBytes();
        more.reconnect();
        Round overloaded =
            more.open(kind, plan.turn().plus(Duration.ofSeconds(5)), OVERLOAD * peak.perSecond());
        all.add(new Overload(peak, overloaded, before, node.liveHeapBytes()));
        progress.accept("overload: " + all.getLast());
      }
    }
    return all;
  }
}
