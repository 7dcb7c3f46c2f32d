package dev.holdfast;

/** Where the program starts. */
public final class Main {

  private Main() {}

  /** Prints the version of this build. */
  public static void main(String[] args) {
    System.out.println("holdfast " + version());
  }

  /** The version in the jar's manifest; {@code development} when run from class files. */
  private static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
