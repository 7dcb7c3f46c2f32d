package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class SessionCapTest {

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);

  @Test
  void endsTheLongestIdleSessionForThe21st() {
    List<Device> devices = open(20);

    Device last = user.opensFor("alice");

    assertThat(user.lastEvents())
        .startsWith(
            new Event.SessionEnded(devices.getFirst().session(), Event.EndReason.DISPLACED));
    assertDead(devices.getFirst());
    assertAlive(devices.get(1));
    assertThat(last.lists()).hasSize(20);
  }

  @Test
  void countsActivityThatIsNotJournaled() {
    List<Device> devices = open(20);
    time.passes(Duration.ofSeconds(1));
    assertAlive(devices.getFirst());
    assertThat(user.lastEvents()).as("a read soon after is not journaled").isEmpty();

    user.opensFor("alice");

    assertAlive(devices.getFirst());
    assertDead(devices.get(1));
  }

  @Test
  void endsTheFirstOpenedOfThoseThatAreIdleEquallyLong() {
    List<Device> devices = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      devices.add(user.opensFor("alice"));
    }

    user.opensFor("alice");

    assertDead(devices.getFirst());
    assertAlive(devices.get(1));
  }

  @Test
  void endsNoneForARepeatOfAnOpening() {
    open(19);
    var request = Requests.keyed("k", "open");
    var opening = LiveUser.open(request, "alice", LiveUser.IDLE, LiveUser.ABSOLUTE);
    user.asks(opening);
    user.asks(opening);

    assertThat(user.sessions()).hasSize(20);
  }

  @Test
  void countsNoSessionThatIsDueToExpire() {
    List<Device> devices = open(20);
    time.passes(LiveUser.IDLE.minusMillis(20));
    assertAlive(devices.get(7));
    time.passes(Duration.ofMillis(5));

    user.opensFor("alice");

    assertThat(user.lastEvents()).noneMatch(event -> event instanceof Event.SessionEnded);
    assertAlive(devices.get(7));
  }

  @Test
  void endsAsManyAsALimitThatWasLoweredAsksFor() {
    open(5);
    user.limits =
        new Limits(
            64, 64, 3, 9, 2, 9, 9, Long.MAX_VALUE, User.NEVER, Duration.ofDays(7).toMillis());

    user.opensFor("alice");

    assertThat(user.sessions()).hasSize(2);
  }

  private List<Device> open(int count) {
    List<Device> devices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      devices.add(user.opensFor("alice"));
      time.passes(Duration.ofMillis(1));
    }
    return devices;
  }
}
