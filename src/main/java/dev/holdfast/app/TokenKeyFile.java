package dev.holdfast.app;

import dev.holdfast.http.SessionTokens;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The token key of a node that was given none: made once, kept beside the journal in a file that
 * only its user may read, so that tokens outlive a restart.
 */
public final class TokenKeyFile {

  private static final String NAME = "token.key";
  private static final int BYTES = 32;

  private TokenKeyFile() {}

  /**
   * Reads the key of the folder, or makes one.
   *
   * @throws IOException if the file cannot be read or written, or holds no key
   */
  static SessionTokens.Key in(Path folder) throws IOException {
    return KeyLists.tokenKey(textIn(folder));
  }

  /**
   * The keys that a command finds: those of the environment, or that of the folder if it has one.
   *
   * @throws IOException if a file cannot be read, or holds no key
   */
  static List<SessionTokens.Key> ofCommand(@Nullable Path folder, Map<String, String> environment)
      throws IOException {
    String keys = environment.get("HOLDFAST_TOKEN_KEYS");
    String file = environment.get("HOLDFAST_TOKEN_KEYS_FILE");
    if (file != null && !file.isBlank()) {
      return KeyLists.tokenKeys(Path.of(file));
    }
    if (keys != null && !keys.isBlank()) {
      try {
        return KeyLists.tokenKeys(KeyLists.split(keys));
      } catch (IllegalArgumentException e) {
        throw new IOException("HOLDFAST_TOKEN_KEYS must hold " + KeyLists.TOKEN_KEY_FORM);
      }
    }
    return folder != null && Files.exists(folder.resolve(NAME)) ? List.of(in(folder)) : List.of();
  }

  /**
   * Reads the key of the folder, or makes one, as {@code holdfast.token-keys} takes it: a secret,
   * for several nodes that share it.
   *
   * @throws IOException if the file cannot be read or written, or holds no key
   */
  public static String textIn(Path folder) throws IOException {
    Path file = folder.resolve(NAME);
    if (!Files.exists(file)) {
      make(file);
    }
    String text = Files.readString(file, StandardCharsets.US_ASCII).strip();
    try {
      KeyLists.tokenKey(text);
      return text;
    } catch (IllegalArgumentException e) {
      throw new IOException(
          file + " holds no token key; restore it: without it no user of the journal is found");
    }
  }

  /** Whole or not at all, and on the disk before the first token is signed with it. */
  private static void make(Path file) throws IOException {
    byte[] secret = new byte[BYTES];
    new SecureRandom().nextBytes(secret);
    String text = "1:" + Base64.getUrlEncoder().withoutPadding().encodeToString(secret) + "\n";
    Path absolute = file.toAbsolutePath();
    Files.createDirectories(absolute.getParent());
    Path draft = absolute.resolveSibling(NAME + ".new");
    Files.deleteIfExists(draft);
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createFile(
          draft,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } else {
      Files.createFile(draft);
    }
    Files.writeString(draft, text, StandardOpenOption.WRITE, StandardOpenOption.SYNC);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel folder = FileChannel.open(absolute.getParent(), StandardOpenOption.READ)) {
      folder.force(true); // the name too, or a loss of power could take the key back
    }
  }
}
