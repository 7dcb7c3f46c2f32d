package dev.holdfast.app;

import java.time.InstantSource;

/** The system's clock, for commands that have to say when they ran. */
public final class WallClock {

  private WallClock() {}

  /** {@return the system's clock} */
  public static InstantSource system() {
    return InstantSource.system();
  }
}
