package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Walk.Step;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;

/**
 * What holds for one user whatever is done in whatever order, with a clock that runs, stands, jumps
 * and goes back. {@link Walk} makes each step with the real user and with the {@link PlainUser} and
 * compares; {@link LiveUser} checks every decision.
 */
@PropertyDefaults(tries = 1500, edgeCases = EdgeCasesMode.NONE)
class UserPropertiesTest {

  @Property
  void aKnownUserDoesWhatThePlainOneDoes(@ForAll("steps") List<Step> steps) {
    var walk = new Walk("alice");
    steps.forEach(walk::make);
    walk.ends();
  }

  @Property
  void aVisitorDoesWhatThePlainOneDoes(@ForAll("steps") List<Step> steps) {
    var walk = new Walk(null);
    steps.forEach(walk::make);
    walk.ends();
  }

  @Property(tries = 200)
  void aSnapshotAndTheLaterEntriesMakeTheSameState(@ForAll("steps") List<Step> steps) {
    var walk = new Walk("alice");
    steps.forEach(walk::make);
    List<Entry> journal = walk.journal();

    User whole = LiveUser.replay(journal);
    User snapshot = User.nobody();
    for (int k = 0; k <= journal.size(); k++) {
      User resumed = snapshot;
      for (Entry later : journal.subList(k, journal.size())) {
        resumed = resumed.apply(later);
      }
      assertThat(resumed).isEqualTo(whole);
      if (k < journal.size()) {
        snapshot = snapshot.apply(journal.get(k));
      }
    }
  }

  /** Replay must get over any journal, also one that no decision made. */
  @Property(tries = 200)
  void entriesOfAnyHistoryApplyToAnyState(
      @ForAll("steps") List<Step> steps, @ForAll("steps") List<Step> otherSteps) {
    var walk = new Walk("alice");
    steps.forEach(walk::make);
    var other = new Walk(null);
    otherSteps.forEach(other::make);

    User state = LiveUser.replay(walk.journal());
    for (Entry entry : other.journal()) {
      long before = state.revision();
      state = state.apply(entry);
      assertThat(state.revision()).isGreaterThan(before);
    }
    for (Entry entry : walk.journal().reversed()) {
      state = state.apply(entry);
    }
    state.deadline(Limits.defaults());
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    return Walk.steps().list().ofMinSize(1).ofMaxSize(80);
  }
}
