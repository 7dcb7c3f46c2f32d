package dev.holdfast.benchmarks.http;

import dev.holdfast.local.ShopLoad;
import dev.holdfast.local.ShopLoad.Kind;
import dev.holdfast.local.ShopLoad.Round;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Servers that are asked in turn, A B C A B C, each while the others are warm and idle. */
final class SideBySide {

  /** What came of it, a list of rounds for each kind and server. */
  record Result(Map<Server, List<Round>> changes, Map<Server, List<Round>> reads) {}

  private static final int WARM_UP_TURNS = 4;

  private final Stage stage;
  private final Plan plan;
  private final Consumer<String> progress;

  SideBySide(Stage stage, Plan plan, Consumer<String> progress) {
    this.stage = stage;
    this.plan = plan;
    this.progress = progress;
  }

  /** Starts the servers, asks them in turn, and ends them. */
  Result run(List<Server> servers) throws Exception {
    var loads = new EnumMap<Server, ShopLoad>(Server.class);
    var changes = new EnumMap<Server, List<Round>>(Server.class);
    var reads = new EnumMap<Server, List<Round>>(Server.class);
    try {
      for (Server server : servers) {
        progress.accept("starting and warming up: " + server.title());
        List<URI> urls = stage.start(server);
        var load = new ShopLoad(urls, plan.connections(), server.id());
        loads.put(server, load);
        load.open(plan.users());
        for (int i = 0; i < WARM_UP_TURNS; i++) {
          load.closed(i % 2 == 0 ? Kind.CHANGE : Kind.READ, plan.warmUp().dividedBy(WARM_UP_TURNS));
        }
        changes.put(server, new ArrayList<>());
        reads.put(server, new ArrayList<>());
      }
      for (int round = 1; round <= plan.rounds(); round++) {
        for (Server server : servers) {
          ShopLoad load = loads.get(server);
          stage.settle(server);
          load.reconnect(); // who waited for the others has closed its connections
          if (server.stores()) {
            changes.get(server).add(load.closed(Kind.CHANGE, plan.turn()));
          }
          reads.get(server).add(load.closed(Kind.READ, plan.turn()));
          progress.accept(
              "round %d, %s: %s%,.0f reads/s"
                  .formatted(
                      round,
                      server.title(),
                      server.stores()
                          ? "%,.0f changes/s, ".formatted(changes.get(server).getLast().perSecond())
                          : "",
                      reads.get(server).getLast().perSecond()));
        }
      }
      return new Result(changes, reads);
    } finally {
      for (ShopLoad load : loads.values()) {
        load.close();
      }
      for (Server server : servers) {
        stage.stop(server);
      }
    }
  }
}
