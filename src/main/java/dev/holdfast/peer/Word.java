package dev.holdfast.peer;

import dev.holdfast.entity.Answer;
import java.util.function.Supplier;

/** What is heard of a question. */
public sealed interface Word {

  /**
   * It is answered.
   *
   * @param answer made when it is asked for; throws {@link IllegalArgumentException} if it is none
   *     that this version knows
   */
  record Said(Supplier<Answer> answer) implements Word {}

  /** Nothing was done: the user is not to be reached by this way now. */
  record Elsewhere() implements Word {}

  /** There will be no answer by this way; the question may have been taken up, or may yet be. */
  record Lost() implements Word {}
}
