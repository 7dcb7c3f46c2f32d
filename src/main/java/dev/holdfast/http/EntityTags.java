package dev.holdfast.http;

import dev.holdfast.user.Precondition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The value of {@code If-Match} or {@code If-None-Match} (RFC 9110, section 13.1).
 *
 * @param any whether it is {@code *}
 */
record EntityTags(boolean any, List<Tag> tags) {

  /** A tag without its quotes. */
  record Tag(String value, boolean weak) {}

  EntityTags {
    tags = List.copyOf(tags);
  }

  private static final EntityTags NONE = new EntityTags(false, List.of());

  static EntityTags none() {
    return NONE;
  }

  /** {@return the tag of a revision} */
  static String of(long revision) {
    return '"' + Long.toString(revision) + '"';
  }

  /** {@return what the header says, or null if it is not by the grammar} */
  static @Nullable EntityTags parse(String header) {
    String text = header.strip();
    if (text.equals("*")) {
      return new EntityTags(true, List.of());
    }
    var tags = new ArrayList<Tag>();
    int at = 0;
    while (true) {
      boolean weak = text.startsWith("W/", at);
      int open = weak ? at + 2 : at;
      int close = text.indexOf('"', open + 1);
      if (open >= text.length() || text.charAt(open) != '"' || close < 0) {
        return null;
      }
      String value = text.substring(open + 1, close);
      if (!value.chars().allMatch(c -> c > ' ' && c != 0x7f)) {
        return null;
      }
      tags.add(new Tag(value, weak));
      at = skipBlanks(text, close + 1);
      if (at == text.length()) {
        return new EntityTags(false, tags);
      }
      if (text.charAt(at) != ',') {
        return null;
      }
      at = skipBlanks(text, at + 1);
    }
  }

  private static int skipBlanks(String text, int from) {
    int at = from;
    while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
      at++;
    }
    return at;
  }

  /**
   * {@return what it requires as {@code If-Match}} Compares strongly: a weak tag never matches, nor
   * does one that is no revision of ours.
   */
  Precondition required() {
    if (any) {
      return Precondition.None.none();
    }
    var revisions = new HashSet<Long>();
    for (Tag tag : tags) {
      if (!tag.weak() && tag.value().matches("0|[1-9][0-9]{0,17}")) {
        revisions.add(Long.parseLong(tag.value()));
      }
    }
    return new Precondition.OneOf(revisions);
  }

  /** {@return whether it names the revision, as {@code If-None-Match}; compares weakly} */
  boolean names(long revision) {
    String value = Long.toString(revision);
    return any || tags.stream().anyMatch(tag -> tag.value().equals(value));
  }
}
