package dev.holdfast.cluster;

import org.apache.pekko.cluster.Member;

/** What the roles of a member say. */
final class Members {

  private static final String ID = "id-";
  private static final String NAME = "name-";

  private Members() {}

  /** The role that tells the process. */
  static String idRole(String id) {
    return ID + id;
  }

  /** The role that tells what people call the node. */
  static String nameRole(String name) {
    return NAME + name;
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
