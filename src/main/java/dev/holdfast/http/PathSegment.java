package dev.holdfast.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Encodes and decodes one segment of a path (RFC 3986, section 3.3). */
final class PathSegment {

  private static final String OTHERS = "-._~!$&'()*+,;=:@";
  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  private PathSegment() {}

  /**
   * {@return the text that a segment stands for}
   *
   * @throws Rejected with 400 if it holds a character that a segment may not hold, a percent sign
   *     without two hexadecimal digits, bytes that are not UTF-8, a control character, or if it is
   *     {@code .} or {@code ..}, however written
   */
  static String decode(String segment) {
    var bytes = new ByteArrayOutputStream(segment.length());
    for (int i = 0; i < segment.length(); i++) {
      char c = segment.charAt(i);
      if (c == '%') {
        int high = i + 2 < segment.length() ? Character.digit(segment.charAt(i + 1), 16) : -1;
        int low = high < 0 ? -1 : Character.digit(segment.charAt(i + 2), 16);
        if (low < 0) {
          throw malformed("a percent sign without two hexadecimal digits");
        }
        bytes.write((high << 4) | low);
        i += 2;
      } else if (isPlain(c)) {
        bytes.write(c);
      } else {
        throw malformed("a character that must be percent-encoded");
      }
    }
    String text;
    try {
      text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(bytes.toByteArray()))
              .toString();
    } catch (CharacterCodingException e) {
      throw malformed("bytes that are not UTF-8");
    }
    if (hasControls(text)) {
      throw malformed("a control character");
    }
    if (isDots(text)) {
      throw malformed("a dot segment");
    }
    return text;
  }

  /** {@return whether there is a segment for the text} */
  static boolean canStandFor(String text) {
    return !hasControls(text) && !isDots(text);
  }

  private static boolean hasControls(String text) {
    return text.chars().anyMatch(Character::isISOControl);
  }

  private static boolean isDots(String text) {
    return text.equals(".") || text.equals("..");
  }

  /** {@return the segment that stands for a text} */
  static String encode(String text) {
    var segment = new StringBuilder(text.length() + 8);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (isPlain(c)) {
        segment.append(c);
      } else {
        segment.append('%').append(HEX[c >> 4]).append(HEX[c & 15]);
      }
    }
    return segment.toString();
  }

  private static boolean isPlain(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || OTHERS.indexOf(c) >= 0;
  }

  private static Rejected malformed(String what) {
    return new Rejected(ProblemType.MALFORMED_REQUEST, "The path holds " + what + ".");
  }
}
