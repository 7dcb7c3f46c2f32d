package dev.holdfast.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigResolveOptions;
import dev.holdfast.cluster.ClusterSettings;
import dev.holdfast.feed.FeedSettings;
import dev.holdfast.http.ApiKey;
import dev.holdfast.http.ApiKeys;
import dev.holdfast.http.HttpSettings;
import dev.holdfast.http.ServerTls;
import dev.holdfast.http.SessionTokens;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.RetentionSettings;
import dev.holdfast.kubernetes.PodSettings;
import dev.holdfast.telemetry.LogFormat;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import dev.holdfast.user.User;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The configuration, read once and checked whole. Each setting has its default and its reason in
 * {@code reference.conf}; later sources win: that file, a file of the user's, environment
 * variables, command-line options.
 *
 * <p>Every setting can be given as an environment variable: {@code holdfast.cluster.shards} is
 * {@code HOLDFAST_CLUSTER_SHARDS}. {@code HOLDFAST_CLUSTER_SHARDS_FILE} names a file that holds the
 * value instead, without the white space at its end.
 *
 * @param node the name of this node, shown to people
 * @param data the folder of the embedded journal, and of a token key that was made for want of one
 * @param postgres where the journal is instead, or null for the embedded one
 * @param tokenKeys the cluster's; empty for one of its own in the data folder
 * @param keyFiles the files that lists of keys were read from, if they were
 * @param pod the pod of Kubernetes that this process is in; null if it need not know
 * @param log how its lines look
 * @param pekko the whole configuration, from which Pekko takes its part
 */
public record Settings(
    String node,
    Path data,
    @Nullable PostgresOptions postgres,
    HttpSettings http,
    ClusterSettings cluster,
    JournalSettings journal,
    RetentionSettings retention,
    FeedSettings feed,
    Limits limits,
    List<SessionTokens.Key> tokenKeys,
    KeyFiles keyFiles,
    @Nullable PodSettings pod,
    LogFormat log,
    Config pekko) {

  /** The folder of the embedded journal where none is named. */
  public static final String DEFAULT_DATA = "holdfast-data";

  static final String ROOT = "holdfast";

  /** What a user in memory takes, sessions and an ordinary cart included, with room to work. */
  private static final long BYTES_A_USER = 8 * 1024;

  public Settings {
    tokenKeys = List.copyOf(tokenKeys);
  }

  /**
   * Reads the settings.
   *
   * @param file of the user's, in HOCON, or null
   * @param environment of the process
   * @param options from the command line, by key below {@code holdfast}, such as {@code port}
   * @throws InvalidSetting if one of them cannot be used
   */
  public static Settings load(
      @Nullable Path file, Map<String, String> environment, Map<String, String> options) {
    Config reference = ConfigFactory.parseResources("reference.conf");
    Config given =
        prefixed(options)
            .withFallback(prefixed(fromEnvironment(environment, reference)))
            .withFallback(file == null ? ConfigFactory.empty() : parse(file));
    refuseUnknown(given, reference);
    try {
      return read(
          given
              .withFallback(ConfigFactory.parseResources("application.conf"))
              .withFallback(ConfigFactory.defaultReference())
              .resolve(ConfigResolveOptions.defaults()),
          keyFiles(environment));
    } catch (ConfigException | IllegalArgumentException e) {
      throw new InvalidSetting("the configuration cannot be used: " + e.getMessage());
    }
  }

  private static Settings read(Config config, KeyFiles keyFiles) {
    var in = new SettingsReader(config.getConfig(ROOT));
    String node =
        in.text(
            "node",
            "1 to 63 letters, digits, dots, hyphens or underscores",
            value -> value.matches("[A-Za-z0-9._-]{1,63}"));
    RetentionSettings retention = RetentionSettings.from(config);
    Limits limits =
        new Limits(
            in.bytes("limits.attributes", 0, 1 << 20),
            in.bytes("limits.line-attributes", 0, 1 << 20),
            in.integer("limits.cart-lines", 1, 10_000),
            in.integer("limits.quantity", 1, 1_000_000),
            in.integer("limits.sessions", 1, 1_000),
            in.integer("limits.idempotency-keys", 1, 100_000),
            in.integer("limits.changes-a-minute", 1, 1_000_000),
            in.duration("lifetimes.cart", Duration.ofSeconds(1), Duration.ofDays(3650)).toMillis(),
            abandonedCart(in),
            retention.history().toMillis());
    return new Settings(
        node,
        Path.of(in.text("data", "a folder", value -> !value.isBlank())),
        postgres(in),
        http(in, node, limits),
        new ClusterSettings(
            in.integer("cluster.shards", 1, 10_000),
            usersInMemory(in),
            in.duration("agenda.interval", Duration.ofMillis(10), Duration.ofMinutes(10)),
            in.integer("agenda.parallel", 1, 10_000),
            in.duration("cluster.drain", Duration.ZERO, Duration.ofHours(1)),
            eventForm(in),
            place(in, node)),
        JournalSettings.from(config),
        retention,
        new FeedSettings(
            in.duration("feed.keep-for-consumers", Duration.ofSeconds(1), Duration.ofDays(3650))),
        limits,
        tokenKeys(in),
        keyFiles,
        pod(in),
        LogFormat.valueOf(
            in.text("log", "text or json", value -> value.matches("text|json"))
                .toUpperCase(Locale.ROOT)),
        config);
  }

  private static ClusterSettings.Place place(SettingsReader in, String node) {
    String host =
        in.text(
            "cluster.host",
            "a host name or an address that other nodes reach",
            value -> value.matches("[A-Za-z0-9.:_-]{1,253}"));
    String bindHost =
        in.text(
            "cluster.bind-host",
            "an address of this machine, or nothing",
            value -> value.matches("[A-Za-z0-9.:_-]{0,253}"));
    return new ClusterSettings.Place(
        node,
        host,
        bindHost.isEmpty() ? host : bindHost,
        in.integer("cluster.port", 0, 65_535),
        in.integer("cluster.wire-port", 0, 65_535),
        tls(in));
  }

  /** All three files, or none. */
  private static ClusterSettings.@Nullable Tls tls(SettingsReader in) {
    var files = new ArrayList<Path>();
    for (String key : List.of("certificate", "key", "authority")) {
      String file =
          in.text(
              "cluster.tls." + key,
              "a PEM file that can be read",
              value -> value.isBlank() || Files.isReadable(Path.of(value)));
      if (!file.isBlank()) {
        files.add(Path.of(file));
      }
    }
    if (files.isEmpty()) {
      return null;
    }
    if (files.size() < 3) {
      throw in.invalid(
          "cluster.tls.certificate",
          "a file, like tls.key and tls.authority, or none of the three");
    }
    return new ClusterSettings.Tls(files.get(0), files.get(1), files.get(2));
  }

  private static HttpSettings http(SettingsReader in, String node, Limits limits) {
    Duration least = in.duration("lifetimes.least", Duration.ofMillis(100), Duration.ofDays(1));
    Duration years = Duration.ofDays(3650);
    Duration greatestIdle = in.duration("lifetimes.greatest-idle", least, years);
    Duration greatestAbsolute = in.duration("lifetimes.greatest-absolute", least, years);
    Duration second = Duration.ofSeconds(1);
    Duration hour = Duration.ofHours(1);
    return new HttpSettings(
        node,
        host(in),
        in.integer("port", 0, 65_535),
        new ApiKeys(
            apiKeys(in, "api-keys", ApiKey.Kind.APPLICATION),
            apiKeys(in, "admin-keys", ApiKey.Kind.ADMINISTRATOR)),
        requestsASecond(in),
        serverTls(in),
        in.flag("insecure"),
        new HttpSettings.Lifetimes(
            in.duration("lifetimes.idle", least, greatestIdle),
            least,
            greatestIdle,
            in.duration("lifetimes.absolute", least, greatestAbsolute),
            least,
            greatestAbsolute),
        limits,
        new HttpSettings.Bounds(
            in.bytes("http.body", 1024, 16 << 20),
            in.bytes("http.request-line", 256, 64 * 1024),
            in.bytes("http.headers", 1024, 1 << 20),
            in.integer("http.connections", 1, 1_000_000),
            in.integer("http.requests-in-hand", 1, 1_000_000),
            in.duration("http.receiving", Duration.ofMillis(100), hour),
            in.duration("http.answering", Duration.ofMillis(100), hour),
            in.duration("http.idle", second, hour),
            in.integer("http.streams", 0, 1_000_000),
            in.duration("http.heartbeat", second, hour),
            in.duration("http.deadline", Duration.ofMillis(100), Duration.ofSeconds(30)),
            in.duration("http.stopping", Duration.ZERO, hour)));
  }

  /** Without a key every caller holds every right, so there only callers on this machine may be. */
  private static String host(SettingsReader in) {
    String host = in.text("host", "a host name or an address", value -> !value.isBlank());
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw in.invalid("host", "a host name or an address of this machine");
    }
    if (!address.isLoopbackAddress() && in.texts("api-keys").isEmpty() && !in.flag("insecure")) {
      throw in.invalid("host", "a loopback address, unless there are api-keys or insecure is set");
    }
    return host;
  }

  private static @Nullable PostgresOptions postgres(SettingsReader in) {
    String url = in.text("postgres", "a URL", value -> true);
    String schema =
        in.text(
            "postgres-schema",
            "1 to 63 lower-case letters, digits and underscores",
            value -> value.matches("[a-z_][a-z0-9_]{0,62}"));
    int readers = in.integer("journal.recovery.readers", 1, 100);
    int writers = in.integer("journal.batch.lanes", 1, 16);
    if (url.isBlank()) {
      return null;
    }
    try {
      return new PostgresOptions(PostgresOptions.jdbc(url), schema, readers, writers);
    } catch (IllegalArgumentException e) {
      throw in.invalid(
          "postgres", "a URL such as postgresql://user:password@host/database: " + e.getMessage());
    }
  }

  /** {@return where the journal is, for people: without user and password} */
  public String journalPlace() {
    return postgres == null ? data.toAbsolutePath().normalize().toString() : postgres.place();
  }

  private static long abandonedCart(SettingsReader in) {
    String key = "lifetimes.abandoned-cart";
    return in.text(key, "off, or a duration", text -> true).equals("off")
        ? User.NEVER
        : in.duration(key, Duration.ofSeconds(1), Duration.ofDays(3650)).toMillis();
  }

  private static @Nullable PodSettings pod(SettingsReader in) {
    String name =
        in.text(
            "kubernetes.pod",
            "the name of a pod, or nothing",
            value -> value.isEmpty() || value.matches(PodSettings.NAME));
    String api =
        in.text(
            "kubernetes.api",
            "a URL without a path, such as https://kubernetes.default.svc",
            value -> value.matches("https?://[A-Za-z0-9.:\\[\\]-]+"));
    Path account = Path.of(in.text("kubernetes.account", "a folder", value -> !value.isBlank()));
    return name.isEmpty() ? null : new PodSettings(name, URI.create(api), account);
  }

  private static int eventForm(SettingsReader in) {
    String key = "cluster.event-form";
    return in.text(key, "auto, or a number", text -> true).equals("auto")
        ? Integer.MAX_VALUE
        : in.integer(key, 1, Event.newestForm());
  }

  private static int usersInMemory(SettingsReader in) {
    String key = "cluster.users-in-memory";
    String allowed = "auto, or a whole number from 100 to 100000000";
    String value = in.text(key, allowed, text -> text.matches("auto|[0-9]{3,9}"));
    if (!value.equals("auto")) {
      return in.integer(key, 100, 100_000_000);
    }
    // Half of the heap for users, the rest to work in.
    return (int) Math.max(1_000, Runtime.getRuntime().maxMemory() / 2 / BYTES_A_USER);
  }

  private static List<ApiKey> apiKeys(SettingsReader in, String setting, ApiKey.Kind kind) {
    try {
      return KeyLists.apiKeys(in.texts(setting), kind);
    } catch (IllegalArgumentException e) {
      throw in.invalid(setting, kind.form());
    }
  }

  private static List<SessionTokens.Key> tokenKeys(SettingsReader in) {
    try {
      return KeyLists.tokenKeys(in.texts("token-keys"));
    } catch (IllegalArgumentException e) {
      throw in.invalid("token-keys", KeyLists.TOKEN_KEY_FORM + ", with an id of its own each");
    }
  }

  /** The files that lists of keys come from, to be read again when they change. */
  private static KeyFiles keyFiles(Map<String, String> environment) {
    return new KeyFiles(
        file(environment, "API_KEYS"),
        file(environment, "ADMIN_KEYS"),
        file(environment, "TOKEN_KEYS"));
  }

  private static @Nullable Path file(Map<String, String> environment, String setting) {
    String file = environment.get("HOLDFAST_" + setting + "_FILE");
    return file == null ? null : Path.of(file);
  }

  private static @Nullable ServerTls serverTls(SettingsReader in) {
    @Nullable Path certificate = pem(in, "http.tls.certificate");
    @Nullable Path key = pem(in, "http.tls.key");
    @Nullable Path clients = pem(in, "http.tls.client-authority");
    if (certificate == null && key == null && clients == null) {
      return null;
    }
    if (certificate == null || key == null) {
      throw in.invalid(
          "http.tls.certificate", "a file, like http.tls.key, or none of the three of http.tls");
    }
    try {
      return ServerTls.load(new ServerTls.Files(certificate, key, clients));
    } catch (IOException e) {
      throw in.invalid("http.tls.certificate", "usable with its key: " + e.getMessage());
    }
  }

  private static @Nullable Path pem(SettingsReader in, String key) {
    String file =
        in.text(
            key,
            "a PEM file that can be read",
            value -> value.isBlank() || Files.isReadable(Path.of(value)));
    return file.isBlank() ? null : Path.of(file);
  }

  private static int requestsASecond(SettingsReader in) {
    String key = "http.requests-a-second";
    return in.text(key, "off, or a number of requests", text -> true).equals("off")
        ? 0
        : in.integer(key, 1, 1_000_000);
  }

  private static Config parse(Path file) {
    if (!Files.isReadable(file)) {
      throw new InvalidSetting("the configuration file " + file + " cannot be read");
    }
    try {
      return ConfigFactory.parseFile(
          file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
    } catch (ConfigException e) {
      throw new InvalidSetting("the configuration file is not valid: " + e.getMessage());
    }
  }

  private static Config prefixed(Map<String, String> values) {
    var prefixed = new HashMap<String, String>();
    values.forEach((key, value) -> prefixed.put(ROOT + "." + key, value));
    return ConfigFactory.parseMap(prefixed);
  }

  private static Map<String, String> fromEnvironment(
      Map<String, String> environment, Config reference) {
    var found = new HashMap<String, String>();
    for (String key : keys(reference)) {
      String name = variable(key);
      String value = fromFile(environment, name);
      // Kubernetes puts tcp://address:port into HOLDFAST_PORT where a service is named holdfast.
      if (value != null && !(name.equals("HOLDFAST_PORT") && value.startsWith("tcp://"))) {
        found.put(key, value);
      }
    }
    return found;
  }

  /** {@return the environment variable of a setting, whose key is without {@code holdfast.}} */
  public static String variable(String key) {
    return (ROOT + "." + key).replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /**
   * {@return what the environment of this process says of a setting, itself or by the file that it
   * names; null for nothing}
   *
   * @param key without {@code holdfast.}
   * @throws InvalidSetting if it says it in both ways, or the file cannot be read
   */
  public static @Nullable String ofEnvironment(String key) {
    return fromFile(System.getenv(), variable(key));
  }

  /** A secret is better in a file, which no crash report and no child process repeats. */
  private static @Nullable String fromFile(Map<String, String> environment, String name) {
    String value = environment.get(name);
    String file = environment.get(name + "_FILE");
    if (file == null) {
      return value;
    }
    if (value != null) {
      throw new InvalidSetting(name + " and " + name + "_FILE are both set; set one of them");
    }
    try {
      return Files.readString(Path.of(file)).stripTrailing();
    } catch (IOException | InvalidPathException e) {
      throw new InvalidSetting(
          name + "_FILE names " + file + ", which cannot be read as text: " + e.getMessage());
    }
  }

  private static void refuseUnknown(Config given, Config reference) {
    List<String> known = keys(reference);
    for (String key : keys(given)) {
      if (!known.contains(key)) {
        throw new InvalidSetting(
            "there is no setting "
                + ROOT
                + "."
                + key
                + "; there are "
                + String.join(", ", known.stream().map(k -> ROOT + "." + k).toList()));
      }
    }
  }

  private static List<String> keys(Config config) {
    return config.hasPath(ROOT)
        ? config.getConfig(ROOT).entrySet().stream().map(Map.Entry::getKey).sorted().toList()
        : List.of();
  }
}
