package dev.holdfast.benchmarks.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The servers and their stores. Whatever it started ends with it. */
final class Stage implements AutoCloseable {

  /** The flags of Holdfast's launcher, for all. */
  private static final List<String> FLAGS =
      List.of(
          "-XX:+UseCompactObjectHeaders",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+ExitOnOutOfMemoryError");

  private static final int SESSION_BYTES = 2_180;

  private final Path root;
  private final Path work;
  private final String heap;
  private final String tokenKey;
  private final Map<Server, List<ServerProcess>> running = new EnumMap<>(Server.class);
  private final Map<String, Redis> redis = new HashMap<>();
  private @Nullable Postgres postgres;
  private int started;

  /**
   * @param root of the repository
   * @param work a folder for everything
   * @param heap of each server, such as {@code 1g}
   */
  Stage(Path root, Path work, String heap) {
    this.root = root;
    this.work = work;
    this.heap = heap;
    byte[] secret = new byte[32];
    new SecureRandom().nextBytes(secret);
    this.tokenKey = "1:" + Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
  }

  Postgres postgres() throws IOException, SQLException {
    if (postgres == null) {
      postgres = new Postgres(work);
    }
    return postgres;
  }

  private Redis redis(String appendFsync) throws IOException, InterruptedException {
    Redis one = redis.get(appendFsync);
    if (one == null) {
      one = new Redis(work.resolve("redis-" + appendFsync), appendFsync);
      redis.put(appendFsync, one);
    }
    return one;
  }

  /** Starts a server, and what it needs. */
  List<URI> start(Server server) throws Exception {
    List<ServerProcess> processes =
        switch (server) {
          case HOLDFAST, ONE -> {
            postgres().create(server.id());
            yield List.of(node(server.id(), freePort(), Map.of()));
          }
          case THREE -> {
            postgres().create(server.id());
            var nodes = new ArrayList<ServerProcess>();
            for (int i = 0; i < 3; i++) {
              nodes.add(node(server.id(), freePort(), Map.of()));
            }
            yield nodes;
          }
          case SPRING_ALWAYS -> List.of(spring(redis("always")));
          case SPRING_EVERYSEC -> List.of(spring(redis("everysec")));
          case THIN_ALWAYS -> List.of(thin(redis("always")));
          case THIN_EVERYSEC -> List.of(thin(redis("everysec")));
          case CONSTANT -> List.of(constant());
        };
    running.put(server, processes);
    return processes.stream().map(ServerProcess::url).toList();
  }

  /**
   * A node with its journal in PostgreSQL, which the caller ends or hands over by {@link #start}.
   *
   * @param environment settings of its own
   */
  ServerProcess node(String database, int port, Map<String, String> environment) throws Exception {
    int number = ++started;
    var settings = new HashMap<>(environment);
    settings.put("HOLDFAST_NODE", "node-" + number);
    settings.put("HOLDFAST_TOKEN_KEYS", tokenKey);
    Path run = root.resolve("target/run");
    List<String> options =
        Files.exists(run.resolve("holdfast.aot"))
            ? List.of(
                "-Xlog:aot*=off", "-Xlog:cds*=off", "-XX:AOTCache=" + run.resolve("holdfast.aot"))
            : List.of();
    return ServerProcess.start(
        java(
            options,
            "-jar",
            run.resolve("holdfast.jar").toString(),
            "serve",
            "--port",
            Integer.toString(port),
            "--data",
            work.resolve("data-" + number).toString(),
            "--postgres",
            postgres().url(database)),
        settings,
        log("holdfast-" + number));
  }

  private ServerProcess spring(Redis store) throws IOException {
    return ServerProcess.start(
        java(
            List.of(),
            "-cp",
            classPath("spring"),
            "dev.holdfast.benchmarks.spring.Shop",
            "--spring.data.redis.port=" + store.port()),
        Map.of(),
        log("spring-" + store.port()));
  }

  private ServerProcess thin(Redis store) throws IOException {
    return ServerProcess.start(
        java(
            List.of("-Djava.util.logging.config.file=" + quiet()),
            "-cp",
            classPath("thin"),
            "dev.holdfast.benchmarks.thin.Shop",
            store.url()),
        Map.of(),
        log("thin-" + store.port()));
  }

  private ServerProcess constant() throws IOException {
    String filling = "x".repeat(SESSION_BYTES);
    Path body = work.resolve("constant.json");
    Files.writeString(
        body,
        "{\"sku\":\"sku-4\",\"filling\":\"" + filling.substring(33) + "\"}",
        StandardCharsets.US_ASCII);
    return ServerProcess.start(
        java(
            List.of("-Djava.util.logging.config.file=" + quiet()),
            "-cp",
            classPath("thin"),
            "dev.holdfast.benchmarks.thin.Constant",
            body.toString()),
        Map.of(),
        log("constant"));
  }

  private Path quiet() {
    return root.resolve("benchmarks/http/thin/target/classes/logging.properties");
  }

  private String classPath(String module) {
    Path target = root.resolve("benchmarks/http").resolve(module).resolve("target");
    return target.resolve("classes") + ":" + target.resolve("lib") + "/*";
  }

  private List<String> java(List<String> options, String... program) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(FLAGS);
    command.add("-Xms" + heap);
    command.add("-Xmx" + heap);
    command.addAll(options);
    command.addAll(List.of(program));
    return command;
  }

  private Path log(String name) {
    return work.resolve(name + ".log");
  }

  static int freePort() throws IOException {
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  /** The processes of a server. */
  List<ServerProcess> processes(Server server) {
    return running.getOrDefault(server, List.of());
  }

  /** Has the server's store do now what it would do some time. */
  void settle(Server server) throws Exception {
    switch (server) {
      case HOLDFAST, ONE, THREE -> postgres().settle(server.id());
      case SPRING_ALWAYS, THIN_ALWAYS -> redis("always").settle();
      case SPRING_EVERYSEC, THIN_EVERYSEC -> redis("everysec").settle();
      case CONSTANT -> {}
    }
  }

  /** What the stores are. */
  String stores() throws Exception {
    var text = new ArrayList<String>();
    if (postgres != null) {
      text.add("PostgreSQL " + postgres.version());
    }
    for (Redis one : redis.values()) {
      text.add("Redis " + one.version());
    }
    return String.join(", ", text.stream().distinct().toList());
  }

  /** Ends a server. */
  void stop(Server server) {
    processes(server).forEach(ServerProcess::close);
    running.remove(server);
  }

  @Override
  public void close() throws IOException {
    for (Server server : List.copyOf(running.keySet())) {
      stop(server);
    }
    redis.values().forEach(Redis::close);
    if (postgres != null) {
      postgres.close();
    }
  }
}
