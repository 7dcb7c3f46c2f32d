package dev.holdfast.shop;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Something to buy. Prices are the shop's: what a browser says that a thing costs is not asked.
 *
 * @param price in euros, such as {@code 24.90}
 */
record Product(String sku, String name, String about, String price) {

  static final String CURRENCY = "EUR";

  /** {@return all there is to buy} */
  static List<Product> all() {
    return List.of(
        new Product("ROPE-30", "Rope, 30 m", "Holds whatever hangs on it", "39.00"),
        new Product("LANTERN", "Storm lantern", "Burns on in any wind", "24.90"),
        new Product("COMPASS", "Compass", "Finds the way back", "18.50"),
        new Product("ANCHOR-5", "Anchor, 5 kg", "Stays where it is", "64.00"),
        new Product("MUG", "Enamel mug", "Survives every fall", "9.80"),
        new Product("MAP", "Sea chart", "Every port that is open", "14.00"));
  }

  /** {@return the one with that SKU, or null} */
  static @Nullable Product of(String sku) {
    return all().stream().filter(product -> product.sku.equals(sku)).findFirst().orElse(null);
  }
}
