package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cluster.SeveralNodes.Member;
import dev.holdfast.user.Event;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the journal says may be written, with real nodes and a real journal. */
@Timeout(120)
final class EventFormsTest {

  private SeveralNodes nodes;

  @BeforeEach
  void prepare() {
    nodes = new SeveralNodes();
  }

  @AfterEach
  void endAll() {
    nodes.close();
  }

  @Test
  void writesTheNewestFormOnceEveryMemberKnowsIt() {
    Member one = nodes.start("node-1");
    assertThat(one.node.eventForm()).isEqualTo(Event.newestForm());
    Member two = nodes.start("node-2");
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> {
          assertThat(one.node.eventForm()).isEqualTo(Event.newestForm());
          assertThat(two.node.eventForm()).isEqualTo(Event.newestForm());
        });
    assertThat(one.journal.nodes().form()).isEqualTo(Event.newestForm());
  }

  @Test
  void keepsToAFormThatIsAllowedAndSaysNoOtherInTheJournal() {
    Member pinned = nodes.startPinned("node-1", 1);
    assertThat(pinned.node.eventForm()).isEqualTo(1);
    assertThat(pinned.journal.nodes().form()).isEqualTo(1);
  }

  @Test
  void joinsNoJournalThatMayHoldWhatItCannotRead() {
    Member one = nodes.start("node-1");
    one.journal.nodes().raiseForm(Event.newestForm() + 1);
    assertThatIllegalStateException()
        .isThrownBy(() -> nodes.start("node-2"))
        .withMessageContaining("written by a later version");
    assertThat(one.halted).isFalse();
  }
}
