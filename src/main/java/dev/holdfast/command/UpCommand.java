package dev.holdfast.command;

import dev.holdfast.app.Settings;
import dev.holdfast.http.ApiKey;
import dev.holdfast.http.ApiKeys;
import dev.holdfast.http.Hashes;
import dev.holdfast.local.LocalCluster;
import dev.holdfast.local.LocalCluster.Plan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code up}: everything on this machine, to try it and to develop against it. */
@Command(
    name = "up",
    description = {
      "Runs Holdfast on this machine until Ctrl-C: nodes as processes of their own, behind one"
          + " address, with an embedded journal unless told otherwise.",
      "A node that ends is started again. Logs are in the data folder, below logs."
    },
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {

  private static final int MOST_NODES = 16;
  private static final long LOG_BYTES = 16L * 1024 * 1024;
  private static final int ADMIN_KEY_BYTES = 32;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Mixin private final NodeOptions options = new NodeOptions();

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "How many nodes, 1 to " + MOST_NODES + " (3).",
      defaultValue = "${env:HOLDFAST_NODES:-3}")
  private int nodes;

  @Option(names = "--no-restart", description = "Leave a node that ended as it is.")
  private boolean noRestart;

  @Option(names = "--json", description = "Print each line as JSON.")
  private boolean json;

  private final AtomicReference<@Nullable LocalCluster> running = new AtomicReference<>();
  private volatile boolean toldToEnd;
  private volatile boolean failed;

  @Override
  public Integer call() throws Exception {
    if (nodes < 1 || nodes > MOST_NODES) {
      throw new ParameterException(
          spec.commandLine(), "--nodes is " + nodes + "; it must be 1 to " + MOST_NODES);
    }
    Settings settings = options.settings();
    if (settings.http().tls() != null) {
      throw new ParameterException(
          spec.commandLine(),
          "the front of up speaks no TLS: take holdfast.http.tls out of the settings, or use"
              + " serve");
    }
    Runtime.getRuntime()
        .addShutdownHook(Thread.ofPlatform().name("holdfast-stop").unstarted(this::end));
    var lines = new UpLines(spec.commandLine().getOut(), json);
    try {
      LocalCluster cluster = LocalCluster.start(plan(settings), lines::news);
      running.set(cluster);
      if (isForThisMachineOnly(settings)) {
        cluster.openShop();
      }
      lines.journal(settings.journalPlace());
      cluster.awaitReady();
      lines.ready(cluster.url());
    } catch (IOException e) {
      if (!toldToEnd) {
        failed = true;
        close();
        throw e;
      }
      // It failed because it is ended, which is being done.
    }
    new CountDownLatch(1).await();
    return 0;
  }

  private Plan plan(Settings settings) {
    Path data = settings.data().toAbsolutePath().normalize();
    Map<String, String> environment = options.environment();
    environment.put("HOLDFAST_DATA", data.toString());
    if (settings.postgres() == null && nodes > 1) {
      environment.put("HOLDFAST_JOURNAL_SHARED", "true");
    }
    return new Plan(
        nodes,
        settings.http().host(),
        settings.http().port(),
        data,
        environment,
        settings.tokenKeys().isEmpty(),
        adminKey(settings, environment),
        !(noRestart || Boolean.parseBoolean(System.getenv("HOLDFAST_NO_RESTART"))),
        LOG_BYTES);
  }

  /** Where others may come to, nobody is given a button that kills nodes. */
  private static boolean isForThisMachineOnly(Settings settings) {
    return !settings.http().keys().any() && !settings.http().insecure();
  }

  /**
   * {@return a key of its own with which the nodes tell it of their cluster, where they want one}
   *
   * @param environment to which its hash is added
   */
  private static @Nullable String adminKey(Settings settings, Map<String, String> environment) {
    ApiKeys keys = settings.http().keys();
    if (!keys.any()) {
      return null;
    }
    byte[] secret = new byte[ADMIN_KEY_BYTES];
    new SecureRandom().nextBytes(secret);
    String key = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    var known = new ArrayList<>(keys.administrators());
    known.add(
        ApiKey.of(
            ApiKey.Kind.ADMINISTRATOR,
            Hashes.sha256().digest(key.getBytes(StandardCharsets.US_ASCII))));
    environment.remove("HOLDFAST_ADMIN_KEYS_FILE");
    environment.put(
        "HOLDFAST_ADMIN_KEYS", known.stream().map(ApiKey::text).collect(Collectors.joining(",")));
    return key;
  }

  /** In the hook, when the process is told to end, or ends since it failed. */
  private void end() {
    toldToEnd = true;
    close();
    if (!failed) {
      // Told to end and did so: that is status 0, whichever signal said it.
      Runtime.getRuntime().halt(0);
    }
  }

  private void close() {
    LocalCluster cluster = running.get();
    if (cluster != null) {
      cluster.close();
    }
  }
}
