package dev.holdfast.entity;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class AwakeUsersTest {

  private static final Duration A_MOMENT = Duration.ofMillis(100);

  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5); // it may run over
  private final AwakeUsers awake = new AwakeUsers(clock::get);
  private ActorTestKit kit;

  @BeforeEach
  void start() {
    kit = ActorTestKit.create();
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void tellsNobodyToRestBeforeTheTime() {
    TestProbe<Message> user = kit.createTestProbe(Message.class);
    awake.note(user.getRef());
    clock.addAndGet(AwakeUsers.REST_NANOS - 1);
    awake.sweep();
    user.expectNoMessage(A_MOMENT);
  }

  @Test
  void tellsEachToRestOnceAndInTheirOrder() {
    TestProbe<Message> early = kit.createTestProbe(Message.class);
    TestProbe<Message> late = kit.createTestProbe(Message.class);
    awake.note(early.getRef());
    clock.addAndGet(AwakeUsers.REST_NANOS / 2);
    awake.note(late.getRef());
    clock.addAndGet(AwakeUsers.REST_NANOS / 2 + 1);
    awake.sweep();
    early.expectMessageClass(Message.Rest.class);
    late.expectNoMessage(A_MOMENT);
    clock.addAndGet(AwakeUsers.REST_NANOS / 2);
    awake.sweep();
    late.expectMessageClass(Message.Rest.class);
    early.expectNoMessage(A_MOMENT);
  }

  @Test
  void keepsNothingOfThoseThatHaveEndedAndLosesNoTimeOnThem() {
    TestProbe<Message> user = kit.createTestProbe(Message.class);
    for (int i = 0; i < 10 * AwakeUsers.MOST_A_SWEEP; i++) {
      awake.note(user.getRef()).takeBack();
    }
    awake.note(user.getRef());
    clock.addAndGet(AwakeUsers.REST_NANOS);
    awake.sweep();
    user.expectMessageClass(Message.Rest.class);
    user.expectNoMessage(A_MOMENT);
  }

  @Test
  void tellsOnlySoManyAtATime() {
    TestProbe<Message> users = kit.createTestProbe(Message.class);
    for (int i = 0; i <= AwakeUsers.MOST_A_SWEEP; i++) {
      awake.note(users.getRef());
    }
    clock.addAndGet(AwakeUsers.REST_NANOS);
    awake.sweep();
    users.receiveSeveralMessages(AwakeUsers.MOST_A_SWEEP);
    users.expectNoMessage(A_MOMENT);
    awake.sweep();
    users.expectMessageClass(Message.Rest.class);
  }
}
