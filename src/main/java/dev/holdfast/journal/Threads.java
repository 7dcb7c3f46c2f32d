package dev.holdfast.journal;

/** What the threads of a journal have in common. */
final class Threads {

  private Threads() {}

  /** Waits until {@code thread} has ended; an interrupt is passed on only after that. */
  static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
