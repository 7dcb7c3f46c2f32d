package dev.holdfast.json;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** Any JSON value: any Unicode with halves of pairs alone, odd numbers, nesting. */
public final class JsonValues {

  private static final int DEPTH = 3;

  private JsonValues() {}

  /** Reads JSON text strictly: one value and nothing after it. */
  static Json parse(String text) {
    try (var in = JsonText.FACTORY.createParser(text)) {
      in.nextToken();
      Json value = JsonText.read(in);
      if (in.nextToken() != null) {
        throw new AssertionError("more than one value in " + text);
      }
      return value;
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
  }

  static Json.Obj object(String text) {
    return (Json.Obj) parse(text);
  }

  /** Any characters, halves of surrogate pairs too. */
  static Arbitrary<String> anyStrings() {
    Arbitrary<String> anyChar =
        Arbitraries.chars().range(Character.MIN_VALUE, Character.MAX_VALUE).map(String::valueOf);
    Arbitrary<String> half =
        Arbitraries.chars()
            .range(Character.MIN_SURROGATE, Character.MAX_SURROGATE)
            .map(String::valueOf);
    return Arbitraries.oneOf(anyChar, half, strings()).list().ofMaxSize(8).map(JsonValues::join);
  }

  /** Unicode of every length in UTF-8, much of it to be escaped in JSON; pairs are whole. */
  public static Arbitrary<String> strings() {
    Arbitrary<String> pair =
        Arbitraries.integers().between(0x10000, Character.MAX_CODE_POINT).map(Character::toString);
    Arbitrary<String> escaped =
        Arbitraries.of("\"", "\\", "/", "\b", "\f", "\n", "\r", "\t", "\0", "\u001f", "\u007f");
    Arbitrary<String> plain =
        Arbitraries.of("a", "ß", "\u07ff", "\u0800", "€", "\ud7ff", "\ue000", "\ufffd", "\uffff");
    return Arbitraries.oneOf(pair, escaped, plain).list().ofMaxSize(8).map(JsonValues::join);
  }

  private static String join(List<String> parts) {
    return String.join("", parts);
  }

  static Arbitrary<Json> numbers() {
    return Arbitraries.oneOf(
            Arbitraries.longs().map(String::valueOf),
            Arbitraries.doubles().map(String::valueOf),
            Arbitraries.bigDecimals().map(String::valueOf),
            Arbitraries.of(
                "0", "-0", "0.0", "-0.0", "1e0", "1E+400", "1e-400", "10000000000000000000000"))
        .map(Json.Num::new);
  }

  /** Values with few member names, so that two of them often meet. */
  public static Arbitrary<Json> values() {
    return values(
        DEPTH,
        Arbitraries.frequencyOf(
            Tuple.of(4, Arbitraries.of("a", "b", "c")), Tuple.of(1, strings())));
  }

  public static Arbitrary<Json.Obj> objects() {
    return objects(
        DEPTH,
        Arbitraries.frequencyOf(
            Tuple.of(4, Arbitraries.of("a", "b", "c")), Tuple.of(1, strings())));
  }

  private static Arbitrary<Json> values(int depth, Arbitrary<String> names) {
    Arbitrary<Json> leaf =
        Arbitraries.oneOf(
            Arbitraries.of(Json.Literal.values()).map(literal -> literal),
            numbers(),
            strings().map(Json.Text::new));
    if (depth == 0) {
      return leaf;
    }
    Arbitrary<Json> array = values(depth - 1, names).list().ofMaxSize(3).map(Json.Array::new);
    return Arbitraries.frequencyOf(
        Tuple.of(3, leaf),
        Tuple.of(1, array),
        Tuple.of(2, objects(depth, names).map(object -> object)));
  }

  private static Arbitrary<Json.Obj> objects(int depth, Arbitrary<String> names) {
    Arbitrary<List<Member>> members =
        Combinators.combine(names, values(depth - 1, names)).as(Member::new).list().ofMaxSize(4);
    return members.map(each -> {
      var map = new LinkedHashMap<String, Json>();
      each.forEach(member -> map.put(member.name(), member.value()));
      return new Json.Obj(map);
    });
  }

  private record Member(String name, Json value) {}
}
