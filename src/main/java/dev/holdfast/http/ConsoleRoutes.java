package dev.holdfast.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * {@code /console}: pages, scripts and styles out of the program, for anybody. What they show, they
 * ask of {@code /v1/admin} with the key of whoever sits in front of them.
 */
final class ConsoleRoutes {

  private static final String HTML = "text/html";
  private static final String CSS = "text/css";
  private static final String SCRIPT = "text/javascript";
  private static final String SVG = "image/svg+xml";

  /** The page may load and ask for nothing but what this server has, and be in no other page. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  /** Where the library of the charts lies, and its version with it. */
  private static final String CHARTS = "/META-INF/maven/org.webjars.npm/uplot/pom.properties";

  private ConsoleRoutes() {}

  static List<Route> all() {
    Map<String, Response> files = files();
    Response page = file("/console/index.html", HTML);
    var routes = new ArrayList<Route>();
    routes.add(Route.anybody("/console", List.of(HTML), _ -> page));
    routes.add(
        Route.anybody("/console/{file}", List.of(SCRIPT, CSS, SVG), call -> find(files, call)));
    return routes;
  }

  private static Response find(Map<String, Response> files, Call call) {
    Response found = files.get(call.parameter("file"));
    if (found == null) {
      throw new Rejected(ProblemType.NO_SUCH_ROUTE, "The console has no such file.");
    }
    return found;
  }

  private static Map<String, Response> files() {
    String charts = "/META-INF/resources/webjars/uplot/" + version() + "/dist/";
    return Map.of(
        "style.css", file("/console/style.css", CSS),
        "icon.svg", file("/console/icon.svg", SVG),
        "main.js", file("/console/main.js", SCRIPT),
        "server.js", file("/console/server.js", SCRIPT),
        "measures.js", file("/console/measures.js", SCRIPT),
        "overview.js", file("/console/overview.js", SCRIPT),
        "people.js", file("/console/people.js", SCRIPT),
        "page.js", file("/console/page.js", SCRIPT),
        "uplot.js", file(charts + "uPlot.esm.js", SCRIPT),
        "uplot.css", file(charts + "uPlot.min.css", CSS));
  }

  private static String version() {
    var properties = new Properties();
    try (InputStream in = open(CHARTS)) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("reading the version of the charts", e);
    }
    return properties.getProperty("version");
  }

  private static Response file(String resource, String type) {
    try (InputStream in = open(resource)) {
      return Response.of(200, type + "; charset=utf-8", in.readAllBytes())
          .with("Content-Security-Policy", POLICY)
          .with("X-Content-Type-Options", "nosniff")
          .with("Referrer-Policy", "no-referrer")
          .with("Cross-Origin-Opener-Policy", "same-origin");
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + resource + " from the program", e);
    }
  }

  private static InputStream open(String resource) {
    InputStream in = ConsoleRoutes.class.getResourceAsStream(resource);
    if (in == null) {
      throw new IllegalStateException(resource + " is not in the program");
    }
    return in;
  }
}
