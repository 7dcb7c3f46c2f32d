package dev.holdfast.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Question;
import dev.holdfast.http.TestAuthority;
import dev.holdfast.json.Json;
import dev.holdfast.peer.PeerConnection.Asked;
import dev.holdfast.peer.ScriptedPeer.Visit;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The asking end of a connection, before a peer that does what it should and one that does not. */
@Timeout(60)
final class PeerConnectionTest {

  private static final OwnerKey OWNER = new OwnerKey(1, 2);
  private static final Question QUESTION =
      new Question(OWNER, new Command.AskEpoch(), true, "00-trace");
  private static final Answer ANSWER = new Answer.Answered(new Reply.Nothing(), "there");

  @TempDir private Path folder;
  private final BlockingQueue<Word> heard = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> open = new ArrayList<>();
  private ScriptedPeer peer;

  @BeforeEach
  void start() throws IOException {
    peer = new ScriptedPeer("the-one", null);
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    peer.close();
  }

  @Test
  void asksAndHearsTheAnswer() throws Exception {
    PeerConnection connection = connect();
    Visit visit = peer.visit();
    ask(connection);
    ScriptedPeer.Asked asked = visit.question();
    assertThat(asked.question()).isEqualTo(QUESTION);
    visit.answer(asked.number(), ANSWER);
    assertThat(said()).isEqualTo(ANSWER);
  }

  @Test
  void tellsAnswersApartThatComeInAnotherOrder() throws Exception {
    PeerConnection connection = connect();
    Visit visit = peer.visit();
    var second = new LinkedBlockingQueue<Word>();
    ask(connection);
    assertThat(connection.ask(QUESTION, second::add)).isNotNull();
    long firstNumber = visit.question().number();
    visit.answer(visit.question().number(), new Answer.Unreadable());
    visit.answer(firstNumber, ANSWER);
    assertThat(said()).isEqualTo(ANSWER);
    assertThat(second.poll(10, TimeUnit.SECONDS))
        .isInstanceOfSatisfying(
            Word.Said.class,
            said -> assertThat(said.answer().get()).isEqualTo(new Answer.Unreadable()));
  }

  @Test
  void tellsNothingDoneFromPerhapsDone() throws Exception {
    PeerConnection connection = connect();
    Visit visit = peer.visit();
    ask(connection);
    visit.say(visit.question().number(), Frames.ELSEWHERE, new byte[0]);
    assertThat(word()).isEqualTo(new Word.Elsewhere());
    ask(connection);
    visit.say(visit.question().number(), Frames.AGAIN, new byte[0]);
    assertThat(word()).isEqualTo(new Word.Lost());
  }

  @Test
  void tellsAtOnceThatAQuestionIsLostWithTheConnectionAndConnectsAgain() throws Exception {
    PeerConnection connection = connect();
    Visit visit = peer.visit();
    ask(connection);
    visit.end();
    assertThat(word()).isEqualTo(new Word.Lost());
    Visit next = peer.visit();
    ask(connection);
    assertAnswered(next);
  }

  @Test
  void tellsWhatIsUnderWayThatItIsLostWhenItIsClosed() throws Exception {
    PeerConnection connection = connect();
    peer.visit();
    ask(connection);
    connection.close();
    assertThat(word()).isEqualTo(new Word.Lost());
    await().until(() -> !connection.isOpen());
    assertThat(connection.ask(QUESTION, heard::add)).isNull();
  }

  @Test
  void asksNoOtherProcessAtTheAddress() throws Exception {
    try (var other = new ScriptedPeer("another", null)) {
      PeerConnection connection = connectTo(other, null);
      peerGreets(connection);
      assertThat(other.isUnvisited()).isTrue();
    }
  }

  /** By the time at which one has been reached that is begun later. */
  private void peerGreets(PeerConnection refused) throws Exception {
    PeerConnection second = connect();
    peer.visit();
    await().until(second::isOpen);
    assertThat(refused.isOpen()).isFalse();
  }

  /** Many times what a kernel keeps for a reader who does not read. */
  @Test
  void neverWaitsForAPeerThatReadsNothing() throws Exception {
    PeerConnection connection = connect();
    peer.visit();
    await().until(connection::isOpen);
    Question large = question(30_000);
    int sent = 0;
    while (connection.isOpen()) {
      assertThat(connection.ask(large, heard::add)).isNotNull();
      sent++;
    }
    assertThat(sent).isBetween(2, 10);
    assertThat(heard).isEmpty();
  }

  @Test
  void takesNoQuestionThatIsTooLarge() throws Exception {
    PeerConnection connection = connect();
    peer.visit();
    await().until(connection::isOpen);
    assertThat(connection.ask(question(70_000), heard::add)).isNull();
  }

  @Test
  void asksAPeerThatDoesNotAnswerOnlyNowAndThenUntilItDoes() throws Exception {
    PeerConnection connection = connect();
    Visit visit = peer.visit();
    Asked unanswered = ask(connection);
    unanswered.giveUp();
    assertThat(connection.isOpen()).as("at once").isFalse();
    await().atMost(Duration.ofSeconds(5)).until(connection::isOpen);
    assertThat(connection.isOpen()).as("after one trial").isFalse();
    visit.answer(visit.question().number(), ANSWER);
    await().atMost(Duration.ofMillis(900)).until(connection::isOpen);
    assertThat(connection.isOpen()).as("as often as one likes").isTrue();
    assertThat(heard).as("of what was given up").isEmpty();
  }

  @Test
  void endsAConnectionOnWhichNoFramesCome() throws Exception {
    PeerConnection connection = connect();
    for (int length : new int[] {-1, 0, 7, Integer.MAX_VALUE}) {
      Visit visit = peer.visit();
      ask(connection);
      visit.question();
      visit.raw(ByteBuffer.allocate(16).putInt(length).putLong(1).putInt(0).array());
      assertThat(word()).as("after a length of %s", length).isEqualTo(new Word.Lost());
      assertThat(visit.isEnded()).isTrue();
    }
  }

  @Test
  void takesFramesInWhateverPiecesTheyCome() throws Exception {
    PeerConnection connection = connect();
    Visit visit = peer.visit();
    ask(connection);
    long number = visit.question().number();
    byte[] body = Question.toBytes(ANSWER);
    byte[] frame =
        ByteBuffer.allocate(13 + body.length)
            .putInt(9 + body.length)
            .putLong(number)
            .put(Frames.ANSWER)
            .put(body)
            .array();
    for (byte each : frame) {
      visit.raw(new byte[] {each});
    }
    assertThat(said()).isEqualTo(ANSWER);
  }

  @Test
  void asksThroughTlsWhoeverHasACertificateOfTheAuthorityWithANameInCommon() throws Exception {
    var authority = new TestAuthority("nodes");
    PeerTls ours = tls(authority.issue("holdfast-nodes", "EC", folder.resolve("ours")));
    try (var secured = new ScriptedPeer("the-one", ours)) {
      PeerConnection connection = connectTo(secured, ours);
      Visit visit = secured.visit();
      ask(connection);
      assertAnswered(visit);
    }
  }

  @Test
  void asksNobodyElseThroughTls() throws Exception {
    var authority = TestAuthority.ofSubjects("nodes");
    PeerTls ours = tls(authority.issue("holdfast-nodes", "EC", folder.resolve("ours")));
    PeerTls anotherName = tls(authority.issue("gateway", "EC", folder.resolve("gateway")));
    PeerTls anotherAuthority =
        tls(
            TestAuthority.ofSubjects("nodes")
                .issue("holdfast-nodes", "EC", folder.resolve("theirs")));
    for (PeerTls stranger : new PeerTls[] {anotherName, anotherAuthority}) {
      try (var answering = new ScriptedPeer("the-one", ours);
          var asked = new ScriptedPeer("the-one", stranger)) {
        PeerConnection theirs = connectTo(answering, stranger);
        peerGreets(theirs);
        assertThat(answering.isUnvisited()).isTrue();
        peerGreets(connectTo(asked, ours));
      }
    }
  }

  private static PeerTls tls(TestAuthority.Issued files) {
    return new PeerTls(files.certificate(), files.key(), files.authority());
  }

  private static Question question(int bytes) {
    return new Question(
        OWNER,
        new Command.Open(
            new Request(new RequestId(1, 2), 0, true),
            new SessionId(3, 4),
            null,
            new Json.Obj(Map.of("long", new Json.Text("x".repeat(bytes)))),
            1,
            1),
        false,
        null);
  }

  private PeerConnection connect() {
    return connectTo(peer, null);
  }

  private PeerConnection connectTo(ScriptedPeer other, @Nullable PeerTls tls) {
    PeerConnection connection = PeerConnection.open("test", "the-one", other.address(), tls);
    open.add(connection);
    return connection;
  }

  private Asked ask(PeerConnection connection) {
    await().until(connection::isOpen);
    Asked asked = connection.ask(QUESTION, heard::add);
    assertThat(asked).isNotNull();
    return Objects.requireNonNull(asked);
  }

  private void assertAnswered(Visit visit) throws Exception {
    visit.answer(visit.question().number(), ANSWER);
    assertThat(said()).isEqualTo(ANSWER);
  }

  private Word word() throws InterruptedException {
    Word word = heard.poll(10, TimeUnit.SECONDS);
    assertThat(word).isNotNull();
    return Objects.requireNonNull(word);
  }

  private Answer said() throws InterruptedException {
    return ((Word.Said) word()).answer().get();
  }
}
