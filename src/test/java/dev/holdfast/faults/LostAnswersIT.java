package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drill.Api;
import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.NoAnswer;
import dev.holdfast.drill.ApiClient.Sent;
import dev.holdfast.drill.History;
import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Refused;
import dev.holdfast.drill.History.Unknown;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.Shopper.How;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Answers that are lost on their way, however often. */
@Timeout(60)
class LostAnswersIT {

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path data;

  private final History history = new History();

  @Test
  void ofARotationLeaveABrowserOutUntilItAsksForTheSameAgain() {
    var lost = new AtomicInteger();
    Shopper shopper = Shopper.ofUser(losing(lost), history, "lea", "lea");
    shopper.open();
    shopper.putLine("lamp", "of lea", How.keyed("lamp"));
    assertThat(shopper.mayHaveLostItsToken()).isFalse();

    lost.set(3);
    assertThat(shopper.rotate(How.keyed("rotation"))).isInstanceOf(Unknown.class);
    assertThat(shopper.repeatLast()).isInstanceOf(Unknown.class);
    assertThat(shopper.repeatLast()).isInstanceOf(Unknown.class);

    assertThat(shopper.mayHaveLostItsToken()).isTrue();
    assertThat(shopper.look()).as("with the token that the rotation ended").isNull();
    shopper.repeatAll();
    assertThat(shopper.mayHaveLostItsToken()).isFalse();
    assertThat(shopper.look()).as("with the token that it made").isNotNull();
    shopper.tryDeadTokens();
    assertThat(HistoryChecker.check(history)).isEmpty();
  }

  @Test
  void proveOfNoTokenThatItWorksWhenTheSessionIsOpenedAgain() {
    var lost = new AtomicInteger();
    Shopper shopper = Shopper.ofUser(losing(lost), history, "mia", "mia");
    shopper.open();

    lost.set(1);
    assertThat(shopper.rotate(How.plainly())).isInstanceOf(Unknown.class);
    assertThat(shopper.putLine("lamp", "of mia", How.plainly())).isInstanceOf(Refused.class);

    shopper.repeatAll();
    assertThat(history.operations().getFirst().attempts().getLast().outcome())
        .isInstanceOfSatisfying(Acknowledged.class, open -> assertThat(open.replayed()).isTrue());
    assertThat(HistoryChecker.check(history)).isEmpty();
  }

  /** The program, from which so many of the next answers do not come back. */
  private Api losing(AtomicInteger lost) {
    var api = new ApiClient(program.serve(data).url());
    return call -> {
      Sent sent = api.send(call);
      return lost.getAndUpdate(left -> Math.max(0, left - 1)) > 0 ? lost(sent, call) : sent;
    };
  }

  private static Sent lost(Sent sent, Call call) {
    return new NoAnswer(new IOException("lost: " + call), sent.begun(), sent.ended());
  }
}
