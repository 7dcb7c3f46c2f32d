package dev.holdfast.app;

import dev.holdfast.http.ApiKey;
import dev.holdfast.http.SessionTokens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** How lists of keys are written, in settings and in files. No message repeats a key. */
final class KeyLists {

  static final String TOKEN_KEY_FORM =
      "ids from 0 to 255, each with 32 random bytes or more in base64url, such as 1:4f9c…";

  private KeyLists() {}

  /** {@return what stands in a text between commas and white space} */
  static List<String> split(String text) {
    return Arrays.stream(text.split("[\\s,]+", -1)).filter(each -> !each.isEmpty()).toList();
  }

  /**
   * Reads keys of callers.
   *
   * @throws IllegalArgumentException if one of them is none
   */
  static List<ApiKey> apiKeys(List<String> texts, ApiKey.Kind kind) {
    return texts.stream().map(text -> ApiKey.parse(kind, text)).toList();
  }

  /**
   * Reads a file of keys of callers.
   *
   * @throws IOException if it cannot be read, or one of them is none
   */
  static List<ApiKey> apiKeys(Path file, ApiKey.Kind kind) throws IOException {
    try {
      return apiKeys(split(Files.readString(file)), kind);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " must hold " + kind.form());
    }
  }

  /**
   * Reads token keys.
   *
   * @throws IllegalArgumentException if one of them is none, or two have one id
   */
  static List<SessionTokens.Key> tokenKeys(List<String> texts) {
    var keys = new ArrayList<SessionTokens.Key>();
    for (String text : texts) {
      keys.add(tokenKey(text));
    }
    if (keys.stream().map(SessionTokens.Key::id).distinct().count() != keys.size()) {
      throw new IllegalArgumentException("two token keys have one id");
    }
    return keys;
  }

  /**
   * Reads a file of token keys.
   *
   * @throws IOException if it cannot be read, holds none, or one of them is none
   */
  static List<SessionTokens.Key> tokenKeys(Path file) throws IOException {
    try {
      List<SessionTokens.Key> keys = tokenKeys(split(Files.readString(file)));
      if (!keys.isEmpty()) {
        return keys;
      }
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " must hold " + TOKEN_KEY_FORM + ", with an id of its own each");
    }
    throw new IOException("there is no key in " + file);
  }

  /**
   * Reads {@code id:secret}.
   *
   * @throws IllegalArgumentException if it is none
   */
  static SessionTokens.Key tokenKey(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("a token key is written id:secret");
    }
    return SessionTokens.Key.of(
        Integer.parseInt(text, 0, colon, 10),
        Base64.getUrlDecoder().decode(text.substring(colon + 1)));
  }
}
