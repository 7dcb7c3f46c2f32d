package dev.holdfast.entity;

import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import org.jspecify.annotations.Nullable;

/**
 * What one node asks another of a user, without where the answer goes: that is known by the way on
 * which it came.
 *
 * @param repeated whether it was sent before, with no answer so far: the earlier one may still be
 *     on its way
 * @param trace that it is part of, as {@link dev.holdfast.telemetry.Traces} has it; null for none
 */
public record Question(OwnerKey owner, Command command, boolean repeated, @Nullable String trace) {

  /** {@return its bytes} */
  public byte[] toBytes() {
    var out = new MessageWriter();
    MessageCodec.write(out, this);
    return out.toBytes();
  }

  /**
   * Reads what {@link #toBytes} wrote, of this version or a later one.
   *
   * @throws IllegalArgumentException if it is nothing of the kind
   */
  public static Question of(byte[] bytes) {
    return MessageCodec.readQuestion(new MessageReader(bytes));
  }

  /** {@return the bytes of an answer to a question} */
  public static byte[] toBytes(Answer answer) {
    var out = new MessageWriter();
    MessageCodec.write(out, answer);
    return out.toBytes();
  }

  /**
   * Reads an answer.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Answer answer(byte[] bytes) {
    return MessageCodec.readAnswer(new MessageReader(bytes));
  }
}
