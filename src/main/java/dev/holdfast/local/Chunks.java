package dev.holdfast.local;

/**
 * Follows a chunked body (RFC 9112, section 7.1) as its bytes pass, to find its end, and holds it
 * to the letter: nobody behind may find another end. Trailers are not taken.
 */
final class Chunks {

  private static final int MOST_DIGITS = 8;
  private static final int MOST_EXTENSION = 256;

  private enum At {
    SIZE,
    EXTENSION,
    END_OF_SIZE,
    DATA,
    BEHIND_DATA,
    END_OF_DATA,
    LAST,
    END_OF_LAST,
    DONE
  }

  private At at = At.SIZE;
  private int digits;
  private int extension;
  private long size;

  boolean isDone() {
    return at == At.DONE;
  }

  /**
   * Looks at the next bytes.
   *
   * @return how many of them belong to the body
   * @throws Head.Malformed if they are no chunked body
   */
  int follow(byte[] bytes, int from, int to) throws Head.Malformed {
    int i = from;
    while (i < to && at != At.DONE) {
      if (at == At.DATA) {
        int passed = (int) Math.min(size, to - i);
        size -= passed;
        i += passed;
        if (size == 0) {
          at = At.BEHIND_DATA;
        }
      } else {
        next(bytes[i++]);
      }
    }
    return i - from;
  }

  private void next(byte c) throws Head.Malformed {
    switch (at) {
      case SIZE -> size(c);
      case EXTENSION -> {
        if (c == '\r') {
          at = At.END_OF_SIZE;
        } else if ((c < ' ' && c != '\t') || c == 127 || ++extension > MOST_EXTENSION) {
          throw new Head.Malformed("a chunk has no size");
        }
      }
      case END_OF_SIZE -> {
        require(c, '\n');
        at = size == 0 ? At.LAST : At.DATA;
        digits = 0;
        extension = 0;
      }
      case BEHIND_DATA -> {
        require(c, '\r');
        at = At.END_OF_DATA;
      }
      case END_OF_DATA -> {
        require(c, '\n');
        at = At.SIZE;
      }
      case LAST -> {
        require(c, '\r');
        at = At.END_OF_LAST;
      }
      case END_OF_LAST -> {
        require(c, '\n');
        at = At.DONE;
      }
      case DATA, DONE -> throw new IllegalStateException("nothing to look at in " + at);
    }
  }

  private void size(byte c) throws Head.Malformed {
    int digit = Character.digit(c, 16);
    if (digit >= 0) {
      if (++digits > MOST_DIGITS) {
        throw new Head.Malformed("a chunk is too large");
      }
      size = size * 16 + digit;
    } else if (digits > 0 && c == '\r') {
      at = At.END_OF_SIZE;
    } else if (digits > 0 && (c == ';' || c == ' ' || c == '\t')) {
      at = At.EXTENSION;
    } else {
      throw new Head.Malformed("a chunk has no size");
    }
  }

  private static void require(byte c, char wanted) throws Head.Malformed {
    if (c != wanted) {
      throw new Head.Malformed("a chunk does not end where it must, or there are trailers");
    }
  }
}
