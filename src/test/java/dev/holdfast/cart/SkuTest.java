package dev.holdfast.cart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class SkuTest {

  @ParameterizedTest
  @ValueSource(strings = {"a", "!", "~", "TEA-EARL-GREY-250", "a/b?c#d%20", "\"\\"})
  void isAnyVisibleAscii(String value) {
    assertThat(new Sku(value)).hasToString(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "a b", "a\t", "a\n", "\0", "\u007f", "ä", "a\u00a0", "😀"})
  void isNothingElse(String value) {
    assertThatIllegalArgumentException().isThrownBy(() -> new Sku(value));
  }

  @Test
  void isAtMost64CharactersLong() {
    assertThat(new Sku("x".repeat(64)).value()).hasSize(64);
    assertThatIllegalArgumentException().isThrownBy(() -> new Sku("x".repeat(65)));
  }
}
