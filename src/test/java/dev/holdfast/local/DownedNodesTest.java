package dev.holdfast.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.NodeStatus.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which processes are killed since their cluster goes on without them. */
@Timeout(20)
class DownedNodesTest {

  private static final Map<String, Long> ALL = Map.of("a", 1L, "b", 2L, "c", 3L);

  private final DownedNodes downed = new DownedNodes();

  private static NodeStatus node(String name, long pid, State state) {
    return new NodeStatus(
        name,
        "127.0.0.1:1",
        null,
        pid == 0 ? OptionalLong.empty() : OptionalLong.of(pid),
        state,
        false,
        OptionalLong.empty(),
        OptionalLong.empty());
  }

  private static List<NodeStatus> sees(NodeStatus... nodes) {
    return List.of(nodes);
  }

  private static List<NodeStatus> seesAllUp() {
    return sees(node("a", 1, State.UP), node("b", 2, State.UP), node("c", 3, State.UP));
  }

  private static List<NodeStatus> seesWithout(String name) {
    var nodes = new ArrayList<>(seesAllUp());
    nodes.removeIf(node -> node.name().equals(name));
    return nodes;
  }

  private static List<NodeStatus> seesWith(String name, State state) {
    var nodes = new ArrayList<>(seesWithout(name));
    nodes.add(node(name, 0, state));
    return nodes;
  }

  private void allWereUp() {
    assertThat(downed.look(ALL, Map.of("a", seesAllUp(), "b", seesAllUp(), "c", seesAllUp())))
        .isEmpty();
  }

  @Test
  void killsAMemberThatAllOthersHaveDownedAtTheSecondLook() {
    allWereUp();
    var views = Map.of("a", seesWith("c", State.DOWN), "b", seesWith("c", State.DOWN));
    assertThat(downed.look(ALL, views)).isEmpty();
    assertThat(downed.look(ALL, views)).containsExactly("c");
  }

  /** Its process is told by itself, when others ask it. */
  @Test
  void killsAMemberThatHungAsSoonAsItWasReady() {
    downed.wasReady("c", 3);
    downed.look(ALL, Map.of("a", seesWith("c", State.UP), "b", seesWith("c", State.UP)));
    var views = Map.of("a", seesWith("c", State.DOWN), "b", seesWith("c", State.DOWN));
    downed.wasReady("c", 3);
    assertThat(downed.look(ALL, views)).isEmpty();
    downed.wasReady("c", 3);
    assertThat(downed.look(ALL, views)).containsExactly("c");
  }

  @Test
  void leavesAProcessThatWasNotReadyYetAndWhosePredecessorIsGone() {
    downed.wasReady("c", 3);
    var living = Map.of("a", 1L, "b", 2L, "c", 4L);
    var views = Map.of("a", seesWith("c", State.DOWN), "b", seesWith("c", State.DOWN));
    for (int i = 0; i < 3; i++) {
      assertThat(downed.look(living, views)).isEmpty();
    }
  }

  @Test
  void killsAMemberThatIsGoneForAllOthersThoughItStillAnswers() {
    allWereUp();
    var views = Map.of("a", seesWithout("c"), "b", seesWithout("c"), "c", seesAllUp());
    downed.look(ALL, views);
    assertThat(downed.look(ALL, views)).containsExactly("c");
  }

  @Test
  void leavesAMemberThatIsOnlyUnreachable() {
    allWereUp();
    var views =
        Map.of("a", seesWith("c", State.UNREACHABLE), "b", seesWith("c", State.UNREACHABLE));
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(ALL, views)).isEmpty();
    }
  }

  @Test
  void leavesAMemberThatOneOtherHolds() {
    allWereUp();
    var views = Map.of("a", seesWithout("c"), "b", seesAllUp());
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(ALL, views)).isEmpty();
    }
  }

  @Test
  void startsCountingAnewWhenItWasSeenInBetween() {
    allWereUp();
    var missed = Map.of("a", seesWithout("c"), "b", seesWithout("c"));
    downed.look(ALL, missed);
    allWereUp();
    assertThat(downed.look(ALL, missed)).isEmpty();
  }

  @Test
  void leavesAProcessThatWasNoMemberYet() {
    var views = Map.of("a", seesWithout("c"), "b", seesWith("c", State.DOWN));
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(ALL, views)).isEmpty();
    }
  }

  @Test
  void leavesTheNextProcessOfANodeThatWasDowned() {
    allWereUp();
    var living = new HashMap<>(ALL);
    living.put("c", 33L);
    var views = Map.of("a", seesWith("c", State.DOWN), "b", seesWith("c", State.DOWN));
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(living, views)).isEmpty();
    }
  }

  @Test
  void givesANodeThatIsLeavingItsTime() {
    allWereUp();
    var leaving = new ArrayList<>(seesWithout("c"));
    leaving.add(node("c", 3, State.LEAVING));
    downed.look(ALL, Map.of("a", leaving, "b", leaving));
    var gone = Map.of("a", seesWithout("c"), "b", seesWithout("c"));
    int looks = 1;
    while (downed.look(ALL, gone).isEmpty()) {
      looks++;
    }
    assertThat(looks).isEqualTo(60);
  }

  @Test
  void leavesTwoThatAccuseEachOther() {
    var both = Map.of("a", 1L, "b", 2L);
    var see = sees(node("a", 1, State.UP), node("b", 2, State.UP));
    downed.look(both, Map.of("a", see, "b", see));
    var accuse = Map.of("a", sees(node("a", 1, State.UP)), "b", sees(node("b", 2, State.UP)));
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(both, accuse)).isEmpty();
    }
  }

  @Test
  void doesNotAskThoseThatAreNoMembersYet() {
    allWereUp();
    var joining = Map.of("a", sees(node("a", 1, State.JOINING)));
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(ALL, joining)).isEmpty();
    }
  }

  @Test
  void leavesEverythingWhereNobodyAnswers() {
    allWereUp();
    for (int i = 0; i < 5; i++) {
      assertThat(downed.look(ALL, Map.of())).isEmpty();
    }
  }
}
