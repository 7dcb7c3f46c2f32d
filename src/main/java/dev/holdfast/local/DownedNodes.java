package dev.holdfast.local;

import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.NodeStatus.State;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds processes that live on though their cluster goes on without them: it has downed them, or
 * they were members and are so no more. A process that works ends itself then; one that hangs does
 * not.
 *
 * <p>All other nodes that answer and are members themselves must agree, twice in succession. Two
 * nodes that accuse each other are left alone: the journal's fence decides between them, and the
 * loser ends itself.
 */
final class DownedNodes {

  private static final int LOOKS = 2;

  /** Of a node that was seen leaving: it may take its time to end. */
  private static final int LOOKS_WHILE_LEAVING = 60;

  /** A process that was a member, where it stood last, and how often it was missed since. */
  private record Member(long pid, State last, int missed) {}

  private final Map<String, Member> members = new HashMap<>();

  /** A process has served callers, so it was a member, also if it hung before others told of it. */
  void wasReady(String name, long pid) {
    members.compute(
        name,
        (_, known) -> known != null && known.pid() == pid ? known : new Member(pid, State.UP, 0));
  }

  /**
   * Looks once more; meant for about once a second.
   *
   * @param living the process of each node whose process lives
   * @param answers what each node that answered tells of the members
   * @return the nodes whose processes should be killed
   */
  Set<String> look(Map<String, Long> living, Map<String, List<NodeStatus>> answers) {
    var views = new HashMap<>(answers);
    views.entrySet().removeIf(view -> !isMember(view.getKey(), view.getValue()));
    var missed = new HashSet<String>();
    living.forEach((name, pid) -> {
      views.forEach((viewer, nodes) -> {
        for (NodeStatus node : nodes) {
          if (!viewer.equals(name)
              && node.name().equals(name)
              && node.state() != State.DOWN
              && node.pid().orElse(-1) == pid) {
            members.put(name, new Member(pid, node.state(), 0));
          }
        }
      });
      Member member = members.get(name);
      if (member != null && member.pid() == pid && isMissed(name, views, Set.of())) {
        missed.add(name);
      }
    });
    var toKill = new HashSet<String>();
    members.replaceAll((name, member) -> {
      if (!missed.contains(name) || !isMissed(name, views, missed)) {
        return new Member(member.pid(), member.last(), 0);
      }
      boolean leaving = member.last() == State.DRAINING || member.last() == State.LEAVING;
      int looks = member.missed() + 1;
      if (looks >= (leaving ? LOOKS_WHILE_LEAVING : LOOKS)) {
        toKill.add(name);
      }
      return new Member(member.pid(), member.last(), looks);
    });
    return toKill;
  }

  private static boolean isMember(String name, List<NodeStatus> nodes) {
    return nodes.stream()
        .filter(node -> node.name().equals(name))
        .anyMatch(node ->
            switch (node.state()) {
              case UP, DRAINING, UNREACHABLE -> true;
              case JOINING, LEAVING, DOWN -> false;
            });
  }

  /** Whether there are others that answer, and none of them has it as a member that counts. */
  private static boolean isMissed(
      String name, Map<String, List<NodeStatus>> views, Set<String> notAsked) {
    int asked = 0;
    for (var view : views.entrySet()) {
      if (view.getKey().equals(name) || notAsked.contains(view.getKey())) {
        continue;
      }
      asked++;
      for (NodeStatus node : view.getValue()) {
        if (node.name().equals(name) && node.state() != State.DOWN) {
          return false;
        }
      }
    }
    return asked > 0;
  }
}
