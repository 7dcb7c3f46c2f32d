package dev.holdfast.http;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.cluster.Changes;
import dev.holdfast.cluster.ClusterSettings;
import dev.holdfast.cluster.Host;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.Practice;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.feed.JournaledEventLog;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A real node with its journal in a folder, whose API is served as often as a test needs it. */
final class TestNode implements AutoCloseable {

  static final String API_KEY = "a-key-of-the-shop";
  static final String ADMIN_KEY = "a-key-of-the-operator";
  static final SessionTokens TOKENS =
      new SessionTokens(
          List.of(
              SessionTokens.Key.of(
                  7, "a secret of thirty-two bytes, or more".getBytes(StandardCharsets.UTF_8))));

  private static final byte[] OWNER_SECRET =
      "another secret of thirty-two bytes".getBytes(StandardCharsets.UTF_8);

  private final Journal journal;
  private final Node node;
  private final FaultyUsers users;
  private final TestCluster cluster = new TestCluster();
  private final FaultyLog log;
  private final List<ApiServer> servers = new ArrayList<>();
  private volatile @Nullable String unhealthy;

  private TestNode(Journal journal, Node node) {
    this.journal = journal;
    this.node = node;
    this.users = new FaultyUsers(node.users());
    this.log = new FaultyLog(new JournaledEventLog(journal, InstantSource.system()::millis));
  }

  /**
   * The time, but never a whole second: its text has no milliseconds, and two answers that are
   * compared for their lengths may be of two moments.
   */
  private static Instant now() {
    Instant now = Instant.now();
    return now.toEpochMilli() % 1_000 == 0 ? now.plusMillis(1) : now;
  }

  static TestNode start(Path folder) throws JournalUnusable {
    Config config = ConfigFactory.load();
    NodeId id = NodeId.random();
    var store = SqliteStore.open(folder, SqliteOptions.defaults());
    store.nodes().claim(id, store.nodes().incarnation().number(), Duration.ZERO);
    var journal =
        Journal.start(store, id, JournalSettings.from(config), InstantSource.system(), () -> {});
    LongSupplier running = () -> Duration.ofNanos(System.nanoTime()).toMillis();
    var clock = new TrustedClock(TestNode::now, running, running);
    return new TestNode(
        journal,
        Node.start(
            config,
            new ClusterSettings(10, 100_000, Duration.ofSeconds(1), 8),
            journal,
            clock,
            Limits.defaults(),
            new Host(List.of(), OwnerKeys.of(OWNER_SECRET), Duration.ZERO, () -> {}, () -> {})));
  }

  /** Serves the API without keys, as on a developer's machine. */
  Client serve() throws BindException {
    return serve(HttpSettings.Bounds.defaults());
  }

  Client serve(HttpSettings.Bounds bounds) throws BindException {
    return new Client(start(bounds, List.of(), false).port());
  }

  ApiServer start(HttpSettings.Bounds bounds, List<byte[]> apiKeys, boolean insecure)
      throws BindException {
    return start(0, bounds, apiKeys, insecure);
  }

  ApiServer startOn(int port) throws BindException {
    return start(port, HttpSettings.Bounds.defaults(), List.of(), false);
  }

  private ApiServer start(
      int port, HttpSettings.Bounds bounds, List<byte[]> apiKeys, boolean insecure)
      throws BindException {
    return start(port, bounds, keys(apiKeys), 0, null, insecure);
  }

  /** Any keys, as {@code [name:]hash[:scopes]}, any limit, any TLS. */
  ApiServer start(ApiKeys keys, int requestsASecond, @Nullable ServerTls tls) throws BindException {
    return start(0, HttpSettings.Bounds.defaults(), keys, requestsASecond, tls, false);
  }

  ApiServer start(HttpSettings.Bounds bounds, ServerTls tls) throws BindException {
    return start(0, bounds, ApiKeys.NONE, 0, tls, false);
  }

  ApiServer start(HttpSettings.Bounds bounds, ApiKeys keys) throws BindException {
    return start(0, bounds, keys, 0, null, false);
  }

  private static ApiKeys keys(List<byte[]> apiKeys) {
    return apiKeys.isEmpty()
        ? ApiKeys.NONE
        : new ApiKeys(
            apiKeys.stream().map(hash -> ApiKey.of(ApiKey.Kind.APPLICATION, hash)).toList(),
            List.of(ApiKey.of(ApiKey.Kind.ADMINISTRATOR, hash(ADMIN_KEY))));
  }

  private ApiServer start(
      int port,
      HttpSettings.Bounds bounds,
      ApiKeys keys,
      int requestsASecond,
      @Nullable ServerTls tls,
      boolean insecure)
      throws BindException {
    ApiServer server =
        ApiServer.start(
            settings(port, bounds, keys, requestsASecond, tls, insecure),
            users,
            cluster,
            log,
            node.changes(),
            TOKENS,
            OwnerKeys.of(OWNER_SECRET),
            new Health() {
              @Override
              public @Nullable String whyNotLive() {
                return unhealthy;
              }

              @Override
              public @Nullable String whyNotReady() {
                return unhealthy;
              }
            },
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    servers.add(server);
    return server;
  }

  private static HttpSettings settings(
      int port,
      HttpSettings.Bounds bounds,
      ApiKeys keys,
      int requestsASecond,
      @Nullable ServerTls tls,
      boolean insecure) {
    return new HttpSettings(
        "node-1",
        "127.0.0.1",
        port,
        keys,
        requestsASecond,
        tls,
        insecure,
        HttpSettings.Lifetimes.defaults(),
        Limits.defaults(),
        bounds);
  }

  /** {@return how the API is served without keys} */
  static HttpSettings settings() {
    return settings(0, HttpSettings.Bounds.defaults(), ApiKeys.NONE, 0, null, false);
  }

  /** Serves the API to whoever comes once a second, twice at most. */
  Client serveLimited() throws BindException {
    return new Client(start(ApiKeys.NONE, 1, null).port());
  }

  /** Serves the API to callers who show {@link #API_KEY}. */
  Client serveWithKey() throws BindException {
    return new Client(start(HttpSettings.Bounds.defaults(), List.of(hash(API_KEY)), false).port());
  }

  /** {@return the owner key of a known user of such a node} */
  static OwnerKey ofUser(String userId) {
    return OwnerKeys.of(OWNER_SECRET).ofUser(userId);
  }

  static byte[] hash(String key) {
    return Hashes.sha256().digest(key.getBytes(StandardCharsets.UTF_8));
  }

  TestCluster cluster() {
    return cluster;
  }

  Changes changes() {
    return node.changes();
  }

  FaultyLog log() {
    return log;
  }

  FaultyUsers users() {
    return users;
  }

  Practice practice() {
    return node.practice(JournalSettings.from(ConfigFactory.load()));
  }

  /** {@return how many users' actors were ever started} */
  long actorsStarted() {
    return node.population().started();
  }

  /** {@return how many events were journaled, whether they are still kept or not} */
  long eventsWritten() {
    return journal.metrics().events();
  }

  /** Makes probes say no, for this reason; null makes them say yes again. */
  void unhealthy(@Nullable String why) {
    unhealthy = why;
  }

  @Override
  public void close() {
    servers.forEach(ApiServer::close);
    node.close();
    journal.close();
  }
}
