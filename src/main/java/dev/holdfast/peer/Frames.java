package dev.holdfast.peer;

import java.nio.charset.StandardCharsets;

/**
 * The bytes of a connection. Whoever asks says {@link #HELLO} and is answered with the same. Where
 * nodes know each other by certificates, TLS begins then, in which the same is said once more when
 * the certificate of the asking side is taken. From then on each side sends frames:
 *
 * <ul>
 *   <li>four bytes, the length of what follows, the highest first
 *   <li>eight bytes, the number of the question: how many bytes of questions the asking side has
 *       sent with it, so that an answer also tells how far the other one has read
 *   <li>of a question, what {@link dev.holdfast.entity.Question} makes; of an answer, a byte that
 *       says its kind, and of an {@link #ANSWER} its bytes
 * </ul>
 */
final class Frames {

  static final byte[] HELLO = "holdfast-users/1\n".getBytes(StandardCharsets.US_ASCII);

  /** The length and the number. */
  static final int HEAD_BYTES = Integer.BYTES + Long.BYTES;

  /** Larger questions and answers go over the region, each of them a message of its own. */
  static final int MOST_BODY_BYTES = 64 << 10;

  static final int MOST_BYTES = HEAD_BYTES + 1 + MOST_BODY_BYTES;

  /** The user's answer follows. */
  static final byte ANSWER = 1;

  /** Nothing was done: the user is not in use here, or is to be asked over the region this time. */
  static final byte ELSEWHERE = 2;

  /** What was done is not told here: asked again over the region, the user tells it. */
  static final byte AGAIN = 3;

  private Frames() {}
}
