package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** {@code openapi.yaml}, read by its letter: what the server may answer, and what it must. */
final class Contract {

  private static final String OUTSIDE = "x-responses-outside-operations";

  /** A response of an operation; without operation, one of those that answer any request. */
  record Promise(@Nullable String operation, int status) {
    @Override
    public String toString() {
      return (operation == null ? "any other request" : operation) + " → " + status;
    }
  }

  private final JsonNode document;
  private final SchemaRegistry registry =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
  private final JsonNode definitions;
  private final Map<String, Schema> schemas = new ConcurrentHashMap<>();

  Contract() {
    try (InputStream in = Contract.class.getResourceAsStream("/openapi.yaml")) {
      document = new YAMLMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    definitions = inDefinitions(document.at("/components/schemas"));
  }

  /** JSON Schema knows no components: the references are made to lead to definitions instead. */
  private static JsonNode inDefinitions(JsonNode schema) {
    try {
      return Received.MAPPER.readTree(
          schema.toString().replace("\"#/components/schemas/", "\"#/$defs/"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  JsonNode document() {
    return document;
  }

  /** {@return the operations, as in {@code PUT /v1/cart/items/{sku}}} */
  List<String> operations() {
    var operations = new ArrayList<String>();
    document
        .path("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .fieldNames()
                .forEachRemaining(method -> {
                  if (!method.equals("parameters")) {
                    operations.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey());
                  }
                }));
    return operations;
  }

  /** {@return every response that the contract lists} */
  List<Promise> promises() {
    var promises = new ArrayList<Promise>();
    for (String operation : operations()) {
      operation(operation)
          .path("responses")
          .fieldNames()
          .forEachRemaining(
              status -> promises.add(new Promise(operation, Integer.parseInt(status))));
    }
    document
        .path(OUTSIDE)
        .fieldNames()
        .forEachRemaining(status -> promises.add(new Promise(null, Integer.parseInt(status))));
    return promises;
  }

  private JsonNode operation(String operation) {
    int space = operation.indexOf(' ');
    return document
        .path("paths")
        .path(operation.substring(space + 1))
        .path(operation.substring(0, space).toLowerCase(Locale.ROOT));
  }

  /** {@return the operation of a request, or null if the contract has none} */
  @Nullable String operationOf(String method, String target) {
    String path = target.replaceFirst("\\?.*", "");
    String wanted = method.equals("HEAD") ? "GET" : method;
    String best = null;
    for (String operation : operations()) {
      int space = operation.indexOf(' ');
      String template = operation.substring(space + 1);
      // Of two templates, the one without a variable is meant.
      if (operation.substring(0, space).equals(wanted)
          && path.matches(template.replaceAll("\\{[a-z]+}", "[^/]+").replace(".", "\\."))
          && (best == null || best.contains("{"))) {
        best = operation;
      }
    }
    return best;
  }

  /**
   * Holds an answer to the contract.
   *
   * @return which promise it kept
   * @throws AssertionError if it is none that the contract lists for this request
   */
  Promise check(String method, String target, Received received) {
    String operation = operationOf(method, target);
    String status = Integer.toString(received.status());
    JsonNode response =
        operation == null
            ? document.path(OUTSIDE).path(status)
            : operation(operation).path("responses").path(status);
    boolean outside = operation == null || response.isMissingNode();
    if (outside) {
      response = document.path(OUTSIDE).path(status);
    }
    String what = method + " " + target + " → " + received;
    assertThat(response.isMissingNode()).as("not in the contract: " + what).isFalse();
    JsonNode promised = resolve(response);
    checkHeaders(promised.path("headers"), received, what);
    checkBody(promised.path("content"), method, received, what);
    return new Promise(outside ? null : operation, received.status());
  }

  private void checkHeaders(JsonNode headers, Received received, String what) {
    headers
        .properties()
        .forEach(header -> {
          JsonNode promise = resolve(header.getValue());
          String value = received.header(header.getKey());
          if (value == null) {
            assertThat(promise.path("required").asBoolean())
                .as("no " + header.getKey() + " in " + what)
                .isFalse();
          } else {
            assertThat(received.headers().get(header.getKey().toLowerCase(Locale.ROOT)))
                .as("one " + header.getKey() + " in " + what)
                .hasSize(1);
            validate(
                promise.path("schema"),
                Received.MAPPER.getNodeFactory().textNode(value),
                header.getKey() + " in " + what);
          }
        });
    // Headers of our own are listed where they may be.
    for (String ours :
        List.of(
            "ETag",
            "Location",
            "Session-Token",
            "Holdfast-Owner",
            "Idempotent-Replayed",
            "Retry-After",
            "WWW-Authenticate",
            "Allow",
            "Accept",
            "Accept-Patch")) {
      if (received.header(ours) != null) {
        assertThat(headers.has(ours)).as(ours + " is not promised in " + what).isTrue();
      }
    }
  }

  private void checkBody(JsonNode content, String method, Received received, String what) {
    String contentType = received.header("Content-Type");
    if (content.isMissingNode()) {
      assertThat(received.body()).as(what).isEmpty();
      assertThat(contentType).as(what).isNull();
      return;
    }
    assertThat(contentType).as(what).isNotNull();
    String mediaType = String.valueOf(contentType).replaceFirst(";.*", "");
    assertThat(content.has(mediaType)).as(mediaType + " is not promised in " + what).isTrue();
    if (method.equals("HEAD")) {
      assertThat(received.body()).as(what).isEmpty();
    } else if (mediaType.endsWith("json")) {
      validate(content.path(mediaType).path("schema"), received.json(), what);
    }
  }

  /** {@return what is wrong with a value by a schema of the document} */
  List<String> errors(JsonNode schema, JsonNode value) {
    return schemas
        .computeIfAbsent(
            schema.toString(),
            _ -> {
              ObjectNode whole = Received.MAPPER.createObjectNode();
              whole.set("$defs", definitions);
              whole.putArray("allOf").add(inDefinitions(schema));
              return registry.getSchema(whole);
            })
        .validate(value)
        .stream()
        .map(Object::toString)
        .toList();
  }

  private void validate(JsonNode schema, JsonNode value, String what) {
    assertThat(errors(schema, value)).as(what).isEmpty();
  }

  JsonNode resolve(JsonNode node) {
    return node.has("$ref") ? document.at(node.path("$ref").asText().substring(1)) : node;
  }
}
