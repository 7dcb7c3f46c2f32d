package dev.holdfast.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.RequestException;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads what comes over a connection, and holds the framing of chunked bodies to the letter (RFC
 * 9112, section 7.1). The web server's own parser takes {@code +1} for a size, does not look at
 * what stands where a chunk must end, and fails on everything else in a way that leaves the rest of
 * the body to be taken for the next request; with a proxy in front that reads such a body in
 * another way, one caller could hide a request in another's.
 *
 * <p>It relies on the order in which the web server asks: a line for the size, the chunk, two
 * bytes; after the last size an empty line. {@code readLine} is used for nothing else.
 */
final class ChunkReader extends DataReader {

  /** A size, and extensions that nobody uses. */
  private static final int MAX_LINE = 256;

  private static final Pattern SIZE = Pattern.compile("([0-9A-Fa-f]{1,8})(?:[ \t]*;[ -~\t]*)?");

  private enum Next {
    SIZE,
    CHUNK,
    END_OF_CHUNK,
    END_OF_BODY
  }

  private Next next = Next.SIZE;

  @SuppressWarnings("removal") // to be replaced where the web server reads chunks strictly itself
  ChunkReader(Supplier<byte @Nullable []> bytes) {
    super(bytes);
  }

  @Override
  public String readLine() {
    String line = line();
    if (next == Next.END_OF_BODY) {
      if (!line.isEmpty()) {
        throw malformed("trailers are not taken");
      }
      next = Next.SIZE;
      return line;
    }
    Matcher size = SIZE.matcher(line);
    if (!size.matches()) {
      throw malformed("a chunk has no size");
    }
    String digits = size.group(1);
    next = digits.chars().allMatch(c -> c == '0') ? Next.END_OF_BODY : Next.CHUNK;
    return digits;
  }

  private String line() {
    int length;
    try {
      length = findNewLine(MAX_LINE);
    } catch (IncorrectNewLineException e) {
      throw malformed("a line of a chunked body does not end in CRLF");
    }
    if (length == MAX_LINE) {
      throw malformed("a line of a chunked body is too long");
    }
    String line = readAsciiString(length);
    super.skip(2);
    return line;
  }

  @Override
  public BufferData readBuffer(int length) {
    BufferData data = super.readBuffer(length);
    if (next == Next.CHUNK) {
      next = Next.END_OF_CHUNK;
    }
    return data;
  }

  @Override
  public void skip(int length) {
    if (next == Next.END_OF_CHUNK) {
      if (read() != '\r' || read() != '\n') {
        throw malformed("a chunk is longer than its size");
      }
      next = Next.SIZE;
    } else {
      super.skip(length);
    }
  }

  private static RequestException malformed(String message) {
    return RequestException.builder()
        .type(EventType.BAD_REQUEST)
        .message(message)
        .setKeepAlive(false)
        .build();
  }
}
