package dev.holdfast.peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** What a process says to whoever connects to its port for other nodes: who it is. */
public final class Greeting {

  private static final String START = "holdfast-wire/1 ";
  private static final int MOST_BYTES = 256;

  private Greeting() {}

  /** {@return the bytes of the process of that id} */
  public static byte[] of(String id) {
    return (START + id + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Waits for the greeting of the process on the other side.
   *
   * @return its id
   * @throws IOException if something else comes, or nothing
   */
  public static String read(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    int c = in.read();
    while (c >= 0 && c != '\n' && line.size() < MOST_BYTES) {
      line.write(c);
      c = in.read();
    }
    String text = line.toString(StandardCharsets.US_ASCII);
    if (c != '\n' || !text.startsWith(START)) {
      throw new IOException("this is no greeting of a node");
    }
    return text.substring(START.length());
  }
}
