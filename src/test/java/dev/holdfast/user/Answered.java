package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.user.Refusal.Reason;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What tests say of answers. */
final class Answered {

  private Answered() {}

  static void assertRefused(Reply reply, Reason reason) {
    assertThat(reply).isInstanceOf(Reply.Refused.class);
    assertThat(((Reply.Refused) reply).refusal().reason()).isEqualTo(reason);
  }

  /** Every 401 is the same answer, to the letter. */
  static void assertInvalid(Reply reply) {
    assertThat(reply).isEqualTo(new Reply.Refused(Refusal.sessionInvalid()));
  }

  static void assertAlive(Device device) {
    assertThat(device.looks()).isInstanceOf(Reply.Seen.class);
  }

  static void assertDead(Device device) {
    assertInvalid(device.looks());
  }

  /** The answer has to wait until the journal is back. */
  static void assertWaitsForTheJournal(ThrowingCallable asking) {
    assertThatExceptionOfType(LiveUser.JournalIsDown.class).isThrownBy(asking);
  }
}
