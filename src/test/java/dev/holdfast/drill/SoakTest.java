package dev.holdfast.drill;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SoakTest {

  private static final long MIB = 1 << 20;
  private final Random random = new Random(7);

  @Test
  void takesWhatGoesUpAndDownForLevel() {
    assertThat(grown(i -> new Vitals((60 + random.nextInt(8)) * MIB, 90 + i % 7, 140 + i % 30, 0)))
        .isEmpty();
  }

  @Test
  void leavesOutTheTimeInWhichANodeGetsWarm() {
    assertThat(grown(i -> new Vitals(Math.min(20 + 3 * i, 80) * MIB, 50 + Math.min(i, 20), 100, 0)))
        .isEmpty();
  }

  @Test
  void findsMemoryThreadsAndFilesThatEachFaultLeavesBehind() {
    assertThat(grown(i -> new Vitals((60 * MIB) + i * MIB / 2, 90, 140, 0)))
        .singleElement()
        .asString()
        .contains("live objects");
    assertThat(grown(i -> new Vitals(60 * MIB, 90 + i, 140, 0)))
        .singleElement()
        .asString()
        .contains("threads");
    assertThat(grown(i -> new Vitals(60 * MIB, 90, 140 + 2L * i, 0)))
        .singleElement()
        .asString()
        .contains("open files");
  }

  @Test
  void seesWhatThisProcessHolds() throws Exception {
    assertThat(Vitals.canBeSeen()).isTrue();
    byte[] held = new byte[(int) (32 * MIB)];
    Vitals vitals = Vitals.of(ProcessHandle.current().pid());

    assertThat(vitals.liveBytes()).isGreaterThan(held.length);
    assertThat(vitals.threads()).isGreaterThanOrEqualTo(Thread.activeCount());
    assertThat(vitals.handles()).isGreaterThan(3);
    assertThat(vitals.residentBytes()).isGreaterThan(held.length);
  }

  @Test
  void drawsOnlyFaultsThatLeaveAMajorityWithOneNodeSpared() {
    assertThat(Soak.faults(2)).isEmpty();
    assertThat(Soak.faults(3))
        .containsExactly(
            Fault.CRASH,
            Fault.CRASH_OLDEST,
            Fault.HANG,
            Fault.PARTITION,
            Fault.ONE_WAY,
            Fault.LEAVE);
    assertThat(Soak.faults(5)).contains(Fault.CRASH_TWO, Fault.SCALE_IN);
  }

  private static List<String> grown(IntFunction<Vitals> at) {
    var vitals = new ArrayList<Vitals>();
    for (int i = 0; i < 80; i++) {
      vitals.add(at.apply(i));
    }
    return Soak.grown(vitals);
  }
}
