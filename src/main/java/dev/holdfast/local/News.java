package dev.holdfast.local;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What happens to the nodes of a local cluster. */
public sealed interface News {

  /** {@return the node that it happened to} */
  String node();

  /** {@return its process} */
  long pid();

  /** A process was started. */
  record Started(LocalNode of, long pid) implements News {
    @Override
    public String node() {
      return of.name();
    }
  }

  /** It answers requests. */
  record Ready(String node, long pid) implements News {}

  /**
   * It ended.
   *
   * @param status of its exit; for a signal 128 and its number, as shells have it
   * @param again after how long another one is started; null if none is
   */
  record Ended(String node, long pid, int status, @Nullable Duration again) implements News {

    private static final Map<Integer, String> SIGNALS =
        Map.of(
            1, "SIGHUP", 2, "SIGINT", 3, "SIGQUIT", 4, "SIGILL", 6, "SIGABRT", 7, "SIGBUS", 9,
            "SIGKILL", 11, "SIGSEGV", 13, "SIGPIPE", 15, "SIGTERM");

    /** {@return the signal that ended it, such as {@code SIGKILL}, or null} */
    public @Nullable String signal() {
      return status > 128 && status < 160
          ? SIGNALS.getOrDefault(status - 128, "signal " + (status - 128))
          : null;
    }
  }

  /**
   * It was sent SIGKILL.
   *
   * @param why as a sentence
   */
  record Killed(String node, long pid, String why) implements News {}
}
