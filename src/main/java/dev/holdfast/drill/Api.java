package dev.holdfast.drill;

import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.NoAnswer;
import dev.holdfast.drill.ApiClient.Sent;

/** Where requests are sent. */
public interface Api {

  /** Sends it once. */
  Sent send(Call call);

  /**
   * Sends it once.
   *
   * @throws AssertionError if no answer comes
   */
  default Answer ask(Call call) {
    return switch (send(call)) {
      case Answer answer -> answer;
      case NoAnswer no -> throw new AssertionError("no answer to " + call, no.why());
    };
  }
}
