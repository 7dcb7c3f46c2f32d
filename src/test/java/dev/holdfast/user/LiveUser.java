package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.json.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A user in memory, held as the actor holds one: a command is decided, its entries are journaled
 * and applied, the activity is noted, and then it is answered. Every decision made here is checked
 * for what must hold of all of them.
 */
final class LiveUser {

  /** Nothing could be answered, since it had to be journaled first and the journal is down. */
  static final class JournalIsDown extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  static final Duration IDLE = Duration.ofMinutes(30);
  static final Duration ABSOLUTE = Duration.ofDays(7);

  final Time time;
  final List<Entry> journal = new ArrayList<>();
  Limits limits = withoutAbandonedCarts(Limits.defaults());
  boolean journalUp = true;
  int form = Event.newestForm();
  boolean expiryPaused;

  private User state = User.nobody();
  private List<Entry> lastEntries = List.of();
  private @Nullable SessionId lastSeen;
  private final Map<SessionId, Long> seen = new HashMap<>();
  private final Presence presence = session -> seen.getOrDefault(session, Presence.UNKNOWN);

  LiveUser(Time time) {
    this.time = time;
  }

  // --- what the tests say

  /** Opens a session: a visitor's. */
  Device opens() {
    return opens(null, IDLE, ABSOLUTE);
  }

  /** Opens a session of a known user. */
  Device opensFor(String user) {
    return opens(user, IDLE, ABSOLUTE);
  }

  Device opens(@Nullable String user, Duration idle, Duration absolute) {
    var done = (Reply.Done) asks(open(Requests.fresh(), user, idle, absolute));
    return new Device(this, ((Outcome.Opened) done.outcome()).session(), 1);
  }

  static Command.Open open(
      Request request, @Nullable String user, Duration idle, Duration absolute) {
    return new Command.Open(
        request,
        Requests.newSession(),
        user,
        Json.Obj.empty(),
        idle.toMillis(),
        absolute.toMillis());
  }

  /**
   * Asks what the actor would ask, and does what it would do.
   *
   * @throws JournalIsDown if the answer may only be given once something is journaled
   */
  Reply asks(Command command) {
    Decision decision = decides(command);
    lastEntries = decision.entries();
    lastSeen = decision.seen();
    if (!journalUp) {
      if (!decision.entries().isEmpty()) {
        throw new JournalIsDown();
      }
      assertThat(lastSeen).as("what is not journaled up extends nothing").isNull();
    }
    journal.addAll(decision.entries());
    state = decision.state();
    SessionId active = decision.seen();
    if (active != null) {
      seen.merge(active, now(), Math::max);
    }
    return decision.reply();
  }

  /** Decides and checks what holds of every decision; nothing happens. */
  Decision decides(Command command) {
    Decision decision = state.decide(command, context(presence));
    assertThat(state.decide(command, context(presence)))
        .as("the same decision on the same ground")
        .isEqualTo(decision);
    User applied = state;
    for (Entry entry : decision.entries()) {
      User next = applied.apply(entry);
      assertThat(next.revision()).as("the revision grows").isGreaterThan(applied.revision());
      assertThat(entry.at()).as("the user's time").isEqualTo(now());
      assertThat(next.lastEntryAt()).isEqualTo(entry.at());
      applied = next;
    }
    assertThat(decision.state()).as("the state after the entries").isEqualTo(applied);
    return decision;
  }

  /** The agenda says that something may be due. */
  Reply wakes() {
    return asks(new Command.Wake());
  }

  /** {@return whether a wake at that moment, right after a recovery, would do anything} */
  boolean wouldDoSomethingAt(long moment) {
    return wouldDoSomething(moment, Presence.unknown());
  }

  /** {@return whether a wake at that moment would do anything if this process lives until then} */
  boolean wouldDoSomethingInMemoryAt(long moment) {
    return wouldDoSomething(moment, presence);
  }

  private boolean wouldDoSomething(long moment, Presence known) {
    var context = new Context(moment, false, true, known, limits, form);
    Decision decision = state.decide(new Command.Wake(), context);
    return !decision.entries().isEmpty() || decision.reply() instanceof Reply.NothingLeft;
  }

  /** The actor notes the activity only when the journal has answered, which may take a while. */
  void notesLate(SessionId session, Duration later) {
    seen.merge(session, now() + later.toMillis(), Math::max);
  }

  /** The process dies; another one reads the journal. */
  void crashes() {
    seen.clear();
    User replayed = replay(journal);
    assertThat(replayed).as("what the journal tells").isEqualTo(state);
    state = replayed;
  }

  static User replay(List<Entry> entries) {
    User user = User.nobody();
    for (Entry entry : entries) {
      user = user.apply(entry);
    }
    return user;
  }

  User state() {
    return state;
  }

  /** {@return the user's time: it never runs behind the last entry} */
  long now() {
    return Math.max(time.now(), state.lastEntryAt());
  }

  /** {@return what was journaled for the last thing asked} */
  List<Event> lastEvents() {
    return lastEntries.stream().map(Entry::event).toList();
  }

  /** {@return whose activity the last thing asked was} */
  @Nullable SessionId lastSeen() {
    return lastSeen;
  }

  List<SessionId> sessions() {
    return state.sessions().stream().map(Session::id).toList();
  }

  Duration untilDeadline() {
    long deadline = state.deadline(limits);
    return Duration.ofMillis(deadline == User.NEVER ? Long.MAX_VALUE : deadline - time.now());
  }

  /** The same limits, by which no cart is ever told as abandoned: most tests are about others. */
  static Limits withoutAbandonedCarts(Limits limits) {
    return abandoningCarts(limits, User.NEVER);
  }

  static Limits abandoningCarts(Limits limits, long millis) {
    return new Limits(
        limits.attributesBytes(),
        limits.lineAttributesBytes(),
        limits.cartLines(),
        limits.quantity(),
        limits.sessions(),
        limits.callerKeys(),
        limits.serverRequests(),
        limits.cartRetentionMillis(),
        millis,
        limits.historyMillis());
  }

  private Context context(Presence known) {
    return new Context(time.now(), expiryPaused, journalUp, known, limits, form);
  }
}
