package dev.holdfast.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * The one call that is made: {@code PATCH} of the pod's annotation. Token, namespace and authority
 * are read from their files each time, for Kubernetes replaces them while the process runs, and
 * calls are few.
 */
final class PodPatch {

  /** Of the API of Kubernetes, a whole number; the pods with the least go first. */
  static final String ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";

  /** What the Role must allow. */
  static final String VERB = "patch";

  private static final String TYPE = "application/merge-patch+json";

  /** Of the answer only its status counts, so as little of the pod as can be asked for. */
  private static final String ACCEPT =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

  private final PodSettings pod;
  private final Duration patience;

  /**
   * @param patience for the whole call, at most
   */
  PodPatch(PodSettings pod, Duration patience) {
    this.pod = pod;
    this.patience = patience;
  }

  /**
   * What the API server answered.
   *
   * @param status of HTTP
   * @param retryAfterSeconds that it asks for; null if it does not
   */
  record Answer(int status, @Nullable Long retryAfterSeconds) {

    boolean isDone() {
      return status >= 200 && status < 300;
    }
  }

  /**
   * Writes the annotation.
   *
   * @throws IOException if a file cannot be read, the server not be reached or trusted, or it does
   *     not answer in time
   */
  Answer write(int cost) throws IOException, InterruptedException {
    String token = Files.readString(pod.account().resolve("token")).strip();
    String namespace = Files.readString(pod.account().resolve("namespace")).strip();
    URI target = pod.api().resolve("/api/v1/namespaces/" + namespace + "/pods/" + pod.name());
    HttpRequest request =
        HttpRequest.newBuilder(target)
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", TYPE)
            .header("Accept", ACCEPT)
            .header("User-Agent", "holdfast")
            .method(
                "PATCH",
                BodyPublishers.ofString(
                    "{\"metadata\":{\"annotations\":{\"%s\":\"%d\"}}}".formatted(ANNOTATION, cost)))
            .build();
    HttpClient client = client(target);
    try {
      CompletableFuture<HttpResponse<Void>> sent =
          client.sendAsync(request, BodyHandlers.discarding());
      return answer(sent.get(patience.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      throw new IOException("no answer within " + patience.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      throw new IOException(String.valueOf(e.getCause()), e);
    } finally {
      client.shutdownNow();
    }
  }

  private static Answer answer(HttpResponse<Void> response) {
    // A date is allowed by HTTP and not used by Kubernetes.
    String told = response.headers().firstValue("Retry-After").orElse("");
    return new Answer(
        response.statusCode(), told.matches("[0-9]{1,6}") ? Long.valueOf(told) : null);
  }

  private HttpClient client(URI target) throws IOException {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(patience);
    if (target.getScheme().equals("https")) {
      builder.sslContext(trusting(pod.account().resolve("ca.crt")));
    }
    return builder.build();
  }

  /** Trusts the authorities in the file and nobody else. */
  private static SSLContext trusting(Path authorities) throws IOException {
    try (InputStream in = Files.newInputStream(authorities)) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      int number = 0;
      for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        trusted.setCertificateEntry("authority-" + number++, each);
      }
      var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, factory.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(authorities + " holds no certificate that can be used", e);
    }
  }
}
