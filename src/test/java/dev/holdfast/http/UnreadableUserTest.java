package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.OwnerKey;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What callers see of a user whose rows in the journal cannot be read. */
@Timeout(60)
final class UnreadableUserTest {

  private static final String ITEM =
      "{\"quantity\":1,\"unitPrice\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}";

  @TempDir private Path folder;

  @Test
  void saysAtOnceThatTheUserCannotBeReadAndServesEverybodyElse() throws Exception {
    String ada;
    String bob;
    try (TestNode node = TestNode.start(folder)) {
      Client client = node.serve();
      ada = client.session("ada");
      bob = client.session("bob");
    }
    plant(TestNode.ofUser("ada"));
    try (TestNode node = TestNode.start(folder)) {
      Client client = node.serve();

      Received read = client.get("/v1/session").token(ada).send(500);
      assertThat(read.problem()).isEqualTo("user-unreadable");
      assertThat(read.header("Retry-After")).isNull();
      Received change = client.put("/v1/cart/items/tea").token(ada).json(ITEM).send(500);
      assertThat(change.problem()).isEqualTo("user-unreadable");

      String visitor = client.visitor();
      Received logIn =
          client.post("/v1/session/login").token(visitor).json("{\"user\":\"ada\"}").send(500);
      assertThat(logIn.problem()).isEqualTo("user-unreadable");
      client.get("/v1/session").token(visitor).send(200);
      client.put("/v1/cart/items/tea").token(bob).json(ITEM).send(201);
    }
  }

  /** As a later version would have written it. */
  private void plant(OwnerKey owner) throws Exception {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE event SET name = 'session.opened.v9' WHERE owner = ?")) {
      update.setBytes(
          1, ByteBuffer.allocate(16).putLong(owner.high()).putLong(owner.low()).array());
      assertThat(update.executeUpdate()).isPositive();
    }
  }
}
