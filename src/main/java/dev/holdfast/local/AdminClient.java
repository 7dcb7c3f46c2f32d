package dev.holdfast.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cluster.NodeFigures;
import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.Takeover;
import dev.holdfast.cluster.Tier;
import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.Histogram.Scale;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Asks a running server what only administrators are told. */
public final class AdminClient implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String USERS = "/v1/admin/users/";

  /**
   * What a node tells of its cluster.
   *
   * @param json the same as it came
   */
  public record ClusterView(List<NodeStatus> nodes, List<Takeover> takeovers, String json) {
    public ClusterView {
      nodes = List.copyOf(nodes);
      takeovers = List.copyOf(takeovers);
    }
  }

  private final HttpClient client;
  private final URI server;
  private final @Nullable String key;
  private final Duration limit;

  /**
   * A client.
   *
   * @param server such as {@code http://127.0.0.1:8080}
   * @param key of an administrator, or null
   * @param limit for each answer
   */
  public AdminClient(URI server, @Nullable String key, Duration limit) {
    this(server, key, limit, null);
  }

  /**
   * A client.
   *
   * @param tls whom to trust and what to show; null for what the platform trusts
   */
  public AdminClient(URI server, @Nullable String key, Duration limit, @Nullable SSLContext tls) {
    HttpClient.Builder builder =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(limit);
    if (tls != null) {
      builder.sslContext(tls);
    }
    this.client = builder.build();
    this.server = server;
    this.key = key;
    this.limit = limit;
  }

  /**
   * {@return the cluster as the server sees it}
   *
   * @throws IOException if it does not tell; the message says why, for people
   */
  public ClusterView cluster() throws IOException, InterruptedException {
    HttpResponse<String> response = send("GET", "/v1/admin/cluster");
    JsonNode body = json(response);
    if (response.statusCode() != 200) {
      throw refused(response, body);
    }
    try {
      var nodes = new ArrayList<NodeStatus>();
      for (JsonNode node : required(body, "nodes")) {
        nodes.add(
            new NodeStatus(
                required(node, "name").asText(),
                required(node, "address").asText(),
                node.path("http").textValue(),
                number(node, "pid"),
                NodeStatus.State.valueOf(required(node, "state").asText().toUpperCase(Locale.ROOT)),
                node.path("oldest").asBoolean(false),
                number(node, "shards"),
                number(node, "users")));
      }
      var takeovers = new ArrayList<Takeover>();
      for (JsonNode takeover : required(body, "takeovers")) {
        String took = takeover.path("took").textValue();
        takeovers.add(
            new Takeover(
                required(takeover, "node").asText(),
                Tier.valueOf(required(takeover, "tier").asText().toUpperCase(Locale.ROOT)),
                Instant.parse(required(takeover, "at").asText()),
                takeover.path("shards").asInt(),
                took == null ? null : Duration.parse(took)));
      }
      return new ClusterView(nodes, takeovers, response.body());
    } catch (IllegalArgumentException | DateTimeParseException e) {
      throw notHoldfast();
    }
  }

  /**
   * {@return what each node has done, and how it stands}
   *
   * @throws IOException if the server does not tell; the message says why, for people
   */
  public List<NodeFigures> figures() throws IOException, InterruptedException {
    HttpResponse<String> response = send("GET", "/v1/admin/metrics");
    JsonNode body = json(response);
    if (response.statusCode() != 200) {
      throw refused(response, body);
    }
    try {
      var nodes = new ArrayList<NodeFigures>();
      for (JsonNode node : required(body, "nodes")) {
        JsonNode told = node.path("figures");
        nodes.add(
            new NodeFigures(
                required(node, "name").asText(), told.isObject() ? figures(told) : null));
      }
      return nodes;
    } catch (IllegalArgumentException e) {
      throw notHoldfast();
    }
  }

  private static Figures figures(JsonNode told) {
    JsonNode requests = required(told, "requests");
    JsonNode journal = required(told, "journal");
    JsonNode memory = required(told, "memory");
    return new Figures(
        required(told, "upMillis").asLong(),
        new Figures.Requests(
            distribution(Scale.NANOS, required(requests, "reads")),
            distribution(Scale.NANOS, required(requests, "writes")),
            required(requests, "refused").asLong(),
            required(requests, "failed").asLong()),
        new Figures.Journal(
            required(journal, "takesWrites").asBoolean(),
            required(journal, "queued").asLong(),
            required(journal, "recovering").asLong(),
            required(journal, "events").asLong(),
            distribution(Scale.NANOS, required(journal, "commits")),
            distribution(Scale.COUNT, required(journal, "batches")),
            distribution(Scale.NANOS, required(journal, "recoveries"))),
        new Figures.Memory(
            required(memory, "users").asLong(),
            required(memory, "unreadable").asLong(),
            required(memory, "heapUsed").asLong(),
            required(memory, "heapMax").asLong()));
  }

  private static Distribution distribution(Scale scale, JsonNode told) {
    JsonNode buckets = required(told, "buckets");
    long[] counts = new long[buckets.size()];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = buckets.path(i).asLong();
    }
    double sum = required(told, "sum").asDouble();
    return new Distribution(
        scale,
        counts,
        switch (scale) {
          case NANOS -> Math.round(sum * TimeUnit.SECONDS.toNanos(1));
          case COUNT -> Math.round(sum);
        });
  }

  /**
   * Has a node hand its users over and end.
   *
   * @throws IOException if the server does not do so; the message says why, for people
   */
  public void drain(String node) throws IOException, InterruptedException {
    HttpResponse<String> response =
        send("POST", "/v1/admin/cluster/nodes/" + segment(node) + "/drain");
    if (response.statusCode() != 202) {
      throw refused(response, json(response));
    }
  }

  /**
   * {@return a user as they are now}
   *
   * @throws IOException if the server does not tell, or knows no such user; the message says why
   */
  public JsonNode user(String user) throws IOException, InterruptedException {
    return told("GET", USERS + segment(user));
  }

  /**
   * {@return a page of what happened to a user, oldest first}
   *
   * @param after the number of the last event seen, or null for the oldest that is kept
   * @throws IOException if the server does not tell, or knows no such user; the message says why
   */
  public JsonNode history(String user, @Nullable String after)
      throws IOException, InterruptedException {
    return told(
        "GET",
        USERS + segment(user) + "/history?limit=1000" + (after == null ? "" : "&after=" + after));
  }

  /**
   * Erases a user.
   *
   * @return the receipt
   * @throws IOException if the server did not do so, or it is not known; the message says why
   */
  public JsonNode erase(String user) throws IOException, InterruptedException {
    return told("DELETE", USERS + segment(user));
  }

  private JsonNode told(String method, String path) throws IOException, InterruptedException {
    HttpResponse<String> response = send(method, path);
    JsonNode body = json(response);
    if (response.statusCode() != 200) {
      throw refused(response, body);
    }
    return body;
  }

  private static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private HttpResponse<String> send(String method, String path)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(server.toString().replaceFirst("/$", "") + path))
            .timeout(limit)
            .header("Accept", "application/json")
            .method(method, BodyPublishers.noBody());
    if (key != null) {
      request.header("Authorization", "Bearer " + key);
    }
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (ConnectException e) {
      throw new IOException("nobody listens at " + server, e);
    } catch (HttpTimeoutException e) {
      throw new IOException(
          "%s did not answer within %d s".formatted(server, limit.toSeconds()), e);
    } catch (IOException e) {
      throw new IOException(server + " gave no answer: " + e.getMessage(), e);
    }
  }

  private JsonNode json(HttpResponse<String> response) throws IOException {
    try {
      JsonNode body = JSON.readTree(response.body());
      if (body != null && body.isObject()) {
        return body;
      }
    } catch (IOException none) {
      // the same as for JSON that is no object
    }
    throw notHoldfast();
  }

  private IOException notHoldfast() {
    return new IOException(server + " did not answer as Holdfast does; is it the right address?");
  }

  private IOException refused(HttpResponse<String> response, JsonNode problem) {
    String detail = problem.path("detail").asText(problem.path("title").asText(""));
    return new IOException(
        switch (response.statusCode()) {
          case 401 ->
              key == null
                  ? server + " wants the key of an administrator: set HOLDFAST_ADMIN_KEY"
                  : server + " does not know the key in HOLDFAST_ADMIN_KEY";
          case 403 -> server + " refuses: " + detail;
          default -> "%s answered %d: %s".formatted(server, response.statusCode(), detail);
        });
  }

  private static JsonNode required(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      throw new IllegalArgumentException("there is no " + name);
    }
    return value;
  }

  private static OptionalLong number(JsonNode node, String name) {
    JsonNode value = node.path(name);
    return value.isIntegralNumber() ? OptionalLong.of(value.asLong()) : OptionalLong.empty();
  }

  @Override
  public void close() {
    client.shutdownNow();
    client.close();
  }
}
