package dev.holdfast.http;

import dev.holdfast.json.Json;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one JSON object in a request. Every field is asked for once, by name; {@link #end}
 * then refuses what was not asked for. Nothing is coerced, and all that is wrong is told at once.
 */
final class Fields {

  /** More errors than these are not told; nobody reads them. */
  private static final int MOST_ERRORS = 100;

  /** How much of an unknown name is told back. */
  private static final int MOST_OF_A_NAME = 128;

  /** Where a value stands in the request, and where to say that it is wrong. */
  record Place(String path, List<FieldError> errors) {

    /** {@return the body itself} */
    static Place body() {
      return new Place("", new ArrayList<>());
    }

    /** {@return a path parameter} */
    static Place parameter(String name) {
      return new Place(name, new ArrayList<>());
    }

    Place member(String name) {
      return new Place(path.isEmpty() ? name : path + "." + name, errors);
    }

    void wrong(String problem) {
      if (errors.size() < MOST_ERRORS) {
        errors.add(new FieldError(path, problem));
      }
    }

    /**
     * @throws Rejected with 422 if anything was wrong, here or elsewhere in the request
     */
    void end() {
      if (!errors.isEmpty()) {
        throw new Rejected(Problem.invalid(errors));
      }
    }
  }

  /** Makes a value of JSON; says what is wrong at the place and returns null if it cannot. */
  interface Reader<T> {
    @Nullable T read(Json json, Place place);
  }

  /** A field's value, to be taken after {@link Fields#end}. */
  record Value<T>(@Nullable T orNull) {

    T get() {
      if (orNull == null) {
        throw new IllegalStateException("a required field is taken only after end()");
      }
      return orNull;
    }

    T or(T other) {
      return orNull == null ? other : orNull;
    }
  }

  private final Json.Obj object;
  private final Place place;
  private final Set<String> known = new HashSet<>();

  private Fields(Json.Obj object, Place place) {
    this.object = object;
    this.place = place;
  }

  /** {@return the fields of a value that must be an object; none if it is something else} */
  static Fields of(Json json, Place place) {
    if (json instanceof Json.Obj object) {
      return new Fields(object, place);
    }
    place.wrong("must be an object");
    return new Fields(Json.Obj.empty(), place);
  }

  <T> Value<T> required(String name, Reader<T> reader) {
    if (!object.members().containsKey(name)) {
      known.add(name);
      place.member(name).wrong("is required");
      return new Value<>(null);
    }
    return optional(name, reader);
  }

  <T> Value<T> optional(String name, Reader<T> reader) {
    known.add(name);
    Json json = object.get(name);
    return new Value<>(json == null ? null : reader.read(json, place.member(name)));
  }

  /** Says of every field that was not asked for that it is not known. */
  void refuseOthers() {
    for (String name : object.members().keySet()) {
      if (!known.contains(name)) {
        place.member(abbreviated(name)).wrong("is not known");
      }
    }
  }

  /**
   * Refuses unknown fields, and the request if anything in it was wrong.
   *
   * @throws Rejected with 422
   */
  void end() {
    refuseOthers();
    place.end();
  }

  private static String abbreviated(String name) {
    return name.codePointCount(0, name.length()) <= MOST_OF_A_NAME
        ? name
        : name.substring(0, name.offsetByCodePoints(0, MOST_OF_A_NAME)) + "…";
  }
}
