package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.User;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class HeldUserTest {

  private final HeldUser held = new HeldUser();

  @Test
  void isNobodyAtFirst() {
    assertThat(held.get()).isEqualTo(User.nobody());
  }

  @Test
  void givesBackWhatWasPacked() {
    for (User user : new User[] {Samples.USER, Samples.FROZEN, User.nobody()}) {
      held.set(user);
      held.pack();
      assertThat(held.packedBytes()).isPositive();
      assertThat(held.get()).isEqualTo(user);
      assertThat(held.packedBytes()).isZero();
    }
  }

  @Test
  void takesAFractionOfWhatASnapshotTakes() {
    held.set(Samples.USER);
    held.pack();
    assertThat(held.packedBytes()).isLessThan(UserCodec.bytes(Samples.USER).length / 2);
  }

  @Test
  void packsOnce() {
    held.set(Samples.USER);
    held.pack();
    int packed = held.packedBytes();
    held.pack();
    assertThat(held.packedBytes()).isEqualTo(packed);
    assertThat(held.get()).isEqualTo(Samples.USER);
  }

  @Test
  void forgetsWhatWasPackedForWhatComesNext() {
    held.set(Samples.USER);
    held.pack();
    held.set(Samples.FROZEN);
    assertThat(held.get()).isEqualTo(Samples.FROZEN);
  }
}
