package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Limits;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Everything that a user can hold at the limits goes from one node to another over a socket. */
final class LargestMessageTest {

  private static final Limits LIMITS = Limits.defaults();
  private static final Duration IN_TIME = Duration.ofSeconds(20);
  private static final String WIDE = "😀".repeat(256);

  private static final Cart CART =
      new Cart(
          IntStream.range(0, LIMITS.cartLines()).mapToObj(LargestMessageTest::line).toList(),
          Long.MAX_VALUE,
          new Cart.LastOrder("o".repeat(40), Samples.AT));
  private static final List<Session> SESSIONS =
      IntStream.range(0, LIMITS.sessions()).mapToObj(LargestMessageTest::session).toList();

  private static final Answer ALL_SESSIONS =
      new Answer.Answered(
          new Reply.Sessions(
              Samples.SESSION, SESSIONS.stream().map(LargestMessageTest::view).toList()),
          "node-1");
  private static final Answer INSPECTED =
      new Answer.Answered(
          new Reply.Inspected(
              WIDE,
              Long.MAX_VALUE,
              Samples.AT,
              SESSIONS.stream().map(LargestMessageTest::view).toList(),
              CART),
          "node-1");
  private static final Answer CHECKED_OUT =
      new Answer.Answered(
          new Reply.Done(
              new Outcome.CheckedOut(new Order("o".repeat(40), WIDE, CART.lines(), Samples.AT)),
              true,
              Long.MAX_VALUE,
              view(SESSIONS.getFirst())),
          "node-1");
  private static final Command LARGEST_LOG_IN =
      new Command.Admit(
          new LogIn(
              Samples.OTHER,
              WIDE,
              Long.MAX_VALUE,
              MergePolicy.SUM,
              Samples.SESSION,
              MessageSamples.REQUEST,
              Samples.AT),
          SESSIONS.getFirst(),
          CART,
          Long.MAX_VALUE);

  private final ActorTestKit here = ActorTestKit.create("holdfast-1", config());
  private final ActorTestKit there = ActorTestKit.create("holdfast-1", config());

  @AfterEach
  void stop() {
    here.shutdownTestKit();
    there.shutdownTestKit();
  }

  @Test
  void fitsIntoAFrameThatIsNotMuchLarger() {
    Serialization pekko = SerializationExtension.get(here.system());
    int most = MessageSerializer.mostBytes(LIMITS);
    assertThat(pekko.serialize(INSPECTED).get()).hasSizeBetween(most * 9 / 10, most - 8_192);
    assertThat(pekko.serialize(ALL_SESSIONS).get()).hasSizeLessThan(most - 8_192);
    assertThat(pekko.serialize(CHECKED_OUT).get()).hasSizeLessThan(most - 8_192);
  }

  @Test
  void takesUsersAlongWhoWereThereBeforeTheLimitsWereLowered() {
    var low = new Limits(1_024, 64, 5, 1, 1, 1, 1, 1, 1, 1);
    assertThat(MessageSerializer.mostBytes(low)).isEqualTo(MessageSerializer.mostBytes(LIMITS));
  }

  @Test
  void boundsTheFrameWhateverTheLimits() {
    var huge = new Limits(1 << 20, 1 << 20, 10_000, 1, 1_000, 1, 1, 1, 1, 1);
    assertThat(MessageSerializer.mostBytes(huge)).isEqualTo(64 << 20);
  }

  @Test
  void crossesFromNodeToNode() {
    TestProbe<Answer> asker = there.createTestProbe(Answer.class);
    ActorRef<Answer> asked = seenFromHere(asker.getRef());
    asked.tell(ALL_SESSIONS);
    assertThat(asker.receiveMessage(IN_TIME)).isEqualTo(ALL_SESSIONS);
    asked.tell(CHECKED_OUT);
    assertThat(asker.receiveMessage(IN_TIME)).isEqualTo(CHECKED_OUT);
    asked.tell(INSPECTED);
    assertThat(asker.receiveMessage(IN_TIME)).isEqualTo(INSPECTED);

    TestProbe<Addressed> region = there.createTestProbe(Addressed.class);
    TestProbe<Answer> visitor = here.createTestProbe(Answer.class);
    seenFromHere(region.getRef())
        .tell(
            new Addressed(MessageSamples.OWNER, new Message.Ask(LARGEST_LOG_IN, visitor.getRef())));
    Addressed arrived = region.receiveMessage(IN_TIME);
    assertThat(arrived.owner()).isEqualTo(MessageSamples.OWNER);
    if (!(arrived.message() instanceof Message.Ask ask)) {
      throw new AssertionError(arrived);
    }
    assertThat(ask.command()).isEqualTo(LARGEST_LOG_IN);
    ask.replyTo().tell(new Answer.Unknown());
    assertThat(visitor.receiveMessage(IN_TIME)).isEqualTo(new Answer.Unknown());
  }

  private <T> ActorRef<T> seenFromHere(ActorRef<T> there) {
    return ActorRefResolver.get(here.system())
        .resolveActorRef(ActorRefResolver.get(this.there.system()).toSerializationFormat(there));
  }

  private static Config config() {
    return ConfigFactory.parseMap(
            Map.of(
                "pekko.remote.artery.advanced.maximum-frame-size",
                MessageSerializer.mostBytes(LIMITS) + "b"))
        .withFallback(ConfigFactory.load());
  }

  private static Line line(int number) {
    return new Line(
        new Sku("s".repeat(Sku.MAX_LENGTH - 5) + (10_000 + number)),
        LIMITS.quantity(),
        new Price(999_999_999_999_9999L, Price.currency("CLF")),
        WIDE,
        attributes(LIMITS.lineAttributesBytes()));
  }

  private static Session session(int number) {
    return new Session(
        new SessionId(number, -1),
        Integer.MAX_VALUE,
        true,
        attributes(LIMITS.attributesBytes()),
        Samples.AT,
        Samples.AT,
        Samples.AT,
        Samples.AT,
        Long.MAX_VALUE);
  }

  private static Reply.View view(Session session) {
    return new Reply.View(WIDE, session, Samples.AT, CART);
  }

  /** {@return attributes that take just as many bytes as may be} */
  private static Json.Obj attributes(int bytes) {
    Json.Obj empty = Json.Obj.empty().with("a", new Json.Text(""));
    Json.Obj full = Json.Obj.empty().with("a", new Json.Text("x".repeat(bytes - empty.size())));
    assertThat(full.size()).isEqualTo(bytes);
    return full;
  }
}
