package dev.holdfast.journal;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.util.Set;
import java.util.function.Predicate;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.postgresql.Driver;

/** The classes that a journal in PostgreSQL needs: of this package, and of the driver. */
public final class PostgresClasses {

  private static final String OWN = "dev/holdfast/journal/Postgres";

  private static final Set<String> PACKAGES_OF_THE_DRIVER =
      Set.of(
          "org/postgresql",
          "org/postgresql/core",
          "org/postgresql/core/v3",
          "org/postgresql/hostchooser",
          "org/postgresql/jdbc",
          "org/postgresql/util");

  private static final String SUFFIX = ".class";

  private PostgresClasses() {}

  /**
   * Loads them where there is no server to connect to, so that the JVM's start-up cache has them.
   *
   * @return how many were loaded; those that need a library which is not there are not
   */
  public static int load() throws IOException {
    return load(PostgresStore.class, name -> name.startsWith(OWN))
        + load(
            Driver.class,
            name -> PACKAGES_OF_THE_DRIVER.contains(name.substring(0, name.lastIndexOf('/'))));
  }

  /** Those in the jar of {@code one} whose file names are wanted. */
  private static int load(Class<?> one, Predicate<String> wanted) throws IOException {
    try (JarFile jar = new JarFile(jarOf(one))) {
      return (int)
          jar.stream()
              .map(JarEntry::getName)
              .filter(name -> name.endsWith(SUFFIX) && wanted.test(name))
              .filter(PostgresClasses::loads)
              .count();
    }
  }

  private static boolean loads(String file) {
    String name = file.substring(0, file.length() - SUFFIX.length()).replace('/', '.');
    try {
      Class.forName(name, false, Driver.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError absent) {
      return false;
    }
  }

  private static File jarOf(Class<?> type) throws IOException {
    try {
      return new File(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException(e);
    }
  }
}
