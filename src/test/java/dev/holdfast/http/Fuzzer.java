package dev.holdfast.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests out of {@code openapi.yaml}: any operation, with parameters and bodies by their
 * schemas, and then, as often as not, with something in it that is wrong. What it makes follows
 * from its seed and from the answers that it was told of.
 */
final class Fuzzer {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int MOST_OF_A_KIND = 24;
  private static final int FEW = 12;
  private static final String PLAIN =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~";
  private static final String OPENS = "POST /v1/sessions";

  /** What ends sessions. */
  private static final Set<String> ENDS =
      Set.of(
          "DELETE /v1/session",
          "DELETE /v1/user/sessions/{id}",
          "POST /v1/user/sessions/end-others",
          "DELETE /v1/admin/users/{user}",
          "DELETE /v1/admin/users/{user}/sessions",
          "DELETE /v1/admin/users/{user}/sessions/{id}");

  private static final List<String> HOSTILE =
      List.of(
          "",
          " ",
          ".",
          "..",
          "../../etc/passwd",
          "%2e%2e%2f",
          "%00",
          "%",
          "%zz",
          "%c0%ae",
          "%ff%fe",
          "a%2Fb",
          ";a=b",
          "'; DROP TABLE event; --",
          "${jndi:ldap://127.0.0.1/x}",
          "<script>alert(1)</script>",
          "{{7*7}}",
          "\u202egnp.exe",
          "\ud83d\ude00",
          "null",
          "-1",
          "0",
          "9223372036854775808",
          "1e400",
          "NaN",
          "*",
          "\"",
          "\\",
          "a\tb",
          "x".repeat(129),
          "x".repeat(300),
          "x".repeat(3_000));

  /**
   * A request.
   *
   * @param operation that it was made of
   * @param token of a live session that it carries; null if it carries none, or a mutilated one
   * @param intact whether it was sent as it was written, so that the contract says what comes
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares it
  record Made(
      String operation,
      String method,
      String target,
      @Nullable String token,
      byte[] bytes,
      boolean intact) {

    @Override
    public String toString() {
      return operation + ":\n" + new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }

  private final Random random;
  private final Contract contract = new Contract();
  private final List<String> operations = contract.operations();
  private final String apiKey;
  private final String adminKey;
  private final List<String> tokens = new ArrayList<>();
  private final List<String> ids = new ArrayList<>();
  private final List<String> cursors = new ArrayList<>();

  Fuzzer(long seed, String apiKey, String adminKey) {
    this.random = new Random(seed);
    this.apiKey = apiKey;
    this.adminKey = adminKey;
  }

  // ---------------------------------------------------------------------------------------------
  // What it has learned

  void learnToken(String token) {
    learn(tokens, token);
  }

  /** The token is good for nothing any more. */
  void forgetToken(String token) {
    tokens.remove(token);
  }

  void learnId(String id) {
    learn(ids, id);
  }

  void learnCursor(String cursor) {
    learn(cursors, cursor);
  }

  private void learn(List<String> list, String value) {
    if (list.size() < MOST_OF_A_KIND) {
      list.add(value);
    } else {
      list.set(random.nextInt(list.size()), value);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Requests

  Made next() {
    String operation = tokens.size() < FEW ? OPENS : pick(operations);
    if (ENDS.contains(operation) && !chance(8)) {
      operation = pick(operations); // or soon there would be nobody left to do anything to
    }
    int space = operation.indexOf(' ');
    String method = operation.substring(0, space);
    String path = operation.substring(space + 1);
    JsonNode described =
        contract
            .document()
            .path("paths")
            .path(path)
            .path(method.toLowerCase(java.util.Locale.ROOT));
    List<JsonNode> parameters = new ArrayList<>();
    described.path("parameters").forEach(each -> parameters.add(contract.resolve(each)));
    contract
        .document()
        .path("paths")
        .path(path)
        .path("parameters")
        .forEach(each -> parameters.add(contract.resolve(each)));

    var query = new ArrayList<String>();
    var head = new ArrayList<String>();
    for (JsonNode parameter : parameters) {
      String name = parameter.path("name").asText();
      switch (parameter.path("in").asText()) {
        case "path" -> path = path.replace("{" + name + "}", segment(text(parameter)));
        case "query" -> {
          if (chance(2)) {
            query.add(name + "=" + segment(text(parameter)));
          }
        }
        case "header" -> {
          if (chance(3)) {
            head.add(name + ": " + text(parameter).replaceAll("[\r\n]", ""));
          }
        }
        default -> throw new IllegalStateException(parameter.toString());
      }
    }
    if (chance(25)) {
      query.add(segment(pick(HOSTILE)) + "=" + segment(pick(HOSTILE)));
    }
    if (chance(40)) {
      method = pick(List.of("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"));
    }
    String token = null;
    if (!tokens.isEmpty() && !chance(12)) {
      token = pick(tokens);
      String shown = chance(12) ? mutilated(token) : token;
      head.add("Session-Token: " + shown);
      token = shown.equals(token) ? token : null;
      if (chance(60)) {
        head.add("Session-Token: " + pick(tokens));
        token = null;
      }
    }
    head.add("Authorization: " + authorization(path));
    if (chance(20)) {
      head.add(
          "Accept: " + pick(List.of("*/*", "text/html", "application/json;q=0", ";;,", "a/b/c")));
    }
    if (chance(30)) {
      head.add(
          pick(List.of("Origin", "X-Forwarded-For", "Expect", "Upgrade", "Cookie", "Referer"))
              + ": "
              + pick(HOSTILE).replaceAll("[^ -~]", "?"));
    }
    byte[] body = body(described.path("requestBody").path("content"), head);
    String target = path + (query.isEmpty() ? "" : "?" + String.join("&", query));
    byte[] bytes = bytes(method, target, head, body);
    boolean intact = !chance(15);
    return new Made(operation, method, target, token, intact ? bytes : mutilated(bytes), intact);
  }

  private String authorization(String path) {
    return switch (random.nextInt(20)) {
      case 0 -> "Bearer " + pick(HOSTILE).replaceAll("[^ -~]", "?");
      case 1 -> "Bearer " + (path.startsWith("/v1/admin") ? apiKey : adminKey);
      case 2 -> "Basic " + apiKey;
      default -> "Bearer " + (path.startsWith("/v1/admin") ? adminKey : apiKey);
    };
  }

  private byte @Nullable [] body(JsonNode content, List<String> head) {
    if (content.isMissingNode() ? !chance(20) : chance(15)) {
      return null;
    }
    List<String> types =
        StreamSupport.stream(((Iterable<String>) () -> content.fieldNames()).spliterator(), false)
            .toList();
    String type = types.isEmpty() ? "application/json" : pick(types);
    head.add(
        "Content-Type: "
            + (chance(20)
                ? pick(List.of("text/plain", "application/json; charset=latin1", "", "a", "*/*"))
                : type));
    JsonNode value =
        types.isEmpty() ? anything(2) : value(content.path(type).path("schema"), "", 0);
    if (chance(3)) {
      value = spoilt(value);
    }
    String text = value.toString();
    if (chance(20)) {
      text = spoilt(text);
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return chance(25) ? mutilated(bytes) : bytes;
  }

  private static byte[] bytes(
      String method, String target, List<String> head, byte @Nullable [] body) {
    var text = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: shop.example\r\n");
    head.forEach(line -> text.append(line).append("\r\n"));
    var out = new ByteArrayOutputStream();
    if (body != null) {
      text.append("Content-Length: ").append(body.length).append("\r\n");
    }
    out.writeBytes(text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
    if (body != null) {
      out.writeBytes(body);
    }
    return out.toByteArray();
  }

  // ---------------------------------------------------------------------------------------------
  // Values

  /** The text of a parameter: by its schema, or not. */
  private String text(JsonNode parameter) {
    if (chance(8)) {
      return pick(HOSTILE);
    }
    String name = parameter.path("name").asText();
    if (name.equals("name") && parameter.path("in").asText().equals("path")) {
      return pick(List.of("locale", "theme", "a b", "node-2", "orders", "ü"));
    }
    if (name.equals("file")) {
      return pick(List.of("main.js", "style.css", "none"));
    }
    JsonNode value = value(parameter.path("schema"), name, 0);
    return value.isTextual() ? value.asText() : value.toString();
  }

  private JsonNode value(JsonNode schema, String name, int depth) {
    if (schema.has("$ref")) {
      String path = schema.path("$ref").asText();
      String type = path.substring(path.lastIndexOf('/') + 1);
      String known = known(type);
      return known == null ? value(contract.resolve(schema), type, depth) : JSON.textNode(known);
    }
    for (String choice : List.of("oneOf", "anyOf")) {
      if (schema.has(choice)) {
        return value(
            schema.path(choice).get(random.nextInt(schema.path(choice).size())), name, depth);
      }
    }
    if (schema.has("allOf")) {
      return value(schema.path("allOf").get(0), name, depth);
    }
    if (schema.has("enum")) {
      return schema.path("enum").get(random.nextInt(schema.path("enum").size()));
    }
    JsonNode types = schema.path("type");
    String type =
        types.isArray() ? types.get(random.nextInt(types.size())).asText() : types.asText();
    return switch (type) {
      case "object" -> object(schema, depth);
      case "array" -> JSON.arrayNode().add(value(schema.path("items"), name, depth + 1));
      case "string" ->
          JSON.textNode(pick(List.of("tea", "EUR", "a", "12.35", "ü", "x".repeat(40))));
      case "integer", "number" -> JSON.numberNode(pick(List.of(1, 2, 3, 17, 200, 9_999)));
      case "boolean" -> JSON.booleanNode(random.nextBoolean());
      case "null" -> JSON.nullNode();
      default -> anything(depth);
    };
  }

  private @Nullable String known(String type) {
    return switch (type) {
      case "IdempotencyKey" -> "key-" + random.nextInt(40);
      case "EntityTags" ->
          pick(List.of("*", "\"" + random.nextInt(30) + "\"", "\"1\", \"2\"", "W/\"3\""));
      case "Sku" -> pick(List.of("tea", "shoe-42", "a/b", "~", "x".repeat(64)));
      case "UserId" -> "customer-" + random.nextInt(12);
      case "SessionId" -> ids.isEmpty() ? "none" : pick(ids);
      case "Cursor" -> cursors.isEmpty() ? "0" : pick(cursors);
      // Also how long the feed is waited for, which would be waited for.
      case "Duration" -> pick(List.of("PT0S", "PT0.01S", "-PT1S", "PT1M", "P400D", "1h"));
      case "Time" -> pick(List.of("2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "now"));
      case "ConsumerName" -> pick(List.of("orders", "mail"));
      case "NodeName" -> "node-" + random.nextInt(8);
      case "Amount" -> pick(List.of("0", "12.35", "0.1", "999999999999.99", "1.234"));
      case "Currency" -> pick(List.of("EUR", "JPY", "KWD", "XYZ"));
      default -> null;
    };
  }

  private ObjectNode object(JsonNode schema, int depth) {
    ObjectNode object = JSON.objectNode();
    var required = new ArrayList<String>();
    schema.path("required").forEach(each -> required.add(each.asText()));
    for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
      if (required.contains(property.getKey()) ? !chance(25) : chance(2)) {
        object.set(property.getKey(), value(property.getValue(), property.getKey(), depth + 1));
      }
    }
    if (schema.path("properties").isEmpty() && depth < 4) {
      for (int i = random.nextInt(3); i > 0; i--) {
        object.set(pick(List.of("locale", "theme", "ü", "a.b")), anything(depth + 1));
      }
    }
    return object;
  }

  private JsonNode anything(int depth) {
    return switch (random.nextInt(depth > 4 ? 6 : 8)) {
      case 0 -> JSON.nullNode();
      case 1 -> JSON.booleanNode(random.nextBoolean());
      case 2 -> JSON.numberNode(random.nextInt());
      case 3 -> JSON.numberNode(BigDecimal.valueOf(random.nextLong(), random.nextInt(40)));
      case 4 -> JSON.textNode(pick(HOSTILE));
      case 5 -> JSON.textNode("de");
      case 6 -> JSON.arrayNode().add(anything(depth + 1)).add(anything(depth + 1));
      default -> JSON.objectNode().set("a", anything(depth + 1));
    };
  }

  // ---------------------------------------------------------------------------------------------
  // What is wrong with it

  /** Puts something else in one place. */
  private JsonNode spoilt(JsonNode value) {
    if (value instanceof ObjectNode object && !object.isEmpty() && !chance(5)) {
      List<String> names =
          StreamSupport.stream(((Iterable<String>) () -> object.fieldNames()).spliterator(), false)
              .toList();
      String name = pick(names);
      ObjectNode copy = object.deepCopy();
      switch (random.nextInt(4)) {
        case 0 -> copy.remove(name);
        case 1 -> copy.set(pick(HOSTILE), anything(2));
        default -> copy.set(name, spoilt(object.get(name)));
      }
      return copy;
    }
    return switch (random.nextInt(6)) {
      case 0 -> nested(random.nextInt(80));
      case 1 -> JSON.numberNode(new BigDecimal("1e" + random.nextInt(5_000)));
      case 2 -> JSON.textNode("x".repeat(random.nextInt(70_000)));
      default -> anything(1);
    };
  }

  private static JsonNode nested(int depth) {
    ArrayNode outer = JSON.arrayNode();
    ArrayNode inner = outer;
    for (int i = 0; i < depth; i++) {
      inner = inner.addArray();
    }
    return outer;
  }

  private String spoilt(String json) {
    return switch (random.nextInt(7)) {
      case 0 -> json.substring(0, random.nextInt(json.length() + 1));
      case 1 -> json + json;
      case 2 -> json.replaceFirst("\\{", "{\"quantity\":1,\"quantity\":2,");
      case 3 -> "\ufeff" + json;
      case 4 -> json.replaceFirst("\"", "\"\\\\ud800");
      case 5 -> json.replaceFirst("[0-9]", "0x1");
      default -> "[".repeat(10_000);
    };
  }

  private String mutilated(String text) {
    char[] chars = text.toCharArray();
    int at = random.nextInt(chars.length);
    chars[at] = (char) (' ' + random.nextInt(95));
    return chance(2) ? new String(chars) : text.substring(0, at);
  }

  private byte[] mutilated(byte[] bytes) {
    if (bytes.length == 0) {
      return bytes;
    }
    byte[] copy = bytes.clone();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      copy[random.nextInt(copy.length)] = (byte) random.nextInt(256);
    }
    if (chance(3)) {
      copy = Arrays.copyOf(copy, random.nextInt(copy.length + 1));
    }
    return copy;
  }

  // ---------------------------------------------------------------------------------------------

  private static String segment(String text) {
    // A quarter of what is hostile should come as it is; the rest is encoded by the rules.
    boolean raw = text.hashCode() % 4 == 0 && text.chars().allMatch(c -> c > ' ' && c < 127);
    if (raw || text.startsWith("%")) {
      return text;
    }
    var out = new StringBuilder();
    for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
      boolean plain = PLAIN.indexOf(each) >= 0;
      out.append(plain ? String.valueOf((char) each) : "%%%02X".formatted(each));
    }
    return out.toString();
  }

  /** True once in so many times. */
  private boolean chance(int in) {
    return random.nextInt(in) == 0;
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  /** {@return the JSON of an answer, or nothing} */
  static JsonNode json(String body) {
    try {
      return Received.MAPPER.readTree(body);
    } catch (JsonProcessingException e) {
      return JSON.missingNode();
    }
  }
}
