package dev.holdfast.cluster;

import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.user.Event;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which kinds of events may be written. A node that does not know a kind cannot read the user, so a
 * new one is written only while every member knows its form, and after the journal says so: then a
 * version that does not know it is not let in any more, whether others run or not.
 */
final class EventForms {

  private static final Logger LOG = LoggerFactory.getLogger(EventForms.class);

  private final NodeRegistry nodes;
  private final int most;

  /** What the journal says, as far as this node has seen. */
  private volatile int inJournal = 1;

  /** What all members know. */
  private volatile int known = 1;

  /**
   * @param most never written above, so that a version of before can come back
   */
  EventForms(NodeRegistry nodes, int most) {
    this.nodes = nodes;
    this.most = Math.min(most, Event.newestForm());
  }

  /** {@return the newest form that may be written now} */
  int newest() {
    return Math.min(inJournal, known);
  }

  /** The members are these. */
  void members(CurrentClusterState state) {
    int least = Event.newestForm();
    for (Member member : state.getMembers()) {
      least = Math.min(least, Members.form(member));
    }
    known = least;
  }

  /** Has the journal say what may be written, where that is more than it says. */
  void look() {
    int wanted = Math.min(most, known);
    if (wanted <= inJournal) {
      return;
    }
    try {
      int before = nodes.form();
      nodes.raiseForm(wanted);
      inJournal = Math.max(before, wanted);
      if (before < wanted) {
        LOG.info("every node knows events of the form {}, which are written from now on", wanted);
      }
    } catch (JournalFailure | StoreUnreadable e) {
      LOG.debug("which events may be written cannot be seen now", e);
    }
  }

  /**
   * Sees to it that this version can read the journal.
   *
   * @throws IllegalStateException if it cannot
   */
  static void requireKnown(NodeRegistry nodes) {
    int form = nodes.form();
    if (form > Event.newestForm()) {
      throw new IllegalStateException(
          "the journal may hold events of the form "
              + form
              + ", written by a later version of this program; this one knows those up to "
              + Event.newestForm()
              + ": start the later version");
    }
  }
}
