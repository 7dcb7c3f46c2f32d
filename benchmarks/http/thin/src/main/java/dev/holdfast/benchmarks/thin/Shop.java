package dev.holdfast.benchmarks.thin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/**
 * The cart and session calls with as little as can be: a session is a hash in Redis with a field
 * for each line, as the caller's own text. Nothing expires, nothing is safe to repeat, and of two
 * parallel changes of a line the last one stays.
 */
public final class Shop {

  private static final HeaderName SESSION_TOKEN = HeaderNames.create("Session-Token");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String USER = "user";
  private static final String LINE = "line:";

  private final RedisAsyncCommands<String, String> redis;

  private Shop(RedisAsyncCommands<String, String> redis) {
    this.redis = redis;
  }

  /** Runs until it is killed; the argument is the URL of Redis. */
  public static void main(String[] args) {
    // One connection that all requests share, which is Lettuce's way.
    var shop = new Shop(RedisClient.create(args[0]).connect().async());
    WebServer server =
        WebServer.builder()
            .host("127.0.0.1")
            .port(0)
            .connectionOptions(options -> options.tcpNoDelay(true))
            .routing(
                HttpRouting.builder()
                    .post("/v1/sessions", shop::open)
                    .put("/v1/cart/items/{sku}", shop::set)
                    .get("/v1/session", shop::look))
            .build()
            .start();
    System.out.println("ready http://127.0.0.1:" + server.port());
  }

  private void open(ServerRequest request, ServerResponse response) throws Exception {
    JsonNode body = JSON.readTree(request.content().as(byte[].class));
    byte[] random = new byte[16];
    RANDOM.nextBytes(random);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    await(redis.hset("session:" + token, USER, body.path(USER).asText()));
    response
        .status(Status.CREATED_201)
        .header(SESSION_TOKEN, token)
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .send("{}".getBytes(StandardCharsets.UTF_8));
  }

  private void set(ServerRequest request, ServerResponse response) throws Exception {
    byte[] body = request.content().as(byte[].class);
    if (!(JSON.readTree(body) instanceof ObjectNode line) || !line.path("quantity").isInt()) {
      response.status(Status.BAD_REQUEST_400).send();
      return;
    }
    String key = "session:" + request.headers().get(SESSION_TOKEN).get();
    String sku = request.path().pathParameters().get("sku");
    // Both on their way at once.
    RedisFuture<Boolean> added =
        redis.hset(key, LINE + sku, new String(body, StandardCharsets.UTF_8));
    Map<String, String> session = await(redis.hgetall(key));
    if (!session.containsKey(USER)) {
      await(redis.del(key));
      response.status(Status.UNAUTHORIZED_401).send();
      return;
    }
    response
        .status(await(added) ? Status.CREATED_201 : Status.OK_200)
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .send(cart(session).getBytes(StandardCharsets.UTF_8));
  }

  private void look(ServerRequest request, ServerResponse response) throws Exception {
    String token = request.headers().get(SESSION_TOKEN).get();
    Map<String, String> session = await(redis.hgetall("session:" + token));
    String user = session.get(USER);
    if (user == null) {
      response.status(Status.UNAUTHORIZED_401).send();
      return;
    }
    String body = "{\"user\":" + JSON.writeValueAsString(user) + ",\"cart\":" + cart(session) + "}";
    response
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .send(body.getBytes(StandardCharsets.UTF_8));
  }

  private static String cart(Map<String, String> session) throws IOException {
    var lines = new LinkedHashMap<>(session);
    lines.remove(USER);
    var cart = new StringBuilder(2_048).append("{\"items\":[");
    for (Map.Entry<String, String> line : lines.entrySet()) {
      if (cart.charAt(cart.length() - 1) != '[') {
        cart.append(',');
      }
      cart.append("{\"sku\":")
          .append(JSON.writeValueAsString(line.getKey().substring(LINE.length())))
          .append(',')
          .append(line.getValue(), 1, line.getValue().length());
    }
    return cart.append("]}").toString();
  }

  private static <T> T await(RedisFuture<T> answer)
      throws ExecutionException, InterruptedException {
    return answer.get();
  }
}
