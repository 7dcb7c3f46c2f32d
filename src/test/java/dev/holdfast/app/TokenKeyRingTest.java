package dev.holdfast.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.http.SessionTokens;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TokenKeyRingTest {

  private static final SessionTokens.Key OLD = key(1);
  private static final SessionTokens.Key NEW = key(2);

  /** What the nodes tell each other by the journal. */
  private static final class Cluster {
    private final List<Ring> nodes = new ArrayList<>();

    /** One node. */
    private final class Ring implements TokenKeyRing.Others {
      private List<String> told;
      private boolean reachable = true;
      private final TokenKeyRing ring;

      Ring(List<SessionTokens.Key> keys) {
        told = keys.stream().map(SessionTokens.Key::mark).toList();
        nodes.add(this);
        ring = new TokenKeyRing(keys, keys.getFirst().mark(), this);
      }

      @Override
      public boolean announce(List<String> names) {
        told = reachable ? names : told;
        return reachable;
      }

      @Override
      public boolean know(String name) {
        return reachable && nodes.stream().allMatch(node -> node.told.contains(name));
      }

      boolean signsWith(SessionTokens.Key key) {
        return told.getFirst().equals(key.mark());
      }
    }

    Ring start(SessionTokens.Key... keys) {
      return new Ring(List.of(keys));
    }
  }

  private static SessionTokens.Key key(int id) {
    return SessionTokens.Key.of(
        id, ("a secret of thirty-two bytes, or more" + id).getBytes(StandardCharsets.UTF_8));
  }

  private final Cluster cluster = new Cluster();

  @Test
  void signsWithANewKeyOnceEveryNodeHasIt() {
    var one = cluster.start(OLD);
    var other = cluster.start(OLD);

    one.ring.bring(List.of(NEW, OLD));
    one.ring.settle();
    assertThat(one.signsWith(OLD)).isTrue();

    other.ring.bring(List.of(NEW, OLD));
    assertThat(other.signsWith(NEW)).isTrue();
    one.ring.settle();
    assertThat(one.signsWith(NEW)).isTrue();
  }

  @Test
  void signsWithNoKeyThatWasTakenAway() {
    var one = cluster.start(OLD, NEW);
    cluster.start(OLD);
    one.ring.bring(List.of(NEW));
    assertThat(one.signsWith(NEW)).isTrue();
  }

  @Test
  void tellsTheOthersLaterWhereTheyCannotBeToldNow() {
    var one = cluster.start(OLD);
    var other = cluster.start(OLD);
    one.reachable = false;
    one.ring.bring(List.of(NEW, OLD));
    other.ring.bring(List.of(NEW, OLD));
    other.ring.settle();
    assertThat(other.signsWith(OLD)).isTrue();

    one.reachable = true;
    one.ring.settle();
    other.ring.settle();
    one.ring.settle();
    assertThat(one.signsWith(NEW)).isTrue();
    assertThat(other.signsWith(NEW)).isTrue();
  }
}
