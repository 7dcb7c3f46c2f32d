package dev.holdfast.http;

import io.helidon.http.Method;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One operation of the API.
 *
 * @param path its template, as in {@code /v1/cart/items/{sku}}
 * @param scope what the API key must be good for; null where none is needed
 * @param produces the media types that it answers with; a request must accept one of them
 * @param parameters the names of the query parameters that it takes
 * @param audited whether each call is noted in the {@link AuditTrail}
 */
record Route(
    Method method,
    String path,
    Access access,
    @Nullable Scope scope,
    List<String> produces,
    Set<String> parameters,
    boolean audited,
    Handler handler) {

  /** What a request must show before its handler is called. */
  enum Access {
    /** Nothing. */
    ANYBODY,
    /** An API key. */
    APPLICATION,
    /** An API key and the token of a session. */
    SESSION,
    /** The API key of an administrator. */
    ADMINISTRATOR
  }

  /** Does what the operation is for. Straight-line code on a virtual thread. */
  interface Handler {
    /**
     * Does it, and says what to answer.
     *
     * @throws Rejected to answer with a problem
     */
    Response handle(Call call);
  }

  static Route application(Method method, String path, Handler handler) {
    return of(method, path, Access.APPLICATION, List.of(Response.JSON), handler);
  }

  static Route session(Method method, String path, Handler handler) {
    return of(method, path, Access.SESSION, List.of(Response.JSON), handler);
  }

  static Route session(Method method, String path, List<String> produces, Handler handler) {
    return of(method, path, Access.SESSION, produces, handler);
  }

  static Route admin(Method method, String path, Scope scope, Handler handler) {
    return new Route(
        method,
        path,
        Access.ADMINISTRATOR,
        scope,
        List.of(Response.JSON),
        Set.of(),
        false,
        handler);
  }

  static Route anybody(String path, List<String> produces, Handler handler) {
    return new Route(Method.GET, path, Access.ANYBODY, null, produces, Set.of(), false, handler);
  }

  private static Route of(
      Method method, String path, Access access, List<String> produces, Handler handler) {
    Scope scope = method.equals(Method.GET) ? Scope.READ : Scope.WRITE;
    return new Route(method, path, access, scope, produces, Set.of(), false, handler);
  }

  /** This operation with query parameters. */
  Route taking(String... names) {
    return new Route(method, path, access, scope, produces, Set.of(names), audited, handler);
  }

  /** This operation, with a note of each call. */
  Route noted() {
    return new Route(method, path, access, scope, produces, parameters, true, handler);
  }

  /** {@return whether it is for probes, which have no certificate to show} */
  boolean isForProbes() {
    return path.startsWith("/health/");
  }

  /** {@return the name of the operation, as in {@code PUT /v1/cart/items/{sku}}} */
  String name() {
    return method.text() + " " + path;
  }
}
