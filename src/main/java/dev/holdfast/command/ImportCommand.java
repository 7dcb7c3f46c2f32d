package dev.holdfast.command;

import dev.holdfast.app.OwnerSecret;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.user.Event;
import dev.holdfast.user.OwnerKeys;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code import}: fills an empty journal from what {@code export} has written. */
@Command(
    name = "import",
    description =
        "Fills an empty journal with what export has written, from the same kind of store or"
            + " another. All of it, or nothing: a file that is cut off or changed is refused.",
    mixinStandardHelpOptions = true)
final class ImportCommand implements Callable<Integer> {

  private static final int BUFFER = 1 << 16;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Mixin private final JournalOptions journal = new JournalOptions();

  @Parameters(
      paramLabel = "FILE",
      description = "What export has written, or - for standard input.")
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private String file;

  @Option(
      names = "--rekey",
      description = {
        "Gives known users new owner keys, by a new secret that is sealed with HOLDFAST_TOKEN_KEYS"
            + " or the token.key of the folder. Their sessions end, and consumers of the feed begin"
            + " anew. For journals whose owner keys follow from the user ids alone, whose secret is"
            + " known to others, or whose token keys are lost."
      })
  private boolean rekey;

  @Option(names = "--json", description = "Print what was read as JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    PortableLine.Trailer read;
    try (InputStream in = open();
        JournalStore store = journal.openToFill();
        var progress = Progress.of("importing")) {
      @Nullable OwnerKeys owners =
          rekey ? OwnerSecret.forNew(store, journal.embedded(), System.getenv()) : null;
      read = JournalImport.read(in, store, owners, progress);
      // Whatever kinds of events there are among them.
      store.nodes().raiseForm(Event.newestForm());
    }
    var out = spec.commandLine().getOut();
    out.printf(
        Locale.ROOT,
        json
            ? "{\"users\":%d,\"events\":%d,\"snapshots\":%d}%n"
            : "imported %,d users, %,d events, %,d snapshots%n",
        read.owners(),
        read.events(),
        read.snapshots());
    out.flush();
    return 0;
  }

  private InputStream open() throws IOException {
    if (file.equals("-")) {
      return new BufferedInputStream(System.in, BUFFER);
    }
    try {
      return new BufferedInputStream(Files.newInputStream(Path.of(file)), BUFFER);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file " + file, e);
    }
  }
}
