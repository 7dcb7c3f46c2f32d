package dev.holdfast.http;

import io.helidon.http.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a request by its raw path. Segments are compared before they are decoded, so
 * no trick with dots, slashes, parameters or percent signs reaches another route than the one that
 * is written; what stands for a template's variable is decoded after that.
 */
final class Routes {

  /** A route with what stands for its template's variables, decoded. */
  record Match(Route route, Map<String, String> parameters) {}

  private static final class Node {
    final Map<String, Node> children = new HashMap<>();
    final Map<Method, Route> routes = new HashMap<>();
    @Nullable String variable;
    @Nullable Node anything;
    String allowed = "";
  }

  private final Node root = new Node();

  Routes(List<Route> routes) {
    for (Route route : routes) {
      Node node = root;
      for (String segment : route.path().substring(1).split("/", -1)) {
        if (segment.startsWith("{")) {
          if (node.anything == null) {
            node.anything = new Node();
          }
          node.variable = segment.substring(1, segment.length() - 1);
          node = node.anything;
        } else {
          node = node.children.computeIfAbsent(segment, _ -> new Node());
        }
      }
      if (node.routes.put(route.method(), route) != null) {
        throw new IllegalArgumentException("two routes are " + route.name());
      }
      node.allowed = allowed(node);
    }
  }

  private static String allowed(Node node) {
    var methods = new TreeMap<String, Boolean>();
    for (Method method : node.routes.keySet()) {
      methods.put(method.text(), true);
      if (method.equals(Method.GET)) {
        methods.put(Method.HEAD.text(), true);
      }
    }
    return String.join(", ", methods.keySet());
  }

  /**
   * {@return the route, for HEAD that of GET}
   *
   * @param path as it came, without the query
   * @throws Rejected with 400, 404 or 405
   */
  Match find(Method method, String path) {
    if (!path.startsWith("/")) {
      throw new Rejected(ProblemType.MALFORMED_REQUEST, "The path must start with a slash.");
    }
    Node node = root;
    Map<String, String> parameters = Map.of();
    int from = 1;
    while (true) {
      int slash = path.indexOf('/', from);
      String segment = path.substring(from, slash < 0 ? path.length() : slash);
      Node next = node.children.get(segment);
      if (next == null && node.anything != null && !segment.isEmpty()) {
        next = node.anything;
        if (parameters.isEmpty()) {
          parameters = new HashMap<>();
        }
        parameters.put(String.valueOf(node.variable), PathSegment.decode(segment));
      }
      if (next == null) {
        throw noSuchRoute(path);
      }
      node = next;
      if (slash < 0) {
        break;
      }
      from = slash + 1;
    }
    if (node.routes.isEmpty()) {
      throw noSuchRoute(path);
    }
    Route route = node.routes.get(method.equals(Method.HEAD) ? Method.GET : method);
    if (route == null) {
      throw new Rejected(
          Problem.of(ProblemType.METHOD_NOT_ALLOWED, "This path knows " + node.allowed + ".")
              .with("Allow", node.allowed));
    }
    return new Match(route, parameters);
  }

  /** Also where the path is no path at all, so that a broken one is told apart from a wrong one. */
  private static Rejected noSuchRoute(String path) {
    for (String segment : List.of(path.split("/", -1))) {
      PathSegment.decode(segment);
    }
    return new Rejected(ProblemType.NO_SUCH_ROUTE, "The API is described at /openapi.yaml.");
  }
}
