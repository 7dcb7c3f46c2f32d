package dev.holdfast.cart;

import java.math.BigDecimal;
import java.util.Currency;
import java.util.regex.Pattern;

/**
 * A unit price: exact, not negative, below 10^{@value #MAX_INTEGER_DIGITS}.
 *
 * @param minorUnits the price in units of the currency's scale (cents for EUR); a {@code long}
 *     holds every price, since no currency has more than four decimals
 * @param currency a currency of ISO 4217 that has a scale
 */
public record Price(long minorUnits, Currency currency) {

  public static final int MAX_INTEGER_DIGITS = 12;

  private static final Pattern AMOUNT = Pattern.compile("(0|[1-9][0-9]*)(?:\\.([0-9]+))?");

  public Price {
    if (minorUnits < 0 || currency.getDefaultFractionDigits() < 0) {
      throw new IllegalArgumentException("must be a price that is not negative");
    }
  }

  /**
   * Reads a price such as {@code ("12.35", "EUR")}; fewer decimals than the currency's are filled
   * with zeros.
   *
   * @throws IllegalArgumentException if it is none; the message says what is wrong
   */
  public static Price of(String amount, Currency currency) {
    var parts = AMOUNT.matcher(amount);
    if (amount.length() > 64 || !parts.matches()) {
      throw new IllegalArgumentException(
          "must be a decimal number that is not negative, such as \"12.35\"");
    }
    String integer = parts.group(1);
    String fraction = parts.group(2) == null ? "" : parts.group(2);
    if (integer.length() > MAX_INTEGER_DIGITS) {
      throw new IllegalArgumentException(
          "must have at most " + MAX_INTEGER_DIGITS + " digits before the point");
    }
    int scale = currency.getDefaultFractionDigits();
    if (fraction.length() > scale) {
      throw new IllegalArgumentException(
          "must have at most " + scale + " decimals for " + currency.getCurrencyCode());
    }
    return new Price(
        Long.parseLong(integer + fraction + "0".repeat(scale - fraction.length())), currency);
  }

  /**
   * {@return the currency of that code}
   *
   * @throws IllegalArgumentException if ISO 4217 has none with a scale; the message says so
   */
  public static Currency currency(String code) {
    try {
      Currency currency = Currency.getInstance(code);
      if (currency.getDefaultFractionDigits() >= 0) {
        return currency;
      }
    } catch (IllegalArgumentException unknown) {
      // the same answer as for a code without a scale, below
    }
    throw new IllegalArgumentException("must be a currency code of ISO 4217, such as \"EUR\"");
  }

  public Money money() {
    return new Money(BigDecimal.valueOf(minorUnits, currency.getDefaultFractionDigits()), currency);
  }

  Money times(int quantity) {
    Money one = money();
    return new Money(one.amount().multiply(BigDecimal.valueOf(quantity)), currency);
  }
}
