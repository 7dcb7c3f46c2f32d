package dev.holdfast;

import dev.holdfast.command.HoldfastCommand;

/** Where the program starts. */
public final class Main {

  private Main() {}

  /** Hands over to the command line and ends with its exit status. */
  public static void main(String[] args) {
    System.exit(HoldfastCommand.run(args));
  }
}
