package dev.holdfast.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.app.Settings;
import dev.holdfast.cluster.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ties manifests and image to the program: what they say of it is true. */
final class ManifestsTest {

  private static final Path KUBERNETES = Path.of("kubernetes");
  private static final Path BASE = KUBERNETES.resolve("base");
  private static final Path DOCKERFILE = Path.of("docker/Dockerfile");

  /** Until a node serves: database and cluster are waited for 60 s each, its first user 30 s. */
  private static final Duration STARTING = Duration.ofSeconds(150);

  /** For the journal's last batches. */
  private static final Duration CLOSING = Duration.ofSeconds(5);

  private static final List<Manifest> ALL = Manifest.all(BASE);
  private static final Manifest DEPLOYMENT = Manifest.only(ALL, "Deployment", "holdfast");
  private static final Manifest POD = DEPLOYMENT.get("spec", "template", "spec");
  private static final Manifest NODE = POD.get("containers").item("name", "holdfast");
  private static final Settings DEFAULTS = Settings.load(null, Map.of(), Map.of());

  @TempDir private Path folder;

  @Test
  void areAsTheSchemasOfKubernetesWantThem() throws IOException {
    List<String> problems =
        objects().stream()
            .filter(Schemas::know)
            .map(Schemas::problem)
            .filter(problem -> problem != null)
            .toList();
    assertThat(problems).isEmpty();
  }

  @Test
  void keepToTheRestrictedPodSecurityStandard() throws IOException {
    List<Manifest> workloads =
        objects().stream()
            .filter(object -> List.of("Deployment", "StatefulSet").contains(object.kind()))
            .toList();
    assertThat(workloads).hasSizeGreaterThanOrEqualTo(2);
    workloads.forEach(RestrictedPods::check);
  }

  @Test
  void nameOnlySettingsThatThereAre() throws IOException {
    List<String> known =
        ConfigFactory.parseResources("reference.conf").getConfig("holdfast").entrySet().stream()
            .map(entry ->
                "HOLDFAST_"
                    + entry.getKey().replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT))
            .toList();
    var named = new ArrayList<String>();
    Pattern name = Pattern.compile("\\bHOLDFAST_[A-Z_]+");
    for (Path file : files(KUBERNETES, Path.of("docker"))) {
      Matcher found = name.matcher(Files.readString(file));
      while (found.find()) {
        String setting = found.group();
        named.add(setting.endsWith("_FILE") ? setting.substring(0, setting.length() - 5) : setting);
      }
    }
    assertThat(named).contains("HOLDFAST_CLUSTER_HOST", "HOLDFAST_KUBERNETES_POD");
    assertThat(known).containsAll(named);
  }

  @Test
  void giveANodeSettingsThatItTakes() throws IOException {
    Settings settings = Settings.load(null, environment(), Map.of());
    assertThat(settings.http().host()).isEqualTo("0.0.0.0");
    assertThat(settings.cluster().place().host()).isEqualTo("10.1.2.3");
    assertThat(settings.http().port()).isEqualTo(port("http"));
    assertThat(settings.cluster().place().port()).isEqualTo(port("nodes"));
    assertThat(settings.tokenKeys()).hasSize(1);
    assertThat(settings.http().keys().applications()).hasSize(1);
    assertThat(settings.postgres()).isNotNull();
    assertThat(settings.pod()).isNotNull();
  }

  @Test
  void probePathsThatTheContractHas() {
    Manifest contract = Manifest.in(Path.of("src/main/resources/openapi.yaml")).getFirst();
    for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
      String path = NODE.get(probe, "httpGet", "path").text();
      assertThat(contract.get("paths", path, "get").isThere()).as(probe).isTrue();
      assertThat(NODE.get(probe, "httpGet", "port").text()).isEqualTo("http");
      assertThat(NODE.get(probe, "timeoutSeconds").number()).as(probe).isBetween(1, 5);
    }
    assertThat(NODE.get("readinessProbe", "httpGet", "path").text()).endsWith("/ready");
    assertThat(NODE.get("livenessProbe", "httpGet", "path").text()).endsWith("/live");
  }

  @Test
  void giveANodeTheTimeThatItMayTakeToStartAndTheCallersTheirsToLeaveAConnection() {
    assertThat(judged("startupProbe")).isGreaterThan(STARTING);
    assertThat(judged("livenessProbe")).isGreaterThan(DEFAULTS.http().bounds().idle());
  }

  @Test
  void giveANodeTheTimeThatItMayTakeToHandItsUsersOverAndEnd() {
    Duration most =
        Duration.ofSeconds(NODE.get("lifecycle", "preStop", "sleep", "seconds").number())
            .plus(DEFAULTS.cluster().drain())
            .plus(DEFAULTS.http().bounds().stopping())
            .plus(Node.STOPPING)
            .plus(CLOSING);
    assertThat(Duration.ofSeconds(POD.get("terminationGracePeriodSeconds").number()))
        .isGreaterThanOrEqualTo(most);
    Manifest compose = Manifest.in(Path.of("docker/compose.yaml")).getFirst();
    assertThat(compose.get("services", "node-1", "stop_grace_period").text()).isEqualTo("75s");
  }

  @Test
  void allowWhatANodeAsksOfKubernetesAndNothingElse() {
    Manifest role = Manifest.only(ALL, "Role", "holdfast");
    assertThat(role.get("rules").items()).hasSize(1);
    Manifest rule = role.get("rules").items().getFirst();
    assertThat(rule.get("apiGroups").texts()).containsExactly("");
    assertThat(rule.get("resources").texts()).containsExactly("pods");
    assertThat(rule.get("verbs").texts()).containsExactly(PodPatch.VERB);
    Manifest binding = Manifest.only(ALL, "RoleBinding", "holdfast");
    assertThat(binding.get("subjects", "0", "name").text())
        .isEqualTo(POD.get("serviceAccountName").text());
  }

  @Test
  void letNobodyButNodesReachThePortsBetweenNodes() {
    Manifest policy = Manifest.only(ALL, "NetworkPolicy", "holdfast");
    assertThat(policy.get("spec", "policyTypes").texts()).contains("Ingress", "Egress");
    for (String internal : List.of("nodes", "wire")) {
      List<Manifest> rules =
          policy.get("spec", "ingress").items().stream()
              .filter(rule -> opens(rule, port(internal)))
              .toList();
      assertThat(rules).hasSize(1);
      assertThat(rules.getFirst().get("from").items()).hasSize(1);
      assertThat(rules.getFirst().get("from", "0", "podSelector", "matchLabels").value())
          .isEqualTo(DEPLOYMENT.get("spec", "selector", "matchLabels").value());
    }
    assertThat(policy.get("spec", "ingress").items()).anyMatch(rule -> opens(rule, port("http")));
    // Without a list of ports a rule would open all.
    assertThat(policy.get("spec", "ingress").items())
        .allMatch(rule -> !rule.get("ports").items().isEmpty());
  }

  /**
   * Behind its Service, and where the server itself listens: in general, in clouds, on minikube.
   */
  @ParameterizedTest
  @ValueSource(ints = {443, 6443, 8443})
  void letANodeReachTheApiOfKubernetes(int port) {
    Manifest policy = Manifest.only(ALL, "NetworkPolicy", "holdfast");
    assertThat(policy.get("spec", "egress").items()).anyMatch(rule -> opens(rule, port));
  }

  private static boolean opens(Manifest rule, int port) {
    return rule.get("ports").items().stream().anyMatch(each -> each.get("port").number() == port);
  }

  @Test
  void choosePodsByLabelsThatTheyHave() {
    Object labels = DEPLOYMENT.get("spec", "selector", "matchLabels").value();
    assertThat(DEPLOYMENT.get("spec", "template", "metadata", "labels").value()).isEqualTo(labels);
    for (String service : List.of("holdfast", "holdfast-nodes")) {
      assertThat(Manifest.only(ALL, "Service", service).get("spec", "selector").value())
          .isEqualTo(labels);
    }
    assertThat(
            Manifest.only(ALL, "PodDisruptionBudget", "holdfast")
                .get("spec", "selector", "matchLabels")
                .value())
        .isEqualTo(labels);
  }

  @Test
  void changeNodesOneAtATimeAndNeverBelowTheirNumber() {
    Manifest rolling = DEPLOYMENT.get("spec", "strategy", "rollingUpdate");
    assertThat(rolling.get("maxUnavailable").number()).isZero();
    assertThat(rolling.get("maxSurge").number()).isEqualTo(1);
    assertThat(
            Manifest.only(ALL, "PodDisruptionBudget", "holdfast")
                .get("spec", "maxUnavailable")
                .number())
        .isEqualTo(1);
  }

  @Test
  void limitNoProcessorAndAllMemory() {
    assertThat(NODE.get("resources", "limits", "cpu").isThere()).isFalse();
    assertThat(NODE.get("resources", "requests", "cpu").isThere()).isTrue();
    assertThat(NODE.get("resources", "limits", "memory").text())
        .isEqualTo(NODE.get("resources", "requests", "memory").text());
  }

  @Test
  void runAnImageThatMayBeOnTheMachineOnly() {
    Manifest kustomization = Manifest.in(BASE.resolve("kustomization.yaml")).getFirst();
    String tag = kustomization.get("images").item("name", "holdfast").get("newTag").text();
    assertThat(tag).isEqualTo(version());
    assertThat(NODE.get("imagePullPolicy").text()).isEqualTo("IfNotPresent");
    assertThat(kustomization.get("labels", "0", "pairs", "app.kubernetes.io/version").text())
        .isEqualTo(tag);
    Manifest compose = Manifest.in(Path.of("docker/compose.yaml")).getFirst();
    assertThat(compose.get("services", "node-1", "image").text()).isEqualTo("holdfast:" + tag);
  }

  @Test
  void haveTheImageStartTheJvmAsTheLauncherDoes() throws IOException {
    Matcher flags =
        Pattern.compile("JVM_FLAGS='([^']+)'").matcher(Files.readString(Path.of("holdfast")));
    assertThat(flags.find()).isTrue();
    List<String> wanted = List.of(flags.group(1).split(" "));
    String dockerfile = Files.readString(DOCKERFILE);
    String trained = between(dockerfile, "RUN java ", "rehearse");
    String started = between(dockerfile, "ENTRYPOINT [", "]");
    assertThat(wanted).hasSizeGreaterThan(3);
    assertThat(wanted).allMatch(trained::contains).allMatch(started::contains);
    assertThat(started).startsWith("\"java\"").doesNotContain("sh\"");
  }

  @Test
  void haveTheImageRunAsTheUserOfThePodAndOpenItsPorts() throws IOException {
    String dockerfile = Files.readString(DOCKERFILE);
    assertThat(dockerfile)
        .contains("USER " + user() + ":" + user() + "\n")
        .contains("EXPOSE %d %d %d\n".formatted(port("http"), port("nodes"), port("wire")))
        .contains("ARG VERSION=" + version() + "\n");
  }

  private static int user() {
    return POD.get("securityContext", "runAsUser").number();
  }

  private static String between(String text, String begin, String end) {
    int from = text.indexOf(begin) + begin.length();
    return text.substring(from, text.indexOf(end, from));
  }

  /** {@return the version of the pom, as it is released} */
  private static String version() {
    try {
      Matcher found =
          Pattern.compile("<version>([0-9.]+)(-SNAPSHOT)?</version>")
              .matcher(Files.readString(Path.of("pom.xml")));
      assertThat(found.find()).isTrue();
      return found.group(1);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** How long a probe must fail before Kubernetes acts on it. */
  private static Duration judged(String probe) {
    return Duration.ofSeconds(
        (long) NODE.get(probe, "periodSeconds").number()
            * NODE.get(probe, "failureThreshold").number());
  }

  private static int port(String name) {
    return NODE.get("ports").item("name", name).get("containerPort").number();
  }

  /**
   * What a node finds in its environment: from the ConfigMap and from the pod, with files that are
   * there.
   */
  private Map<String, String> environment() throws IOException {
    var environment = new HashMap<String, String>();
    Manifest kustomization = Manifest.in(BASE.resolve("kustomization.yaml")).getFirst();
    for (String literal : kustomization.get("configMapGenerator", "0", "literals").texts()) {
      String[] pair = literal.split("=", 2);
      environment.put(pair[0], pair[1]);
    }
    for (Manifest variable : NODE.get("env").items()) {
      environment.put(
          variable.get("name").text(),
          variable.get("value").isThere() ? variable.get("value").text() : field(variable));
    }
    Map<String, String> secrets =
        Map.of(
            "token-keys", "1:Zm9yLXRyaWFscy1vbmx5LWEta2V5LWV2ZXJ5Ym9keS1rbm93cw",
            "api-keys", "ab".repeat(32),
            "admin-keys", "",
            "url", "postgresql://holdfast:word@db/shop");
    var mounted = new LinkedHashMap<String, String>();
    for (Manifest mount : NODE.get("volumeMounts").items()) {
      mounted.put(mount.get("mountPath").text(), mount.get("name").text());
    }
    for (String name : List.copyOf(environment.keySet())) {
      if (name.endsWith("_FILE")) {
        Path file = Path.of(environment.get(name));
        assertThat(mounted).containsKey(String.valueOf(file.getParent()));
        environment.put(
            name,
            Files.writeString(
                    folder.resolve(file.getFileName()), secrets.get(file.getFileName().toString()))
                .toString());
      }
    }
    return environment;
  }

  private static String field(Manifest variable) {
    return switch (variable.get("valueFrom", "fieldRef", "fieldPath").text()) {
      case "metadata.name" -> "holdfast-5d9c7b-x2x4z";
      case "status.podIP" -> "10.1.2.3";
      default -> throw new AssertionError(variable.at());
    };
  }

  /** {@return every object of Kubernetes in the sources, but what kustomize makes of them} */
  private static List<Manifest> objects() throws IOException {
    var objects = new ArrayList<Manifest>();
    for (Path file : files(KUBERNETES)) {
      if (file.toString().endsWith(".yaml")
          && !file.endsWith("kustomization.yaml")
          && !String.valueOf(file.getParent()).endsWith("patches")) {
        objects.addAll(Manifest.in(file));
      }
    }
    assertThat(objects).hasSizeGreaterThan(10);
    return objects;
  }

  private static List<Path> files(Path... folders) throws IOException {
    var found = new ArrayList<Path>();
    for (Path each : folders) {
      try (Stream<Path> files = Files.walk(each)) {
        files.filter(Files::isRegularFile).sorted().forEach(found::add);
      }
    }
    return found;
  }
}
