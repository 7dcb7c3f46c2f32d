package dev.holdfast.cluster;

import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.jspecify.annotations.Nullable;

/** What the roles of a member say. */
final class Members {

  private static final String ID = "id-";
  private static final String NAME = "name-";
  private static final String WIRE = "wire-";
  private static final String FORM = "form-";

  private Members() {}

  /** The role that tells the process. */
  static String idRole(String id) {
    return ID + id;
  }

  /** The role that tells what people call the node. */
  static String nameRole(String name) {
    return NAME + name;
  }

  /** The role that tells the port of the {@link DeathWire}. */
  static String wireRole(int port) {
    return WIRE + port;
  }

  /** The role that tells the newest form of events that the node reads. */
  static String formRole(int form) {
    return FORM + form;
  }

  /** {@return the newest form of events that the member reads; 1 if it does not tell} */
  static int form(Member member) {
    String form = role(member, FORM);
    return form.isEmpty() ? 1 : Integer.parseInt(form, 10);
  }

  /** {@return the port at which the member's end can be seen; 0 if it does not tell} */
  static int wirePort(Member member) {
    String port = role(member, WIRE);
    return port.isEmpty() ? 0 : Integer.parseInt(port, 10);
  }

  /**
   * {@return whether the member may grant others the right to answer from memory} Who is not up yet
   * may not: the others have not counted it when they shared the users out.
   */
  static boolean mayGrant(Member member) {
    MemberStatus status = member.status();
    return status.equals(MemberStatus.up())
        || status.equals(MemberStatus.leaving())
        || status.equals(MemberStatus.exiting());
  }

  /** {@return whether the cluster goes on without the member} */
  static boolean isExcluded(Member member) {
    return member.status().equals(MemberStatus.down())
        || member.status().equals(MemberStatus.removed());
  }

  /** {@return the member whose process has that id, or null} */
  static @Nullable Member of(String id, CurrentClusterState state) {
    for (Member member : state.getMembers()) {
      if (id(member).equals(id)) {
        return member;
      }
    }
    return null;
  }

  /** {@return the id of the member's process} */
  static String id(Member member) {
    return role(member, ID);
  }

  /** {@return what people call the member} */
  static String name(Member member) {
    return role(member, NAME);
  }

  private static String role(Member member, String prefix) {
    for (String role : member.getRoles()) {
      if (role.startsWith(prefix)) {
        return role.substring(prefix.length());
      }
    }
    return "";
  }
}
