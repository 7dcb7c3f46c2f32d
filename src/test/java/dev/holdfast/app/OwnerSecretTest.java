package dev.holdfast.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.http.SessionTokens;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class OwnerSecretTest {

  private static final SessionTokens.Key OLD = key(1);
  private static final SessionTokens.Key NEW = key(2);
  private static final SessionTokens.Key STRANGE = key(3);

  @TempDir private Path folder;

  private SqliteStore store;

  @BeforeEach
  void open() throws Exception {
    store = SqliteStore.open(folder.resolve("journal"), SqliteOptions.defaults());
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void isMadeOnceAndIsTheSameForEveryNodeWithAKey() throws IOException {
    OwnerKeys made = OwnerSecret.of(store, List.of(OLD)).keys();

    assertThat(made.ofUser("ada")).isNotEqualTo(OwnerKey.ofUser("ada"));
    assertThat(OwnerSecret.of(store, List.of(OLD)).keys().ofUser("ada"))
        .isEqualTo(made.ofUser("ada"));
    assertThat(OwnerSecret.of(store, List.of(NEW, OLD)).keys().ofUser("ada"))
        .isEqualTo(made.ofUser("ada"));
  }

  @Test
  void isAnotherInAnotherJournal() throws Exception {
    OwnerKeys here = OwnerSecret.of(store, List.of(OLD)).keys();
    try (SqliteStore other = SqliteStore.open(folder.resolve("other"), SqliteOptions.defaults())) {
      assertThat(OwnerSecret.of(other, List.of(OLD)).keys().ofUser("ada"))
          .isNotEqualTo(here.ofUser("ada"));
    }
  }

  @Test
  void isToldToNobodyWithoutAKey() throws IOException {
    OwnerSecret.of(store, List.of(OLD));

    assertThatThrownBy(() -> OwnerSecret.of(store, List.of(STRANGE)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("holdfast.token-keys");
    assertThat(OwnerSecret.look(store, null, Map.of())).isNull();
  }

  @Test
  void staysTheSameWhileTokenKeysChangeAndIsNotOpenedByOneThatWasTakenAway() throws IOException {
    OwnerSecret secret = OwnerSecret.of(store, List.of(OLD));
    OwnerKey ada = secret.keys().ofUser("ada");

    secret.seal(List.of(NEW, OLD));
    assertThat(OwnerSecret.of(store, List.of(NEW)).keys().ofUser("ada")).isEqualTo(ada);
    assertThat(OwnerSecret.of(store, List.of(OLD)).keys().ofUser("ada")).isEqualTo(ada);
    secret.seal(List.of(NEW));

    assertThat(OwnerSecret.of(store, List.of(NEW)).keys().ofUser("ada")).isEqualTo(ada);
    assertThatThrownBy(() -> OwnerSecret.of(store, List.of(OLD))).isInstanceOf(IOException.class);
  }

  @Test
  void isOpenedByAKeyThatAnotherNodeStillHas() throws IOException {
    OwnerSecret secret = OwnerSecret.of(store, List.of(OLD));
    NodeId other = NodeId.random();
    store.nodes().claim(other, 0, Duration.ZERO);
    store.nodes().announce(other, "127.0.0.1:1", List.of(OLD.mark()));

    secret.seal(List.of(NEW));
    OwnerSecret.of(store, List.of(OLD));

    store.nodes().release(other, 1);
    secret.seal(List.of(NEW));
    assertThatThrownBy(() -> OwnerSecret.of(store, List.of(OLD))).isInstanceOf(IOException.class);
  }

  @Test
  void isNotOpenedWhenItIsDamaged() throws IOException {
    OwnerSecret.of(store, List.of(OLD));
    String sealed = Objects.requireNonNull(store.ownerSecret());
    char last = sealed.charAt(sealed.length() - 4);
    store.replaceOwnerSecret(
        sealed,
        sealed.substring(0, sealed.length() - 4)
            + (last == 'A' ? 'B' : 'A')
            + sealed.substring(sealed.length() - 3));

    assertThatThrownBy(() -> OwnerSecret.of(store, List.of(OLD)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("damaged");
  }

  @Test
  void isNotMadeForAJournalThatDidWithoutIt() throws Exception {
    store.close();
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:" + folder.resolve("journal").resolve("journal.db"));
        Statement statement = connection.createStatement()) {
      statement.execute("UPDATE feed SET owner_secret = NULL");
    }
    open();

    OwnerSecret none = OwnerSecret.of(store, List.of(OLD));
    none.seal(List.of(NEW));

    assertThat(none.keys().ofUser("ada")).isEqualTo(OwnerKey.ofUser("ada"));
    assertThat(store.ownerSecret()).isNull();
  }

  /** Who has the journal and a list of user ids cannot tell which of them was erased. */
  @Test
  void leavesNothingOfAnErasedUserByWhichTheIdCanBeGuessed() throws Exception {
    Path data = folder.resolve("data");
    String owner;
    try (App app =
            App.start(
                Settings.load(null, Map.of(), Map.of("port", "0", "data", data.toString())),
                () -> {});
        HttpClient client = HttpClient.newHttpClient()) {
      send(client, app.url(), "POST", "/v1/sessions", "{\"user\":\"ada-lovelace\"}");
      HttpResponse<String> receipt =
          send(client, app.url(), "DELETE", "/v1/admin/users/ada-lovelace", null);
      owner = receipt.body().replaceAll("(?s).*\"owner\":\"([0-9a-f]{32})\".*", "$1");
    }

    byte[] journal = allBytes(data);
    OwnerKey guess = OwnerKey.ofUser("ada-lovelace");
    assertThat(owner).isNotEqualTo(guess.toString());
    assertThat(contains(journal, bytes(OwnerKey.parse(owner)))).as("its tombstone").isTrue();
    assertThat(contains(journal, bytes(guess))).as("a hash of its id").isFalse();
    assertThat(contains(journal, "ada-lovelace".getBytes(UTF_8))).as("its id").isFalse();
  }

  private static HttpResponse<String> send(
      HttpClient client, URI node, String method, String path, @Nullable String body)
      throws Exception {
    var request =
        HttpRequest.newBuilder(node.resolve(path))
            .header("Content-Type", "application/json")
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    HttpResponse<String> answer = client.send(request.build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 299);
    return answer;
  }

  private static byte[] allBytes(Path data) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var files = Files.list(data)) {
      for (Path file : files.filter(each -> each.toString().contains("journal")).toList()) {
        bytes.writeBytes(Files.readAllBytes(file));
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] bytes(OwnerKey key) {
    return ByteBuffer.allocate(16).putLong(key.high()).putLong(key.low()).array();
  }

  private static boolean contains(byte[] all, byte[] part) {
    for (int i = 0; i <= all.length - part.length; i++) {
      if (ByteBuffer.wrap(all, i, part.length).equals(ByteBuffer.wrap(part))) {
        return true;
      }
    }
    return false;
  }

  private static SessionTokens.Key key(int id) {
    byte[] secret = new byte[32];
    secret[0] = (byte) id;
    return SessionTokens.Key.of(id, secret);
  }
}
