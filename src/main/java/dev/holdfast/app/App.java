package dev.holdfast.app;

import dev.holdfast.cluster.Host;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.Practice;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.feed.ConsumerWatch;
import dev.holdfast.feed.JournaledEventLog;
import dev.holdfast.http.ApiKey;
import dev.holdfast.http.ApiServer;
import dev.holdfast.http.Health;
import dev.holdfast.http.ServerTls;
import dev.holdfast.http.SessionTokens;
import dev.holdfast.http.WarmUp;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresStore;
import dev.holdfast.journal.Retention;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.kubernetes.DeletionCost;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running node: journal, actors and HTTP, started in that order and stopped in the other. */
public final class App implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(App.class);

  /** Whoever holds the embedded journal's folder is alone with it: earlier nodes are dead. */
  private static final Duration ALONE = Duration.ZERO;

  /** After so long without a renewal, which comes five times as often, a cluster is gone. */
  private static final Duration CLUSTER_SILENCE = Duration.ofSeconds(5);

  /** How long a database that is not there yet is waited for. */
  private static final Duration DATABASE = Duration.ofSeconds(60);

  private static final long BETWEEN_LOOKS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /**
   * Far above any pause of a healthy node: who is not live is killed, and all its users must move.
   */
  private static final Duration STUCK = Duration.ofSeconds(20);

  /** Where others serve nobody waits for this one; and they may be few. */
  private static final Duration WARM_UP = Duration.ofSeconds(5);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private @Nullable URI url;
  private volatile boolean warm;
  private volatile boolean stopping;
  private volatile boolean left;

  private App() {}

  /**
   * Starts a node and returns when it answers requests.
   *
   * @param onFenced halts the process at once, called when another node has taken this one's users
   * @throws JournalUnusable if the journal cannot be used, with what to do
   * @throws IOException if a file or port cannot be used
   */
  public static App start(Settings settings, Runnable onFenced)
      throws JournalUnusable, IOException {
    var app = new App();
    try {
      app.run(settings, onFenced);
      return app;
    } catch (JournalUnusable | IOException | RuntimeException e) {
      app.close();
      throw e;
    }
  }

  private void run(Settings settings, Runnable onFenced) throws JournalUnusable, IOException {
    settings.log().use();
    Thread.ofPlatform().daemon().name("holdfast-load").start(ApiServer::load);
    NodeId id = NodeId.random();
    JournalStore store = open(settings);
    parts.push(store);
    List<SessionTokens.Key> keys =
        settings.tokenKeys().isEmpty()
            ? List.of(TokenKeyFile.in(settings.data()))
            : settings.tokenKeys();
    var secret = OwnerSecret.of(store, keys);
    // Whoever has left may be fenced by the others before it does so itself.
    Runnable halt =
        () -> {
          if (!left) {
            onFenced.run();
          }
        };
    var journal = Journal.start(store, id, settings.journal(), InstantSource.system(), halt);
    parts.pop(); // from here on the journal closes it
    parts.push(journal);

    var clock = new TrustedClock(InstantSource.system(), BootTime::running, BootTime.clock());
    var node =
        Node.start(
            settings.pekko(),
            settings.cluster(),
            journal,
            clock,
            settings.limits(),
            new Host(
                keys.stream().map(SessionTokens.Key::mark).toList(),
                secret.keys(),
                isAlone(settings) ? ALONE : CLUSTER_SILENCE,
                halt,
                App::endProcess));
    parts.push(() -> journal.release(node.incarnation()));
    parts.push(() -> left = true);
    parts.push(node);
    parts.push(Retention.start(journal, settings.retention(), node::owners, () -> trusted(clock)));

    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Meters.bind(registry, journal, node);
    parts.push(
        ConsumerWatch.start(
            journal.feedReaders(),
            settings.feed().keep(),
            () -> trusted(clock),
            new ConsumerMeters(registry)::update));
    var log = new JournaledEventLog(journal, () -> clock.read().millis());
    parts.push(log);
    TokenKeyRing ring = TokenKeyRing.of(keys, node);
    ApiServer server =
        ApiServer.start(
            settings.http(),
            node.users(),
            node.membership(),
            log,
            node.changes(),
            ring.tokens(),
            secret.keys(),
            health(node),
            registry);
    parts.push(server);
    url =
        URI.create(
            (settings.http().tls() == null ? "http://" : "https://")
                + (settings.http().host().contains(":")
                    ? "[" + settings.http().host() + "]"
                    : settings.http().host())
                + ":"
                + server.port());
    secret.seal(keys);
    if (node.othersServe()) {
      try (Practice practice = node.practice(settings.journal())) {
        WarmUp.run(settings.http(), node.users(), practice, WARM_UP);
      }
    }
    warm = true;
    node.measures(() -> Meters.figures(journal, node, server));
    node.serves(url);
    parts.push(() -> {
      server.endsConnections();
      node.drain(settings.cluster().drain());
    });
    parts.push(watchSecrets(settings, server, ring, secret, registry));
    if (settings.pod() != null) {
      parts.push(DeletionCost.keep(settings.pod(), node::isOldest));
    }
    LOG.info("node {} ({}) serves {} from {}", settings.node(), id, url, settings.journalPlace());
  }

  /** Takes over what stands in files when it changes there: keys and certificates. */
  private static SecretFiles watchSecrets(
      Settings settings,
      ApiServer server,
      TokenKeyRing ring,
      OwnerSecret owners,
      PrometheusMeterRegistry metrics) {
    var secrets = new SecretFiles(metrics);
    Path apiKeys = settings.keyFiles().apiKeys();
    if (apiKeys != null) {
      secrets.watch(
          "api-keys",
          List.of(apiKeys),
          () ->
              server.accept(
                  ApiKey.Kind.APPLICATION, KeyLists.apiKeys(apiKeys, ApiKey.Kind.APPLICATION)));
    }
    Path adminKeys = settings.keyFiles().adminKeys();
    if (adminKeys != null) {
      secrets.watch(
          "admin-keys",
          List.of(adminKeys),
          () ->
              server.accept(
                  ApiKey.Kind.ADMINISTRATOR,
                  KeyLists.apiKeys(adminKeys, ApiKey.Kind.ADMINISTRATOR)));
    }
    Path tokenKeys = settings.keyFiles().tokenKeys();
    if (tokenKeys != null) {
      secrets.watch(
          "token-keys", List.of(tokenKeys), () -> ring.bring(KeyLists.tokenKeys(tokenKeys)));
      secrets.afterEachLook(ring::settle);
      secrets.afterEachLook(server::endRefusedStreams);
      secrets.afterEachLook(() -> owners.seal(ring.keys()));
    }
    ServerTls tls = settings.http().tls();
    if (tls != null) {
      secrets.watch("certificates", tls.files().all(), tls::reload);
    }
    secrets.start();
    return secrets;
  }

  private static OptionalLong trusted(TrustedClock clock) {
    TrustedClock.Reading now = clock.read();
    return now.trusted() ? OptionalLong.of(now.millis()) : OptionalLong.empty();
  }

  /** As SIGTERM does: the shutdown hook stops the node. On a thread of its own, since it waits. */
  private static void endProcess() {
    Thread.ofPlatform().name("holdfast-drained").start(() -> System.exit(0));
  }

  private static boolean isAlone(Settings settings) {
    return settings.postgres() == null && !settings.journal().shared();
  }

  private static JournalStore open(Settings settings) throws JournalUnusable {
    return settings.postgres() == null
        ? SqliteStore.open(
            settings.data(),
            new SqliteOptions(
                settings.journal().readers(), SqliteOptions.UNLIMITED, settings.journal().shared()))
        : openWhenThere(settings.postgres());
  }

  /** Where database and nodes are started together, the database may come later. */
  private static JournalStore openWhenThere(PostgresOptions options) throws JournalUnusable {
    long end = System.nanoTime() + DATABASE.toNanos();
    boolean told = false;
    while (true) {
      try {
        PostgresStore store = PostgresStore.open(options);
        store.warmUp();
        return store;
      } catch (JournalUnusable unusable) {
        if (unusable.problem() != JournalUnusable.Problem.UNREACHABLE
            || System.nanoTime() - end > 0) {
          throw unusable;
        }
        if (!told) {
          LOG.warn("{}; waiting for it", unusable.getMessage());
          told = true;
        }
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
    }
  }

  private Health health(Node node) {
    return new Health() {
      @Override
      public @Nullable String whyNotLive() {
        return node.sinceProgress().compareTo(STUCK) > 0
            ? "The node's actors make no progress."
            : null;
      }

      @Override
      public @Nullable String whyNotReady() {
        if (stopping) {
          return "The node is stopping.";
        }
        // Not asked: whether the journal takes writes. Each user has one owner, so going round this
        // node would reach them no better, and lose the reads of users in memory.
        if (!warm) {
          return "The node is warming up.";
        }
        if (!node.isUp()) {
          return "The node is not a member of the cluster.";
        }
        return node.mayAnswer() ? null : "The node does not hold the right to answer.";
      }
    };
  }

  /** {@return where the API is served, such as {@code http://127.0.0.1:8080}} */
  public URI url() {
    if (url == null) {
      throw new IllegalStateException("not started");
    }
    return url;
  }

  /**
   * Hands the users over to other nodes while it goes on answering, stops taking requests, answers
   * those in hand, leaves the cluster, and stops.
   */
  @Override
  public void close() {
    stopping = true;
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("{} did not stop in good order", part, e);
      }
    }
  }
}
