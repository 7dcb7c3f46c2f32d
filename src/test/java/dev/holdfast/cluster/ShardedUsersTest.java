package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.Population;
import dev.holdfast.entity.Question;
import dev.holdfast.peer.PeerConnection;
import dev.holdfast.peer.ScriptedPeer;
import dev.holdfast.peer.ScriptedPeer.Visit;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With an actor in the place of the region, which keeps what it is sent. */
@Timeout(60)
final class ShardedUsersTest {

  private static final OwnerKey OWNER = new OwnerKey(1, 2);
  private static final Command CHANGE =
      new Command.Erase(new Request(new RequestId(1, 2), 0, true));
  private static final Command READ = new Command.AskEpoch();
  private static final Answer REFUSED =
      new Answer.Answered(new Reply.Refused(new Refusal(Refusal.Reason.CART_EMPTY, "", 0)), "old");
  private static final Answer NO_OWNER = new Answer.Unavailable(Answer.Cause.NO_OWNER, 1_000);
  private static final Answer DONE = new Answer.Answered(new Reply.Nothing(), "new");

  private final List<Message.Ask> asked = new CopyOnWriteArrayList<>();
  private final Waiting waiting = new Waiting();
  private final ActorSystem<Addressed> region =
      ActorSystem.create(
          Behaviors.receiveMessage(addressed -> {
            asked.add((Message.Ask) addressed.message());
            return Behaviors.same();
          }),
          "region",
          ConfigFactory.parseMap(Map.of("pekko.actor.provider", "local"))
              .withFallback(ConfigFactory.load()));
  private @Nullable ScriptedPeer peer;
  private final Peers peers = new Peers(new ShardRanges(8), "self", null);
  private final ShardedUsers users =
      new ShardedUsers(region, region, new Population().local(), peers, waiting);

  @AfterEach
  void end() throws IOException {
    if (peer != null) {
      peer.close();
    }
    peers.close();
    region.terminate();
    waiting.close();
  }

  @Test
  void takesTheRefusalOfTheOnlyAttempt() {
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    attempt(1).replyTo().tell(REFUSED);
    assertThat(answer.join()).isEqualTo(REFUSED);
  }

  /** The later one may reach the next owner, and take effect there. */
  @Test
  void takesNoRefusalOfAnEarlierAttemptWhileALaterOneIsOnItsWay() {
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    Message.Ask first = attempt(1);
    Message.Ask second = attempt(2);
    first.replyTo().tell(REFUSED);
    second.replyTo().tell(DONE);
    assertThat(answer.join()).isEqualTo(DONE);
    assertThat(first.repeated()).isFalse();
    assertThat(second.repeated()).isTrue();
  }

  @Test
  void takesTheRefusalOfTheLastAttempt() {
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    attempt(1);
    attempt(2).replyTo().tell(REFUSED);
    assertThat(answer.join()).isEqualTo(REFUSED);
  }

  @Test
  void takesWhatAnEarlierAttemptDid() {
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    Message.Ask first = attempt(1);
    attempt(2);
    first.replyTo().tell(DONE);
    assertThat(answer.join()).isEqualTo(DONE);
  }

  @Test
  void takesAnyAnswerToARead() {
    CompletableFuture<Answer> answer = ask(READ, 10_000);
    Message.Ask first = attempt(1);
    attempt(2);
    first.replyTo().tell(REFUSED);
    assertThat(answer.join()).isEqualTo(REFUSED);
  }

  @Test
  void saysThatAChangeIsUnknownOfWhichAnAttemptMayStillBeOnItsWay() {
    CompletableFuture<Answer> answer = ask(CHANGE, 700);
    attempt(1);
    attempt(2).replyTo().tell(NO_OWNER);
    assertThat(answer.join()).isEqualTo(new Answer.Unknown());
  }

  @Test
  void asksAgainAtOnceWhenANodeIsGone() {
    var _ = ask(CHANGE, 10_000);
    attempt(1);
    attempt(2);
    attempt(3);
    // The next one by itself comes after more than a second.
    long before = System.nanoTime();
    waiting.nodeLost();
    attempt(4);
    assertThat(System.nanoTime() - before).isLessThan(600_000_000L);
  }

  // ---------------------------------------------------------------------------------------------
  // Another node, which has answered for the user's shard

  @Test
  void asksWhoHasAnsweredForTheShardDirectly() throws Exception {
    Visit visit = visited();
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    ScriptedPeer.Asked question = visit.question();
    assertThat(question.question()).isEqualTo(new Question(OWNER, CHANGE, false, null));
    visit.answer(question.number(), DONE);
    assertThat(answer.join()).isEqualTo(DONE);
    assertThat(asked).isEmpty();
    assertThat(users.ways().peer()).isEqualTo(1);
  }

  @Test
  void goesOverTheRegionAsIfForTheFirstTimeWhenTheUserIsNotThere() throws Exception {
    Visit visit = visited();
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    visit.sendElsewhere(visit.question().number());
    assertThat(attempt(1).repeated()).isFalse();
    attempt(1).replyTo().tell(REFUSED);
    assertThat(answer.join()).as("nothing else is on its way").isEqualTo(REFUSED);
    assertThat(users.ways().missed()).isEqualTo(1);
  }

  @Test
  void goesOverTheRegionAsARepeatWhenTheConnectionBreaks() throws Exception {
    Visit visit = visited();
    CompletableFuture<Answer> answer = ask(CHANGE, 400);
    visit.question();
    visit.end();
    assertThat(attempt(1).repeated()).isTrue();
    attempt(1).replyTo().tell(NO_OWNER);
    assertThat(answer.join()).as("it may have been done").isEqualTo(new Answer.Unknown());
  }

  @Test
  void takesWhatAPeerDidThatAnswersLate() throws Exception {
    Visit visit = visited();
    CompletableFuture<Answer> answer = ask(CHANGE, 10_000);
    ScriptedPeer.Asked question = visit.question();
    assertThat(attempt(1).repeated()).isTrue();
    visit.answer(question.number(), DONE);
    assertThat(answer.join()).isEqualTo(DONE);
  }

  private Visit visited() throws IOException, InterruptedException {
    var other = new ScriptedPeer("id", null);
    peer = other;
    PeerConnection connection = PeerConnection.open("there", "id", other.address(), null);
    peers.add("id", "there", connection);
    peers.answered(OWNER, "there");
    Visit visit = other.visit();
    await().until(connection::isOpen);
    return visit;
  }

  private CompletableFuture<Answer> ask(Command command, long millis) {
    var answer = new CompletableFuture<Answer>();
    Thread.startVirtualThread(() -> answer.complete(users.ask(OWNER, command, millis)));
    return answer;
  }

  private Message.Ask attempt(int number) {
    await().until(() -> asked.size() >= number);
    return asked.get(number - 1);
  }
}
