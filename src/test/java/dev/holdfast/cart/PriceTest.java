package dev.holdfast.cart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigDecimal;
import java.util.Currency;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class PriceTest {

  private static final Currency EUR = Price.currency("EUR");

  @ParameterizedTest
  @CsvSource({
    "12.35, EUR, 1235, 12.35",
    "12.3, EUR, 1230, 12.30",
    "12, EUR, 1200, 12.00",
    "0, EUR, 0, 0.00",
    "0.01, EUR, 1, 0.01",
    "999999999999.99, EUR, 99999999999999, 999999999999.99",
    "12, JPY, 12, 12",
    "0, JPY, 0, 0",
    "12.345, KWD, 12345, 12.345",
    "12.3, KWD, 12300, 12.300",
    "999999999999.999, KWD, 999999999999999, 999999999999.999",
    "999999999999.9999, CLF, 9999999999999999, 999999999999.9999"
  })
  void isExactInTheScaleOfItsCurrency(
      String amount, String currency, long minorUnits, String text) {
    var price = Price.of(amount, Price.currency(currency));

    assertThat(price.minorUnits()).isEqualTo(minorUnits);
    assertThat(price.money().amountText()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "-1",
        "-0",
        "+1",
        "1.",
        ".5",
        "01",
        "00",
        "1,5",
        "1e2",
        "1E2",
        "0x1",
        "NaN",
        "1 ",
        " 1",
        "1.2.3",
        "１",
        "1.２",
        "٣",
        "1_000",
        "1'000",
        "Infinity",
        "1.0f"
      })
  void isNoneOfOtherForms(String amount) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Price.of(amount, EUR))
        .withMessageContaining("decimal number");
  }

  @Test
  void isNoneOfAHugeText() {
    assertThatIllegalArgumentException().isThrownBy(() -> Price.of("1".repeat(1_000_000), EUR));
  }

  @Test
  void hasAtMostTwelveDigitsBeforeThePoint() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Price.of("1000000000000", EUR))
        .withMessageContaining("12 digits");
  }

  @ParameterizedTest
  @CsvSource({"0.001, EUR", "1.000, EUR", "1.0, JPY", "1.0000, KWD"})
  void hasAtMostTheDecimalsOfItsCurrency(String amount, String currency) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Price.of(amount, Price.currency(currency)))
        .withMessageContaining("decimals for " + currency);
  }

  @Test
  void isNotNegative() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Price(-1, EUR));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "eur", "EURO", "EU", "ABC", "XXX", "XAU", "€", "978"})
  void isInACurrencyOfIso4217(String code) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Price.currency(code))
        .withMessageContaining("ISO 4217");
  }

  @Test
  void multipliesExactlyBeyondALong() {
    var line = Carts.line("gold", 9_999, "999999999999.9999", "CLF");

    assertThat(line.total().amount())
        .isEqualTo(new BigDecimal("999999999999.9999").multiply(BigDecimal.valueOf(9_999)));
    assertThat(line.total().amountText()).isEqualTo("9998999999999999.0001");
  }

  @Test
  void addsTenthsWithoutTheErrorOfAFloat() {
    assertThat(Carts.line("a", 3, "0.10", "EUR").total().amountText()).isEqualTo("0.30");
  }
}
