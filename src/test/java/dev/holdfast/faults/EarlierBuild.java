package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * This program as it was before its newest kinds of events and before nodes asked each other for
 * users directly: the classes that know them, with that taken out of their sources, compiled again.
 * Put before the rest it is a build that reads and says less, in whatever else it does the same.
 */
final class EarlierBuild {

  private static final Path SOURCES = Path.of("src/main/java/dev/holdfast");

  private EarlierBuild() {}

  /** {@return a folder of classes to be found before those of the program} */
  static Path make(Path folder) throws IOException {
    Path sources = Files.createDirectories(folder.resolve("sources"));
    Path event = sources.resolve("Event.java");
    Path codec = sources.resolve("UserCodec.java");
    Files.writeString(
        event,
        replaced(
            Files.readString(SOURCES.resolve("user/Event.java")),
            "static int newestForm() {\n    return 2;",
            "static int newestForm() {\n    return 1;"));
    String reads = Files.readString(SOURCES.resolve("entity/UserCodec.java"));
    for (String kind : List.of("session.ended-by-administrator.v1", "cart.abandoned.v1")) {
      reads = replaced(reads, "case \"" + kind + "\" ->", "case \"unheard-of." + kind + "\" ->");
    }
    Files.writeString(codec, reads);

    Path node = sources.resolve("Node.java");
    Files.writeString(
        node,
        replaced(
            replaced(
                Files.readString(SOURCES.resolve("cluster/Node.java")),
                "wire.handOn(responder);",
                ""),
            "peers.members(state.getMembers());",
            ""));

    Path classes = Files.createDirectories(folder.resolve("classes"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    var said = new StringWriter();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      boolean done =
          compiler
              .getTask(
                  said,
                  files,
                  null,
                  List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-cp", program()),
                  null,
                  files.getJavaFileObjects(event, codec, node))
              .call();
      assertThat(done).as(said.toString()).isTrue();
    }
    return classes;
  }

  /** {@return the jar of the program and its libraries, as a class path} */
  private static String program() throws IOException {
    Path jar = Path.of(System.getProperty("holdfast.jar"));
    try (var libraries = Files.list(jar.resolveSibling("lib"))) {
      return jar
          + File.pathSeparator
          + libraries.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
  }

  private static String replaced(String text, String what, String by) {
    assertThat(text.split(Pattern.quote(what), -1)).as(what).hasSize(2);
    return text.replace(what, by);
  }
}
