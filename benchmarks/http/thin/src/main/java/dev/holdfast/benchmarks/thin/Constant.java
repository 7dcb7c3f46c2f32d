package dev.holdfast.benchmarks.thin;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The web server by itself: every answer is the same. The ceiling for reads. */
public final class Constant {

  private Constant() {}

  /** Runs until it is killed; the argument is the file with the body of its answers. */
  public static void main(String[] args) throws Exception {
    byte[] body = Files.readAllBytes(Path.of(args[0]));
    WebServer server =
        WebServer.builder()
            .host("127.0.0.1")
            .port(0)
            .connectionOptions(options -> options.tcpNoDelay(true))
            .routing(
                HttpRouting.builder()
                    .post(
                        "/v1/sessions",
                        (_, response) ->
                            response
                                .status(Status.CREATED_201)
                                .header("Session-Token", "none")
                                .send("{}".getBytes(StandardCharsets.UTF_8)))
                    .put(
                        "/v1/cart/items/{sku}",
                        (request, response) -> {
                          request.content().as(byte[].class);
                          response.header(HeaderNames.CONTENT_TYPE, "application/json").send(body);
                        })
                    .get(
                        "/v1/session",
                        (_, response) ->
                            response
                                .header(HeaderNames.CONTENT_TYPE, "application/json")
                                .send(body)))
            .build()
            .start();
    System.out.println("ready http://127.0.0.1:" + server.port());
  }
}
