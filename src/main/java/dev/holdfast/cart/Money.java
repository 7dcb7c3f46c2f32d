package dev.holdfast.cart;

import java.math.BigDecimal;
import java.util.Currency;

/**
 * An exact amount of money, of any size: the result of arithmetic on {@linkplain Price prices}.
 *
 * @param amount not negative, its scale is the currency's
 * @param currency of ISO 4217
 */
public record Money(BigDecimal amount, Currency currency) {

  Money plus(Money other) {
    return new Money(amount.add(other.amount), currency);
  }

  /** {@return the amount as a plain decimal, such as {@code 12.30}} */
  public String amountText() {
    return amount.toPlainString();
  }
}
