package dev.holdfast.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TokenKeyFileTest {

  @TempDir private Path folder;

  @Test
  void makesAKeyOnceAndReadsItAgain() throws IOException {
    var made = TokenKeyFile.in(folder);
    assertThat(made.secret().getEncoded()).hasSize(32);
    assertThat(TokenKeyFile.in(folder)).isEqualTo(made);
  }

  @Test
  void letsNobodyElseReadTheFile() throws IOException {
    TokenKeyFile.in(folder);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
        .isEqualTo("rw-------");
  }

  @Test
  void makesAnotherKeyForAnotherFolder() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    assertThat(TokenKeyFile.in(other)).isNotEqualTo(TokenKeyFile.in(folder));
  }

  @Test
  void refusesADamagedFileRatherThanReplaceIt() throws IOException {
    Files.writeString(file(), "nonsense");
    assertThatThrownBy(() -> TokenKeyFile.in(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("holds no token key");
    assertThat(file()).hasContent("nonsense");
  }

  private Path file() {
    return folder.resolve("token.key");
  }
}
