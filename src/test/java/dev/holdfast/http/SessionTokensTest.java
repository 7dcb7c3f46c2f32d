package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.http.SessionTokens.Token;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.SessionId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class SessionTokensTest {

  private static final Token TOKEN =
      new Token(new OwnerKey(-1, 2), new SessionId(3, Long.MIN_VALUE), Integer.MAX_VALUE);
  private static final SessionTokens.Key OLD = key(0, "old");
  private static final SessionTokens.Key NEW = key(255, "new");

  private static SessionTokens.Key key(int id, String word) {
    return SessionTokens.Key.of(id, word.repeat(11).getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readsWhatItWrote() {
    var tokens = new SessionTokens(List.of(OLD));
    String text = tokens.write(TOKEN);
    assertThat(text).matches("[A-Za-z0-9_-]{72}").isEqualTo(tokens.write(TOKEN));
    assertThat(tokens.read(text)).isEqualTo(TOKEN);
  }

  @Test
  void signsWithTheFirstKeyAndAcceptsAll() {
    String old = new SessionTokens(List.of(OLD)).write(TOKEN);
    var both = new SessionTokens(List.of(NEW, OLD));
    assertThat(both.read(old)).isEqualTo(TOKEN);
    assertThat(both.write(TOKEN)).isEqualTo(new SessionTokens(List.of(NEW)).write(TOKEN));
  }

  @Test
  void acceptsNoTokenOfAKeyThatIsGone() {
    String old = new SessionTokens(List.of(OLD)).write(TOKEN);
    assertThat(new SessionTokens(List.of(NEW)).read(old)).isNull();
    assertThat(new SessionTokens(List.of(key(0, "another"))).read(old)).isNull();
  }

  @Test
  void acceptsNoTokenOfAGenerationThatIsNone() {
    var tokens = new SessionTokens(List.of(OLD));
    for (int generation : List.of(0, -1, Integer.MIN_VALUE)) {
      assertThat(tokens.read(tokens.write(new Token(TOKEN.owner(), TOKEN.session(), generation))))
          .isNull();
    }
  }

  @Test
  void writesAndReadsOnManyThreads() {
    var tokens = new SessionTokens(List.of(NEW, OLD));
    assertThat(
            IntStream.rangeClosed(1, 5_000)
                .parallel()
                .mapToObj(i -> new Token(new OwnerKey(i, i), new SessionId(i, i), i))
                .allMatch(token -> token.equals(tokens.read(tokens.write(token)))))
        .isTrue();
  }

  @Test
  void refusesKeysThatAreWeakOrTwice() {
    assertThatIllegalArgumentException().isThrownBy(() -> SessionTokens.Key.of(1, new byte[31]));
    assertThatIllegalArgumentException().isThrownBy(() -> SessionTokens.Key.of(256, new byte[32]));
    assertThatIllegalArgumentException().isThrownBy(() -> SessionTokens.Key.of(-1, new byte[32]));
    assertThatIllegalArgumentException().isThrownBy(() -> new SessionTokens(List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SessionTokens(List.of(OLD, key(0, "another"))));
  }

  @Test
  void keepsItsSecretsToItself() {
    assertThat(OLD).hasToString("Key[id=0]");
  }
}
