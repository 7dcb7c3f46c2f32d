package dev.holdfast.journal;

import java.io.IOException;

/** Signals to processes, other than those by which Java ends them. */
public final class Signals {

  private Signals() {}

  /** SIGSTOP: not one instruction more, and nobody is told. */
  public static void freeze(long pid) throws IOException, InterruptedException {
    send("STOP", pid);
  }

  /** SIGCONT: it goes on as if nothing had been. */
  public static void thaw(long pid) throws IOException, InterruptedException {
    send("CONT", pid);
  }

  private static void send(String signal, long pid) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).inheritIO().start();
    if (kill.waitFor() != 0) {
      throw new IOException("SIG" + signal + " could not be sent to process " + pid);
    }
  }
}
