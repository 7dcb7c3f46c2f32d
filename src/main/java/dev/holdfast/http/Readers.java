package dev.holdfast.http;

import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.http.Fields.Place;
import dev.holdfast.http.Fields.Reader;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action.NewName;
import java.time.Duration;
import java.util.Currency;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the fields of requests are made of: the values and their limits, as the contract has them.
 */
final class Readers {

  private static final int MAX_NAME = 256;
  private static final int MAX_USER = 256;
  private static final int MAX_REFERENCE = 256;
  private static final int MAX_ATTRIBUTE_NAME = 128;
  private static final Pattern DIGITS = Pattern.compile("[1-9][0-9]{0,8}");

  static final Reader<String> USER =
      (json, place) -> {
        String text = text(MAX_USER).read(json, place);
        return text == null || canBeNamed(text, place) ? text : null;
      };

  static final Reader<String> ITEM_NAME = text(MAX_NAME);
  static final Reader<String> REFERENCE = text(MAX_REFERENCE);

  static final Reader<Sku> SKU =
      (json, place) -> {
        String text = plainText(json, place);
        return text == null || !canBeNamed(text, place) ? null : sku(text, place);
      };

  static final Reader<NewName> NEW_NAME =
      (json, place) -> {
        if (json == Json.Literal.NULL) {
          return new NewName(null);
        }
        String name = ITEM_NAME.read(json, place);
        return name == null ? null : new NewName(name);
      };

  static final Reader<Json.Obj> OBJECT =
      (json, place) -> {
        if (json instanceof Json.Obj object) {
          return object;
        }
        place.wrong("must be an object");
        return null;
      };

  /** A merge patch of an object, which may be null as a whole. */
  static final Reader<Json> OBJECT_PATCH =
      (json, place) -> json == Json.Literal.NULL ? json : OBJECT.read(json, place);

  /** A session's attributes, or a merge patch of them. */
  static final Reader<Json.Obj> ATTRIBUTES =
      (json, place) -> {
        Json.Obj object = OBJECT.read(json, place);
        if (object != null) {
          for (String name : object.members().keySet()) {
            if (!isAttributeName(name)) {
              place.wrong("must have names of 1 to " + MAX_ATTRIBUTE_NAME + " characters");
              return null;
            }
            if (!canBeNamed(name, place)) {
              return null;
            }
          }
        }
        return object;
      };

  static final Reader<Price> PRICE = Readers::price;

  static final Reader<MergePolicy> POLICY =
      (json, place) -> {
        for (MergePolicy policy : MergePolicy.values()) {
          if (json.equals(new Json.Text(WireJson.text(policy)))) {
            return policy;
          }
        }
        place.wrong("must be one of sum, max, user, visitor");
        return null;
      };

  private Readers() {}

  /** What no path can name could never be changed, ended or erased: it says so at the place. */
  private static boolean canBeNamed(String text, Place place) {
    boolean can = PathSegment.canStandFor(text);
    if (!can) {
      place.wrong("must hold no control characters, and be neither . nor ..");
    }
    return can;
  }

  static boolean isAttributeName(String name) {
    int length = name.codePointCount(0, name.length());
    return length >= 1 && length <= MAX_ATTRIBUTE_NAME;
  }

  /** Says at the place if the text is no user id. */
  static void user(String text, Place place) {
    USER.read(new Json.Text(text), place);
  }

  /** {@return the SKU, or null and an error at the place} */
  static @Nullable Sku sku(String text, Place place) {
    try {
      return new Sku(text);
    } catch (IllegalArgumentException e) {
      place.wrong(ours(e));
      return null;
    }
  }

  /** A whole number from 1 to the limit, written as digits alone. */
  static Reader<Integer> quantity(int limit) {
    return (json, place) -> {
      if (json instanceof Json.Num(String literal) && DIGITS.matcher(literal).matches()) {
        int quantity = Integer.parseInt(literal);
        if (quantity <= limit) {
          return quantity;
        }
      }
      place.wrong("must be a whole number from 1 to " + limit);
      return null;
    };
  }

  /** A duration within bounds, in milliseconds. */
  static Reader<Long> duration(Duration least, Duration greatest) {
    return (json, place) -> {
      String text = plainText(json, place);
      if (text == null) {
        return null;
      }
      try {
        long millis = Durations.parse(text);
        if (millis >= least.toMillis() && millis <= greatest.toMillis()) {
          return millis;
        }
        place.wrong(
            "must be from "
                + Durations.text(least.toMillis())
                + " to "
                + Durations.text(greatest.toMillis()));
      } catch (IllegalArgumentException e) {
        place.wrong(ours(e));
      }
      return null;
    };
  }

  private static Reader<String> text(int limit) {
    return (json, place) -> {
      String text = plainText(json, place);
      if (text == null) {
        return null;
      }
      int length = text.codePointCount(0, text.length());
      if (length < 1 || length > limit) {
        place.wrong("must have 1 to " + limit + " characters");
        return null;
      }
      return text;
    };
  }

  private static @Nullable Price price(Json json, Place place) {
    var fields = Fields.of(json, place);
    if (!(json instanceof Json.Obj)) {
      return null;
    }
    var amount = fields.required("amount", Readers::plainText).orNull();
    var currency = fields.required("currency", Readers::currency).orNull();
    fields.refuseOthers();
    if (amount == null || currency == null) {
      return null;
    }
    try {
      return Price.of(amount, currency);
    } catch (IllegalArgumentException e) {
      place.member("amount").wrong(ours(e));
      return null;
    }
  }

  private static @Nullable Currency currency(Json json, Place place) {
    String code = plainText(json, place);
    if (code == null) {
      return null;
    }
    try {
      return Price.currency(code);
    } catch (IllegalArgumentException e) {
      place.wrong(ours(e));
      return null;
    }
  }

  private static @Nullable String plainText(Json json, Place place) {
    if (json instanceof Json.Text(String value)) {
      return value;
    }
    place.wrong("must be a text");
    return null;
  }

  /** The domain's value types say in their exceptions what they must be, in words for callers. */
  private static String ours(IllegalArgumentException e) {
    String message = e.getMessage();
    return message == null ? "is not valid" : message;
  }
}
