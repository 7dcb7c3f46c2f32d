package dev.holdfast.json;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A few members in their order, side by side in one array and searched one by one. Most objects
 * have a handful of members and lie idle in memory by the million; a linked hash map of five takes
 * 350 bytes, this 80.
 */
final class SmallMap extends AbstractMap<String, Json> {

  /** The most members for which looking at one after another is as quick as hashing. */
  static final int MAX_SIZE = 16;

  /** Name, value, name, value. */
  private final Object[] members;

  /**
   * Copies the members.
   *
   * @param from at most {@value #MAX_SIZE}
   */
  SmallMap(Map<String, Json> from) {
    this(new Object[2 * from.size()]);
    int i = 0;
    for (var member : from.entrySet()) {
      members[i++] = member.getKey();
      members[i++] = member.getValue();
    }
  }

  private SmallMap(Object[] members) {
    this.members = members;
  }

  @Override
  public int size() {
    return members.length / 2;
  }

  @Override
  public @Nullable Json get(@Nullable Object name) {
    for (int i = 0; i < members.length; i += 2) {
      if (members[i].equals(name)) {
        return (Json) members[i + 1];
      }
    }
    return null;
  }

  @Override
  public boolean containsKey(@Nullable Object name) {
    return get(name) != null;
  }

  @Override
  public Set<Entry<String, Json>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public int size() {
        return members.length / 2;
      }

      @Override
      public Iterator<Entry<String, Json>> iterator() {
        return new Iterator<>() {
          private int next;

          @Override
          public boolean hasNext() {
            return next < members.length;
          }

          @Override
          public Entry<String, Json> next() {
            if (next >= members.length) {
              throw new NoSuchElementException();
            }
            var entry = Map.entry((String) members[next], (Json) members[next + 1]);
            next += 2;
            return entry;
          }
        };
      }
    };
  }

  /** Gathers members one by one: a few side by side from the beginning, many in a linked map. */
  static final class Builder {

    private static final int FIRST_ROOM = 8;

    private Object[] few = new Object[2 * FIRST_ROOM];
    private int end;
    private @Nullable Map<String, Json> many;

    /** {@return false if there is a member of that name, which stays as it is} */
    boolean add(String name, Json value) {
      if (many != null) {
        return many.putIfAbsent(name, value) == null;
      }
      for (int i = 0; i < end; i += 2) {
        if (few[i].equals(name)) {
          return false;
        }
      }
      if (end == 2 * MAX_SIZE) {
        many = new LinkedHashMap<>(build());
        many.put(name, value);
        return true;
      }
      if (end == few.length) {
        few = Arrays.copyOf(few, 2 * few.length);
      }
      few[end++] = name;
      few[end++] = value;
      return true;
    }

    /** {@return the members in the order of their coming; nothing is added any more} */
    Map<String, Json> build() {
      if (many != null) {
        return many;
      }
      return new SmallMap(end == few.length ? few : Arrays.copyOf(few, end));
    }
  }
}
