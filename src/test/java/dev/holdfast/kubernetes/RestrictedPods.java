package dev.holdfast.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The restricted Pod Security Standard, as Kubernetes 1.34 has it, held to the template of a pod.
 */
final class RestrictedPods {

  private static final Set<String> VOLUMES =
      Set.of(
          "configMap",
          "csi",
          "downwardAPI",
          "emptyDir",
          "ephemeral",
          "persistentVolumeClaim",
          "projected",
          "secret",
          "name");

  private RestrictedPods() {}

  static void check(Manifest workload) {
    Manifest pod = workload.get("spec", "template", "spec");
    String at = workload.at();
    for (String shared : List.of("hostNetwork", "hostPID", "hostIPC")) {
      assertThat(pod.get(shared).isThere()).as(at + " " + shared).isFalse();
    }
    assertThat(pod.get("securityContext", "runAsNonRoot").value()).as(at).isEqualTo(true);
    assertThat(pod.get("securityContext", "runAsUser").number()).as(at).isPositive();
    assertThat(pod.get("securityContext", "seccompProfile", "type").text())
        .as(at)
        .isIn("RuntimeDefault", "Localhost");
    assertThat(pod.get("securityContext", "sysctls").isThere()).as(at).isFalse();
    for (Manifest volume : pod.get("volumes").items()) {
      assertThat(VOLUMES.containsAll(keys(volume))).as(volume.at()).isTrue();
    }
    assertThat(pod.get("containers").items()).isNotEmpty();
    pod.get("containers").items().forEach(RestrictedPods::checkContainer);
    pod.get("initContainers").items().forEach(RestrictedPods::checkContainer);
  }

  private static void checkContainer(Manifest container) {
    Manifest context = container.get("securityContext");
    assertThat(context.get("allowPrivilegeEscalation").value()).as(context.at()).isEqualTo(false);
    assertThat(context.get("capabilities", "drop").texts()).as(context.at()).contains("ALL");
    assertThat(context.get("capabilities", "add").texts()).as(context.at()).isEmpty();
    assertThat(context.get("privileged").isThere()).as(context.at()).isFalse();
    assertThat(context.get("procMount").isThere()).as(context.at()).isFalse();
    // More than the standard asks for.
    assertThat(context.get("readOnlyRootFilesystem").value()).as(context.at()).isEqualTo(true);
    for (Manifest port : container.get("ports").items()) {
      assertThat(port.get("hostPort").isThere()).as(port.at()).isFalse();
    }
    for (String handler : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
      assertThat(container.get(handler, "httpGet", "host").isThere()).as(handler).isFalse();
    }
  }

  private static List<String> keys(Manifest map) {
    return ((Map<?, ?>) Objects.requireNonNull(map.value()))
        .keySet().stream().map(Object::toString).toList();
  }
}
