package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Answers that are lost on their way, however often. */
@Timeout(60)
class LostAnswersIT {

  @RegisterExtension private static final Program PROGRAM = Program.forTheClass();

  @TempDir private static Path data;

  @SuppressWarnings("NullAway.Init") // set before all tests
  private static ApiClient api;

  private final History history = new History();

  /** How many of the next answers are lost. */
  private final AtomicInteger lost = new AtomicInteger();

  @BeforeAll
  static void serve() {
    api = new ApiClient(PROGRAM.serve(data).url());
  }

  @Test
  void ofARotationLeaveABrowserOutUntilItAsksForTheSameAgain() {
    Shopper shopper = Shopper.ofUser(this::send, history, "lea", "lea");
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
    Shopper shopper = Shopper.ofUser(this::send, history, "mia", "mia");
    shopper.open();

    lost.set(1);
    assertThat(shopper.rotate(How.plainly())).isInstanceOf(Unknown.class);
    assertThat(shopper.putLine("lamp", "of mia", How.plainly())).isInstanceOf(Refused.class);

    shopper.repeatAll();
    assertThat(history.operations().getFirst().attempts().getLast().outcome())
        .isInstanceOfSatisfying(Acknowledged.class, open -> assertThat(open.replayed()).isTrue());
    assertThat(HistoryChecker.check(history)).isEmpty();
  }

  private Sent send(Call call) {
    Sent sent = api.send(call);
    return lost.getAndUpdate(left -> Math.max(0, left - 1)) > 0
        ? new NoAnswer(new IOException("lost: " + call), sent.begun(), sent.ended())
        : sent;
  }
}
