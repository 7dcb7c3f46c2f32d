package dev.holdfast.kubernetes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code kubectl kustomize} makes of each overlay: the objects that a cluster is given. */
@Tag("kubectl")
final class OverlaysTest {

  /** Made by people, by CloudNativePG, and by cert-manager: not by the overlay. */
  private static final Set<String> MADE_ELSEWHERE =
      Set.of(
          "holdfast-keys", "holdfast-database-app", "holdfast-database-ca", "holdfast-nodes-tls");

  @ParameterizedTest
  @ValueSource(strings = {"local", "local-ephemeral", "single", "production"})
  void areAsTheSchemasOfKubernetesWantThem(String overlay) {
    List<Manifest> objects = render(overlay);
    assertThat(
            objects.stream().filter(Schemas::know).map(Schemas::problem).filter(Objects::nonNull))
        .isEmpty();
    assertThat(objects.stream().map(object -> object.kind() + "/" + object.name()))
        .doesNotHaveDuplicates();
    assertThat(objects)
        .filteredOn(object -> object.kind().equals("Namespace"))
        .singleElement()
        .matches(namespace ->
            namespace
                .get("metadata", "labels", "pod-security.kubernetes.io/enforce")
                .text()
                .equals("restricted"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "local-ephemeral", "single", "production"})
  void keepToTheRestrictedPodSecurityStandard(String overlay) {
    List<Manifest> workloads = workloads(render(overlay));
    assertThat(workloads).isNotEmpty();
    workloads.forEach(RestrictedPods::check);
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "local-ephemeral", "single", "production"})
  void nameOnlyWhatThereIs(String overlay) {
    List<Manifest> objects = render(overlay);
    Set<String> there =
        Stream.concat(
                objects.stream()
                    .filter(object -> List.of("ConfigMap", "Secret").contains(object.kind()))
                    .map(Manifest::name),
                overlay.startsWith("local") ? Stream.empty() : MADE_ELSEWHERE.stream())
            .collect(Collectors.toSet());
    for (Manifest workload : workloads(objects)) {
      workload
          .everything()
          .flatMap(part ->
              Stream.of(
                  part.get("configMapRef", "name"),
                  part.get("secretKeyRef", "name"),
                  part.get("secret", "secretName")))
          .filter(Manifest::isThere)
          .forEach(name -> assertThat(there).as(name.at()).contains(name.text()));
      Manifest account = workload.get("spec", "template", "spec", "serviceAccountName");
      if (account.isThere()) {
        Manifest.only(objects, "ServiceAccount", account.text());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "local-ephemeral", "single", "production"})
  void runImagesOfAFixedTag(String overlay) {
    for (Manifest workload : workloads(render(overlay))) {
      for (Manifest container : workload.get("spec", "template", "spec", "containers").items()) {
        assertThat(container.get("image").text())
            .matches("[a-z0-9./-]+:[0-9][A-Za-z0-9._-]*")
            .doesNotContain("latest");
        assertThat(container.get("imagePullPolicy").text()).isEqualTo("IfNotPresent");
      }
    }
  }

  @Test
  void needNothingElseOnALaptop() {
    List<Manifest> objects = render("local");
    assertThat(objects).allMatch(Schemas::know);
    assertThat(objects).noneMatch(object -> object.kind().equals("HorizontalPodAutoscaler"));
    Manifest nodes = Manifest.only(objects, "Deployment", "holdfast");
    assertThat(nodes.get("spec", "replicas").number()).isEqualTo(3);
    assertThat(nodes.get("spec", "template", "spec", "containers", "0", "image").text())
        .matches("holdfast:[0-9.]+");
  }

  /**
   * When processors are short all nodes wait for the database; and a program that a probe starts in
   * its container takes seconds then, after which the database is taken out of its Service.
   */
  @Test
  void keepTheDatabaseOfALaptopThereWhenProcessorsAreShort() {
    List<Manifest> objects = render("local");
    Manifest database = container(Manifest.only(objects, "StatefulSet", "holdfast-postgres"));
    Manifest node = container(Manifest.only(objects, "Deployment", "holdfast"));
    assertThat(processors(database)).isGreaterThan(processors(node));
    for (String probe : List.of("startupProbe", "readinessProbe")) {
      assertThat(database.get(probe, "tcpSocket", "port").text()).isEqualTo("postgres");
      assertThat(database.get(probe, "exec").isThere()).isFalse();
    }
  }

  private static Manifest container(Manifest workload) {
    return workload.get("spec", "template", "spec", "containers", "0");
  }

  /** In thousandths of a processor, as the overlay for a laptop counts them. */
  private static int processors(Manifest container) {
    String requested = container.get("resources", "requests", "cpu").text();
    assertThat(requested).matches("[0-9]+m");
    return Integer.parseInt(requested.substring(0, requested.length() - 1));
  }

  @Test
  void holdNoSecretAndLetNobodyInWithoutAKeyInProduction() {
    List<Manifest> objects = render("production");
    assertThat(objects).noneMatch(object -> object.kind().equals("Secret"));
    Manifest settings =
        objects.stream()
            .filter(object -> object.name().startsWith("holdfast-settings"))
            .findFirst()
            .orElseThrow();
    assertThat(settings.get("data", "HOLDFAST_INSECURE").isThere()).isFalse();
    assertThat(settings.get("data", "HOLDFAST_CLUSTER_TLS_KEY").text()).isNotBlank();
    assertThat(Manifest.only(objects, "Deployment", "holdfast").get("spec", "replicas").isThere())
        .as("the autoscaler has the number")
        .isFalse();
    Manifest database = Manifest.only(objects, "Cluster", "holdfast-database");
    assertThat(database.get("spec", "postgresql", "synchronous", "dataDurability").text())
        .isEqualTo("required");
    // The URL must not be in the environment twice: a node refuses that.
    List<String> variables =
        Manifest.only(objects, "Deployment", "holdfast")
            .get("spec", "template", "spec", "containers", "0", "env")
            .items()
            .stream()
            .map(variable -> variable.get("name").text())
            .toList();
    assertThat(variables).contains("HOLDFAST_POSTGRES").doesNotContain("HOLDFAST_POSTGRES_FILE");
  }

  @Test
  void runOneNodeOnAVolumeOfItsOwnInTheSingleOne() {
    Manifest node = Manifest.only(render("single"), "StatefulSet", "holdfast");
    assertThat(node.get("spec", "replicas").number()).isEqualTo(1);
    assertThat(node.get("spec", "volumeClaimTemplates", "0", "spec", "accessModes").texts())
        .containsExactly("ReadWriteOncePod");
  }

  private static List<Manifest> workloads(List<Manifest> objects) {
    return objects.stream()
        .filter(object -> List.of("Deployment", "StatefulSet").contains(object.kind()))
        .toList();
  }

  private static List<Manifest> render(String overlay) {
    try {
      Process kubectl =
          new ProcessBuilder(
                  System.getProperty("holdfast.kubectl", "kubectl"),
                  "kustomize",
                  "kubernetes/overlays/" + overlay)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String yaml = new String(kubectl.getInputStream().readAllBytes(), UTF_8);
      assertThat(kubectl.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(kubectl.exitValue()).isZero();
      return Manifest.of(overlay, yaml);
    } catch (IOException e) {
      throw new AssertionError("needs kubectl, as .ci/kubectl gets it", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
