package dev.holdfast.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.http.ApiKey;
import dev.holdfast.http.HttpSettings;
import dev.holdfast.http.SessionTokens;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.telemetry.LogFormat;
import dev.holdfast.user.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SettingsTest {

  private static final String KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

  private static final String HASH = "0123456789abcdef".repeat(4);

  @TempDir private Path folder;

  @Test
  void hasTheDocumentedDefaults() {
    Settings settings = load(Map.of(), Map.of());
    assertThat(settings.node()).isEqualTo("node-1");
    assertThat(settings.data()).isEqualTo(Path.of(Settings.DEFAULT_DATA));
    assertThat(settings.tokenKeys()).isEmpty();
    assertThat(settings.log()).isEqualTo(LogFormat.TEXT);
    assertThat(settings.limits()).isEqualTo(Limits.defaults());
    HttpSettings http = settings.http();
    assertThat(http.host()).isEqualTo("127.0.0.1");
    assertThat(http.port()).isEqualTo(8080);
    assertThat(http.insecure()).isFalse();
    assertThat(http.keys().any()).isFalse();
    assertThat(http.requestsASecond()).isZero();
    assertThat(http.tls()).isNull();
    assertThat(http.limits()).isEqualTo(Limits.defaults());
    assertThat(http.lifetimes()).isEqualTo(HttpSettings.Lifetimes.defaults());
    assertThat(http.bounds()).isEqualTo(HttpSettings.Bounds.defaults());
    assertThat(settings.cluster().shards()).isEqualTo(60);
    assertThat(settings.cluster().usersInMemory()).isGreaterThanOrEqualTo(1_000);
    assertThat(settings.cluster().sweepInterval()).isEqualTo(Duration.ofSeconds(1));
    assertThat(settings.cluster().sweepParallel()).isEqualTo(32);
  }

  @Test
  void keepsTheJournalInPostgresWhenGivenItsUrl() {
    Settings settings =
        load(
            Map.of(
                "HOLDFAST_POSTGRES", "postgresql://ann:p%40ss@db1:5433,db2/shop?sslmode=require"),
            Map.of("postgres-schema", "carts"));
    assertThat(settings.postgres())
        .isEqualTo(
            new PostgresOptions(
                "jdbc:postgresql://db1:5433,db2/shop?user=ann&password=p%40ss&sslmode=require",
                "carts", 4, 2));
    assertThat(settings.journalPlace()).isEqualTo("postgresql://db1:5433,db2/shop schema carts");
  }

  @Test
  void showsNoPasswordOfAUrlItCannotUse() {
    for (String url :
        List.of(
            "mysql://ann:secret@db/shop",
            "jdbc:postgresql://ann:secret@db:5432/shop",
            "jdbc:postgresql://ann:secret@db/shop?sslmode=require",
            "postgresql://ann:secret@db/shop?unheard=of",
            "postgresql://ann:secret@db/a b")) {
      assertThatThrownBy(() -> load(Map.of("HOLDFAST_POSTGRES", url), Map.of()))
          .isInstanceOf(InvalidSetting.class)
          .hasMessageContaining("holdfast.postgres")
          .hasMessageNotContaining("secret");
    }
  }

  /** Every setting has such a variable; of these the value is itself the name of a file. */
  @Test
  void showsNothingOfAPrivateKeyWhoseFileWasNamedInTheWayOfASecret() throws IOException {
    Path key = folder.resolve("tls.key");
    Files.writeString(key, "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n");
    assertThatThrownBy(() ->
            load(
                Map.of(
                    "HOLDFAST_HTTP_TLS_CERTIFICATE", key.toString(),
                    "HOLDFAST_HTTP_TLS_KEY_FILE", key.toString()),
                Map.of()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("http.tls.key")
        .hasMessageNotContaining("MIGH");
  }

  @Test
  void takesAnOptionBeforeTheEnvironmentAndThatBeforeTheFile() throws IOException {
    Path file = file("holdfast { port = 1, node = from-file, limits.quantity = 5 }");
    Settings settings =
        Settings.load(
            file,
            Map.of("HOLDFAST_PORT", "2", "HOLDFAST_LIMITS_QUANTITY", "6"),
            Map.of("port", "3"));
    assertThat(settings.http().port()).isEqualTo(3);
    assertThat(settings.limits().quantity()).isEqualTo(6);
    assertThat(settings.node()).isEqualTo("from-file");
  }

  @Test
  void takesEverySettingFromTheEnvironment() {
    Settings settings =
        load(
            Map.of(
                "HOLDFAST_CLUSTER_USERS_IN_MEMORY", "123",
                "HOLDFAST_LIFETIMES_IDLE", "90 seconds",
                "HOLDFAST_JOURNAL_PROBE_INTERVAL", "70ms",
                "HOLDFAST_TOKEN_KEYS", "2:" + KEY + ", 1:" + KEY),
            Map.of());
    assertThat(settings.cluster().usersInMemory()).isEqualTo(123);
    assertThat(settings.http().lifetimes().idle()).isEqualTo(Duration.ofSeconds(90));
    assertThat(settings.journal().probeInterval()).isEqualTo(Duration.ofMillis(70));
    assertThat(settings.tokenKeys()).extracting(SessionTokens.Key::id).containsExactly(2, 1);
  }

  @Test
  void readsASettingFromTheFileThatTheEnvironmentNames() throws IOException {
    Path keys = Files.writeString(folder.resolve("token-keys"), "7:" + KEY + "\n");
    assertThat(load(Map.of("HOLDFAST_TOKEN_KEYS_FILE", keys.toString()), Map.of()).tokenKeys())
        .extracting(SessionTokens.Key::id)
        .containsExactly(7);
  }

  @Test
  void readsNamedKeysFromTheLinesOfAFileThatIsWatchedFromThenOn() throws IOException {
    Path keys =
        Files.writeString(
            folder.resolve("keys"), "shop:" + HASH + ":read+write\n\n" + HASH + ":read,\n");
    Settings settings = load(Map.of("HOLDFAST_API_KEYS_FILE", keys.toString()), Map.of());
    assertThat(settings.http().keys().applications())
        .extracting(ApiKey::caller)
        .containsExactly("shop", HASH);
    assertThat(settings.keyFiles()).isEqualTo(new KeyFiles(keys, null, null));
  }

  @Test
  void refusesACertificateWithoutItsKeyAndAKeyWithoutItsCertificate() throws IOException {
    String file = Files.writeString(folder.resolve("tls.pem"), "nothing").toString();
    for (String setting : List.of("http.tls.certificate", "http.tls.client-authority")) {
      assertThatThrownBy(() -> load(Map.of(), Map.of(setting, file)))
          .isInstanceOf(InvalidSetting.class)
          .hasMessageContaining("like http.tls.key");
    }
    assertThatThrownBy(
            () -> load(Map.of(), Map.of("http.tls.certificate", file, "http.tls.key", file)))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("holds no certificate");
    refuses(
        Map.of("http.requests-a-second", "some"),
        "setting holdfast.http.requests-a-second is some; it must be a whole number from 1 to"
            + " 1000000");
  }

  @Test
  void refusesAFileOfASettingThatIsAbsentOrOneTooMany() throws IOException {
    String absent = folder.resolve("absent").toString();
    assertThatThrownBy(() -> load(Map.of("HOLDFAST_API_KEYS_FILE", absent), Map.of()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageStartingWith("HOLDFAST_API_KEYS_FILE names " + absent)
        .hasMessageContaining("cannot be read");
    String port = Files.writeString(folder.resolve("port"), "1").toString();
    assertThatThrownBy(
            () -> load(Map.of("HOLDFAST_PORT_FILE", port, "HOLDFAST_PORT", "2"), Map.of()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessage("HOLDFAST_PORT and HOLDFAST_PORT_FILE are both set; set one of them");
  }

  @Test
  void passesOverTheAddressThatKubernetesPutsInThePlaceOfThePort() {
    assertThat(load(Map.of("HOLDFAST_PORT", "tcp://10.0.0.1:80"), Map.of()).http().port())
        .isEqualTo(8080);
  }

  @Test
  void namesAWrongSettingWithItsValueAndWhatIsAllowed() {
    refuses(
        Map.of("port", "99999"),
        "setting holdfast.port is 99999; it must be a whole number from 0 to 65535");
    refuses(
        Map.of("port", "http"),
        "setting holdfast.port is http; it must be a whole number from 0 to 65535");
    refuses(
        Map.of("insecure", "perhaps"),
        "setting holdfast.insecure is perhaps; it must be true or false");
    refuses(
        Map.of("lifetimes.idle", "400 days"),
        "setting holdfast.lifetimes.idle is 400 days; it must be a duration from 1 s to 30 days,"
            + " such as 30 minutes");
    refuses(
        Map.of("cluster.users-in-memory", "many"),
        "setting holdfast.cluster.users-in-memory is many; it must be auto, or a whole number"
            + " from 100 to 100000000");
    refuses(
        Map.of("node", "a b"),
        "setting holdfast.node is a b; it must be 1 to 63 letters, digits, dots, hyphens or"
            + " underscores");
  }

  @Test
  void listensBeyondThisMachineOnlyWithKeysOrWhenToldToBeInsecure() {
    refuses(
        Map.of("host", "0.0.0.0"),
        "setting holdfast.host is 0.0.0.0; it must be a loopback address, unless there are"
            + " api-keys or insecure is set");
    assertThat(load(Map.of(), Map.of("host", "0.0.0.0", "insecure", "true")).http().host())
        .isEqualTo("0.0.0.0");
    assertThat(
            load(Map.of(), Map.of("host", "::", "api-keys", "ab".repeat(32)))
                .http()
                .keys()
                .applications())
        .hasSize(1);
    assertThat(load(Map.of(), Map.of("host", "localhost")).http().host()).isEqualTo("localhost");
  }

  @Test
  void refusesSettingsOfTheJournalThatCannotBe() {
    for (String value : new String[] {"0", "-1", "many"}) {
      assertThatThrownBy(() -> load(Map.of(), Map.of("journal.batch.max-writes", value)))
          .isInstanceOf(InvalidSetting.class)
          .hasMessageContaining("batch.max-writes");
    }
  }

  @Test
  void refusesABoundOfLifetimesThatExcludesItsDefault() {
    assertThatThrownBy(() -> load(Map.of(), Map.of("lifetimes.greatest-idle", "1 minute")))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("holdfast.lifetimes.idle");
  }

  @Test
  void refusesASettingThatThereIsNot() {
    assertThatThrownBy(() -> Settings.load(file("holdfast.prot = 1"), Map.of(), Map.of()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageStartingWith("there is no setting holdfast.prot; there are holdfast.admin-keys")
        .hasMessageContaining("holdfast.port");
  }

  @Test
  void refusesAFileThatIsAbsentOrBroken() {
    assertThatThrownBy(() -> Settings.load(folder.resolve("absent"), Map.of(), Map.of()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("cannot be read");
    assertThatThrownBy(() -> Settings.load(file("holdfast { port = "), Map.of(), Map.of()))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("not valid");
  }

  @Test
  void showsNoKeyEvenIfItIsWrong() {
    for (String key : new String[] {"token-keys", "api-keys", "admin-keys"}) {
      assertThatThrownBy(() -> load(Map.of(), Map.of(key, "s3cret")))
          .isInstanceOf(InvalidSetting.class)
          .hasMessageStartingWith("setting holdfast." + key + " is not usable; it must be ")
          .hasMessageNotContaining("s3cret");
    }
  }

  @Test
  void refusesTokenKeysThatAreShortOrShareAnId() {
    refusesTokenKeys("1:c2hvcnQ");
    refusesTokenKeys("256:" + KEY);
    refusesTokenKeys("1:" + KEY + ",1:" + KEY);
  }

  private static void refusesTokenKeys(String keys) {
    assertThatThrownBy(() -> load(Map.of(), Map.of("token-keys", keys)))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining("holdfast.token-keys");
  }

  private static void refuses(Map<String, String> options, String message) {
    assertThatThrownBy(() -> load(Map.of(), options))
        .isInstanceOf(InvalidSetting.class)
        .hasMessage(message);
  }

  private static Settings load(Map<String, String> environment, Map<String, String> options) {
    return Settings.load(null, environment, options);
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("holdfast.conf"), text);
  }
}
