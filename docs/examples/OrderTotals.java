import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * A read model of the feed: what was ordered, per currency. The model and the place in the feed are
 * changed in one transaction, so each event counts exactly once, wherever this is killed.
 *
 * <p>Usage: {@code java -cp LIB OrderTotals.java http://127.0.0.1:8080 totals.db}, with a JDBC
 * driver and Jackson in LIB. The key of an administrator comes from HOLDFAST_ADMIN_KEY.
 */
class OrderTotals {

  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    try (Connection model = DriverManager.getConnection("jdbc:sqlite:" + args[1]);
        HttpClient http = HttpClient.newHttpClient()) {
      model
          .createStatement()
          .executeUpdate("CREATE TABLE IF NOT EXISTS total (currency TEXT PRIMARY KEY, amount TEXT)");
      model
          .createStatement()
          .executeUpdate("CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY, cursor TEXT)");
      model.setAutoCommit(false);
      while (true) {
        String cursor = text(model, "SELECT cursor FROM place");
        var request =
            HttpRequest.newBuilder(
                URI.create(
                    args[0]
                        + "/v1/admin/feed?consumer=order-totals&limit=500&wait=PT20S"
                        + (cursor == null ? "" : "&after=" + cursor)));
        String key = System.getenv("HOLDFAST_ADMIN_KEY");
        if (key != null) {
          request.header("Authorization", "Bearer " + key);
        }
        HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() == 503) {
          Thread.sleep(1_000); // nothing happened; the same request again
        } else if (answer.statusCode() != 200) {
          // 410: events may be missing, so the model must be made anew. All else is for people.
          throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        } else {
          JsonNode page = JSON.readTree(answer.body());
          for (JsonNode event : page.path("events")) {
            take(model, event);
          }
          set(model, "INSERT OR REPLACE INTO place VALUES (1, ?)", page.path("next").asText());
          model.commit();
        }
      }
    }
  }

  private static void take(Connection model, JsonNode event) throws SQLException {
    if (event.path("type").asText().equals("cart.checked-out.v1")) {
      for (JsonNode total : event.path("data").path("totals")) {
        String currency = total.path("currency").asText();
        String before = text(model, "SELECT amount FROM total WHERE currency = ?", currency);
        BigDecimal sum =
            new BigDecimal(before == null ? "0" : before)
                .add(new BigDecimal(total.path("amount").asText()));
        set(model, "INSERT OR REPLACE INTO total VALUES (?, ?)", currency, sum.toPlainString());
        System.out.println(event.path("id").asText() + " " + currency + " " + sum);
      }
    }
  }

  private static String text(Connection model, String query, String... values) throws SQLException {
    try (var select = model.prepareStatement(query)) {
      for (int i = 0; i < values.length; i++) {
        select.setString(i + 1, values[i]);
      }
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  private static void set(Connection model, String statement, String... values)
      throws SQLException {
    try (var update = model.prepareStatement(statement)) {
      for (int i = 0; i < values.length; i++) {
        update.setString(i + 1, values[i]);
      }
      update.executeUpdate();
    }
  }
}
