package dev.holdfast.http;

import java.io.IOException;
import java.util.List;

/** The API keys that are accepted now; they may change while requests are on their way. */
final class AcceptedKeys {

  private volatile ApiKeys current;

  AcceptedKeys(ApiKeys first) {
    this.current = first;
  }

  ApiKeys current() {
    return current;
  }

  /**
   * From now on these keys are the ones of their kind.
   *
   * @throws IOException if there are none, but were: nobody is let in without a key who needed one
   */
  synchronized void accept(ApiKey.Kind kind, List<ApiKey> others) throws IOException {
    ApiKeys now = current;
    List<ApiKey> before =
        switch (kind) {
          case APPLICATION -> now.applications();
          case ADMINISTRATOR -> now.administrators();
        };
    if (others.isEmpty() && !before.isEmpty()) {
      throw new IOException("there is no key in it");
    }
    current = now.with(kind, others);
  }
}
