package dev.holdfast.command;

import java.io.Console;

/** Whether somebody looks at what is printed. */
final class Terminal {

  private Terminal() {}

  /** {@return whether standard input and output are a terminal} */
  // It is null with -Djdk.console=java.base where there is none.
  @SuppressWarnings("SystemConsoleNull")
  static boolean isThere() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }
}
