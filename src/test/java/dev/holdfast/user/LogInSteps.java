package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.MergePolicy;
import dev.holdfast.user.Command.Action;
import java.util.Objects;

/** A visitor on the way to becoming a known user: what passes between the two actors, by hand. */
final class LogInSteps {

  final LiveUser visitor;
  final LiveUser known;
  final Device browser;
  private final String name;
  private final MergePolicy policy;
  private SessionId newSession = Requests.newSession();
  private long epoch;

  LogInSteps(Device browser, LiveUser known, String name, MergePolicy policy) {
    this.visitor = browser.user();
    this.known = known;
    this.browser = browser;
    this.name = name;
    this.policy = policy;
  }

  LogInSteps(Device browser, LiveUser known) {
    this(browser, known, "alice", MergePolicy.SUM);
  }

  /** All of it, without a hitch. */
  static LogInSteps complete(Device browser, LiveUser known, MergePolicy policy) {
    var steps = new LogInSteps(browser, known, "alice", policy);
    steps.asksForTheEpoch();
    steps.begins();
    steps.settles(steps.asksToBeAdmitted());
    return steps;
  }

  static LogInSteps complete(Device browser, LiveUser known) {
    return complete(browser, known, MergePolicy.SUM);
  }

  /** The place where the request entered, to the known user. */
  void asksForTheEpoch() {
    epoch = ((Reply.Epoch) known.asks(new Command.AskEpoch())).epoch();
  }

  Action action() {
    return new Action.StartLogIn(newSession, name, epoch, policy);
  }

  /** The same from the same session, whatever ids were made for it. */
  Request request() {
    return Requests.keyed("log-in", browser.session() + name + policy);
  }

  /** The place where the request entered, to the visitor. */
  Reply begins() {
    newSession = Requests.newSession();
    return browser.does(request(), action());
  }

  /** The visitor to the known user. */
  Reply.Admission asksToBeAdmitted() {
    return (Reply.Admission) known.asks(admission());
  }

  /** What the visitor asks for. */
  Command.Admit admission() {
    LogIn logIn = Objects.requireNonNull(visitor.state().logIn());
    Session session =
        visitor.state().sessions().stream()
            .filter(each -> each.id().equals(logIn.session()))
            .findFirst()
            .orElseThrow();
    return new Command.Admit(logIn, session, visitor.state().cart(), visitor.state().revision());
  }

  /** The visitor, when the known user has answered. */
  Reply settles(Reply.Admission admission) {
    return visitor.asks(new Command.Settle(admission));
  }

  /** The caller does not know the outcome and asks again with the old token. */
  Reply.Done isRepeated() {
    Reply reply = browser.does(request(), action());
    assertThat(reply).isInstanceOf(Reply.Done.class);
    return (Reply.Done) reply;
  }

  /** The session at the known user, with its first token. */
  Device newDevice() {
    return new Device(known, newSession, 1);
  }

  /** What belongs to the answer: the new session, for as long as its token is not used. */
  Reply looksAtTheNewSession() {
    return known.asks(new Command.LookUnused(newSession));
  }
}
