package dev.holdfast;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher, in a project of its own with stand-ins for the JDK and Maven that are shell
 * scripts: the one prints its arguments, the other writes a jar and a line for each time it was
 * called.
 */
class LauncherTest {

  private static final Path LAUNCHER = Path.of("holdfast").toAbsolutePath();
  private static final String BUILT_ONCE = "built\n";

  @TempDir private Path dir;
  private Path project;
  private Path jdk;
  private Path bin;

  @BeforeEach
  void createProject() throws IOException {
    // A space in the path, since people have such folders.
    dir = Files.createDirectory(dir.toRealPath().resolve("a folder"));
    project = Files.createDirectory(dir.resolve("project"));
    Files.copy(LAUNCHER, project.resolve("holdfast"));
    makeExecutable(project.resolve("holdfast"));
    write("project/pom.xml", "<project/>");
    write("project/src/main/java/Main.java", "class Main {}");
    write("project/src/main/java/Other.java", "class Other {}");
    age(project);
    jdk = createJdk("jdk", "25.0.1");
    bin = Files.createDirectory(dir.resolve("bin"));
    script(
        bin.resolve("mvn"),
        """
        for option in "$@"; do
          case $option in -Dholdfast.build.directory=*) build=${option#*=} ;; esac
        done
        printf 'built\\n' >>"$CALLS"
        [ ! -e "$CALLS.fail" ] || { echo 'Main.java: no such type'; exit 1; }
        mkdir -p "$build/lib" && : >"$build/holdfast.jar"
        """);
  }

  @Test
  void handsArgumentsAndFlagsToTheProgram() {
    Run run = launch("serve", "--data", "a b", "");

    assertThat(run.status).isZero();
    assertThat(run.out)
        .contains("<-XX:+UseCompactObjectHeaders>")
        .contains("<--enable-native-access=ALL-UNNAMED>")
        .contains("<--sun-misc-unsafe-memory-access=allow>")
        .endsWith("<-jar><" + project + "/target/run/holdfast.jar><serve><--data><a b><>\n");
  }

  @Test
  void leavesTheJvmOpenToFurtherOptions() {
    Run run =
        launch(
            Map.of("JAVA_OPTS", "-Xmx1g -Da=b", "HOLDFAST_JAVA_OPTS", "-Xmx2g"),
            project.resolve("holdfast"));

    assertThat(run.out).contains("<-Xmx1g><-Da=b><-Xmx2g><-jar>");
  }

  @Test
  void buildsOnFirstUseAndThenNeverAgain() {
    assertThat(launch().err).startsWith("holdfast: building").hasLineCount(1);
    assertThat(launch().err).isEmpty();

    assertThat(builds()).isEqualTo(BUILT_ONCE);
  }

  @Test
  void buildsAgainWhenASourceChanged() throws IOException {
    launch();
    write("project/src/main/java/Main.java", "class Main { int changed; }");
    setLastModified(project.resolve("src/main/java/Main.java"), Instant.now().plusSeconds(1));

    assertThat(launch().err).contains("building (the sources changed)");
  }

  @Test
  void buildsAgainWhenTheBuildItselfChanged() throws IOException {
    launch();
    setLastModified(project.resolve("pom.xml"), Instant.now().plusSeconds(1));

    assertThat(launch().err).contains("building (the sources changed)");
  }

  @Test
  void buildsAgainWhenASourceIsGone() throws IOException {
    launch();
    Files.delete(project.resolve("src/main/java/Other.java"));

    assertThat(launch().err).contains("building (the sources changed)");
    assertThat(launch().err).isEmpty();
  }

  @Test
  void buildsAgainWhenASourceOfAnOldDateCameIn() throws IOException {
    launch();
    write("project/src/main/java/Old.java", "class Old {}");
    age(project.resolve("src/main/java"));

    assertThat(launch().err).contains("building (the sources changed)");
  }

  @Test
  void overlooksWhatEditorsLeaveBehind() throws IOException {
    launch();
    write("project/src/main/java/.Main.java.swp", "");
    write("project/src/main/java/Main.java~", "");

    assertThat(launch().err).isEmpty();
  }

  @Test
  void showsWhyABuildFailedAndTriesAgainTheNextTime() throws IOException {
    write("calls.fail", "");
    Run failed = launch();
    assertThat(failed.status).isEqualTo(1);
    assertThat(failed.err).contains("Main.java: no such type").endsWith("the build failed\n");
    assertThat(failed.out).isEmpty();

    Files.delete(dir.resolve("calls.fail"));
    assertThat(launch().status).isZero();
  }

  @Test
  void buildsOnceForManyLaunchersStartedTogether() throws Exception {
    List<Process> launchers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      launchers.add(start(Map.of(), List.of(project.resolve("holdfast").toString())));
    }
    for (Process launcher : launchers) {
      assertThat(finish(launcher).status).isZero();
    }

    assertThat(builds()).isEqualTo(BUILT_ONCE);
    assertThat(project.resolve("target/run/lock")).doesNotExist();
  }

  @Test
  void takesOverTheLockOfABuilderThatDied() throws Exception {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Files.createDirectories(project.resolve("target/run"));
    Files.createSymbolicLink(
        project.resolve("target/run/lock"), Path.of(Long.toString(dead.pid())));

    assertThat(launch().status).isZero();
  }

  @Test
  void letsGoOfTheLockWhenItIsEndedWhileBuilding() throws Exception {
    script(bin.resolve("mvn"), "printf 'built\\n' >>\"$CALLS\"\nexec sleep 60\n");
    Process launcher = start(Map.of(), List.of(project.resolve("holdfast").toString()));
    await().until(() -> Files.exists(dir.resolve("calls")));
    launcher.toHandle().destroy();

    assertThat(finish(launcher).status).isEqualTo(143);
    assertThat(project.resolve("target/run/lock")).doesNotExist();
  }

  @Test
  void runsThroughSymbolicLinksFromAnyFolder() throws IOException {
    Files.createSymbolicLink(dir.resolve("absolute"), project.resolve("holdfast"));
    Files.createSymbolicLink(bin.resolve("relative"), Path.of("../absolute"));

    assertThat(launch(Map.of(), bin.resolve("relative")).out)
        .contains("<" + project + "/target/run/holdfast.jar>");
  }

  @Test
  void runsADistributionWithoutBuilding() throws IOException {
    Path distribution = Files.createDirectory(dir.resolve("distribution"));
    Files.copy(project.resolve("holdfast"), distribution.resolve("holdfast"));
    makeExecutable(distribution.resolve("holdfast"));
    write("distribution/holdfast.jar", "");
    Files.delete(bin.resolve("mvn"));
    Files.delete(jdk.resolve("bin/javac"));

    Run run = launch(Map.of(), distribution.resolve("holdfast"));
    assertThat(run.out).endsWith("<-jar><" + distribution + "/holdfast.jar>\n");
    assertThat(run.err).isEmpty();
  }

  @Test
  void prefersTheVersionThatItIsBuiltForToANewerOne() throws IOException {
    createJdk("home/.sdkman/candidates/java/26-tem", "26");
    Path exact = createJdk("home/.sdkman/candidates/java/25.0.2-tem", "25.0.2");
    Path old = createJdk("old", "17.0.15");

    Run run =
        launch(
            Map.of("HOLDFAST_JAVA_HOME", "", "JAVA_HOME", old.toString()),
            project.resolve("holdfast"),
            "--java-home");
    // Where this machine has a JDK 25 in one of the usual folders, that one comes first.
    assertThat(Path.of(run.out.strip()))
        .satisfiesAnyOf(
            home -> assertThat(home).isEqualTo(exact),
            home -> assertThat(home.resolve("release")).content().contains("JAVA_VERSION=\"25"));
  }

  @Test
  void takesJavaHomeBeforeWhatElseIsInstalled() {
    Run run =
        launch(
            Map.of("HOLDFAST_JAVA_HOME", "", "JAVA_HOME", jdk.toString()),
            project.resolve("holdfast"),
            "--java-home");

    assertThat(run.out).isEqualTo(jdk + "\n");
  }

  @Test
  void saysInOneLineThatTheGivenJdkIsTooOld() throws IOException {
    Path old = createJdk("old", "17.0.15");

    Run run = launch(Map.of("HOLDFAST_JAVA_HOME", old.toString()), project.resolve("holdfast"));
    assertThat(run.status).isEqualTo(1);
    assertThat(run.err)
        .isEqualTo("holdfast: HOLDFAST_JAVA_HOME is not a Java 25 or newer: " + old + "\n");
  }

  /** As where somebody else made the folder, or the file system has no symbolic links. */
  @Test
  void endsWhereItCanNeverLockItsBuild() throws IOException {
    script(bin.resolve("ln"), "exit 1\n");
    Run run = launch();
    assertThat(run.status).isEqualTo(1);
    assertThat(run.err).contains("cannot make " + project.resolve("target/run/lock"));
  }

  /** As systemd and cron start it. */
  @Test
  void findsItsJdkWithoutAHomeOfItsUser() {
    String launcher = project.resolve("holdfast").toString();
    Run run =
        finish(
            start(
                Map.of("HOLDFAST_JAVA_HOME", "", "JAVA_HOME", jdk.toString()),
                List.of("env", "-u", "HOME", launcher, "--java-home")));
    assertThat(run.err).isEmpty();
    assertThat(run.status).isZero();
  }

  @Test
  void saysInOneLineThatMavenIsMissing() throws IOException {
    Files.delete(bin.resolve("mvn"));
    for (String tool : List.of("find", "sort", "cat", "ln", "rm", "mv", "mkdir", "readlink")) {
      script(bin.resolve(tool), "exec %s \"$@\"\n".formatted(which(tool)));
    }

    Run run = launch(Map.of("PATH", bin.toString()), project.resolve("holdfast"));
    assertThat(run.status).isEqualTo(1);
    assertThat(run.err).startsWith("holdfast: needs Maven").hasLineCount(1);
  }

  private Run launch(String... arguments) {
    return launch(Map.of(), project.resolve("holdfast"), arguments);
  }

  private Run launch(Map<String, String> environment, Path launcher, String... arguments) {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    return finish(start(environment, command));
  }

  private Process start(Map<String, String> environment, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(dir.toFile());
    Map<String, String> variables = builder.environment();
    variables.keySet().removeAll(List.of("JAVA_OPTS", "HOLDFAST_JAVA_OPTS", "MAVEN_HOME"));
    variables.put("HOME", dir.resolve("home").toString());
    variables.put("PATH", bin + ":" + variables.get("PATH"));
    variables.put("HOLDFAST_JAVA_HOME", jdk.toString());
    variables.put("CALLS", dir.resolve("calls").toString());
    variables.putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Run finish(Process process) {
    try (var out = process.getInputStream();
        var err = process.getErrorStream()) {
      String printed = new String(out.readAllBytes(), UTF_8);
      String complained = new String(err.readAllBytes(), UTF_8);
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      return new Run(process.exitValue(), printed, complained);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
  }

  private String builds() {
    try {
      return Files.readString(dir.resolve("calls"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path createJdk(String name, String version) throws IOException {
    Path home = dir.resolve(name);
    write(name + "/release", "IMPLEMENTOR=\"Test\"\nJAVA_VERSION=\"" + version + "\"\n");
    Files.createDirectory(home.resolve("bin"));
    script(home.resolve("bin/java"), "printf '<%s>' \"$@\"\necho\n");
    script(home.resolve("bin/javac"), "");
    return home;
  }

  private void write(String name, String text) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + text);
    makeExecutable(file);
  }

  private static void makeExecutable(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Dates everything below the folder an hour back, as files from an archive are. */
  private static void age(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        setLastModified(file, Instant.now().minusSeconds(3600));
      }
    }
  }

  private static void setLastModified(Path file, Instant time) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(time));
  }

  private static Path which(String tool) {
    for (String folder : System.getenv("PATH").split(":", -1)) {
      Path file = Path.of(folder, tool);
      if (Files.isExecutable(file)) {
        return file;
      }
    }
    throw new AssertionError("no " + tool + " on the PATH");
  }

  private record Run(int status, String out, String err) {}
}
