package dev.holdfast.http;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Content negotiation, as far as it is needed (RFC 9110, sections 8.3 and 12.5.1). */
final class MediaTypes {

  private MediaTypes() {}

  /** {@return whether a {@code Content-Type} is this kind of JSON, in UTF-8} */
  static boolean isJson(String mediaType, @Nullable String contentType) {
    if (contentType == null) {
      return false;
    }
    String[] parts = contentType.toLowerCase(Locale.ROOT).split(";", -1);
    if (!parts[0].strip().equals(mediaType)) {
      return false;
    }
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip().replace("\"", "");
      if (parameter.startsWith("charset=") && !parameter.equals("charset=utf-8")) {
        return false;
      }
    }
    return true;
  }

  /**
   * {@return the media type, of those offered, that the caller likes best; the first of equals}
   *
   * @param accept the values of {@code Accept}; none means anything
   * @throws Rejected with 406 if the caller accepts none
   */
  static String accepted(List<String> offered, List<String> accept) {
    if (accept.isEmpty()) {
      return offered.getFirst();
    }
    String best = null;
    double most = 0;
    for (String offer : offered) {
      double quality = quality(offer, String.join(",", accept));
      if (quality > most) {
        best = offer;
        most = quality;
      }
    }
    if (best == null) {
      throw new Rejected(
          ProblemType.NOT_ACCEPTABLE,
          "This call answers with " + String.join(" or ", offered) + ".");
    }
    return best;
  }

  /** The most specific range that covers the offer decides. */
  private static double quality(String offer, String accept) {
    String type = offer.substring(0, offer.indexOf('/') + 1);
    double quality = 0;
    int specific = 0;
    for (String range : accept.toLowerCase(Locale.ROOT).split(",", -1)) {
      String[] parts = range.split(";", -1);
      String name = parts[0].strip();
      int match = name.equals(offer) ? 3 : name.equals(type + "*") ? 2 : name.equals("*/*") ? 1 : 0;
      if (match > specific) {
        specific = match;
        quality = quality(parts);
      }
    }
    return quality;
  }

  private static double quality(String[] parts) {
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip();
      if (parameter.startsWith("q=")) {
        String value = parameter.substring(2).strip();
        return value.matches("[01](\\.[0-9]{0,3})?") ? Double.parseDouble(value) : 0;
      }
    }
    return 1;
  }
}
