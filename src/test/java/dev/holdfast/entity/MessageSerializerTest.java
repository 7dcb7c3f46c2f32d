package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.GoldenFile;
import dev.holdfast.cart.Cart;
import dev.holdfast.user.Command;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Reply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The golden file holds the bytes of each message as other nodes send them. It may be added to,
 * never changed: while a cluster is upgraded, nodes of two versions talk to each other.
 */
final class MessageSerializerTest {

  /** Where somebody on another node waits for the answer. */
  private static final String REPLY_TO = "pekko://holdfast-7@127.0.0.1:25520/temp/user$aB";

  private static final ActorTestKit KIT = ActorTestKit.create("holdfast-1", ConfigFactory.load());
  private static final ActorRef<Answer> ASKER =
      ActorRefResolver.get(KIT.system()).resolveActorRef(REPLY_TO);
  private static final Map<String, CrossesNodes> MESSAGES = MessageSamples.all(ASKER);

  private final MessageSerializer serializer =
      new MessageSerializer((ExtendedActorSystem) Adapter.toClassic(KIT.system()));

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @TestFactory
  Stream<DynamicTest> bringsEveryMessageOverAsItWas() {
    return each(message -> {
      byte[] bytes = serializer.toBinary(message);
      assertThat(serializer.fromBinary(bytes, serializer.manifest(message))).isEqualTo(message);
    });
  }

  @Test
  void hasASampleOfEveryVariant() {
    var seen = new HashSet<Class<?>>();
    MESSAGES.values().forEach(message -> collect(message, seen));
    for (Class<?> type :
        List.of(
            CrossesNodes.class,
            Command.class,
            Command.Action.class,
            Precondition.class,
            Reply.class,
            Outcome.class)) {
      assertThat(seen).as(type.getSimpleName()).containsAll(variants(type));
    }
  }

  @Test
  void sendsEveryMessageInTheBytesOfTheGoldenFile() throws IOException {
    var written = new LinkedHashMap<String, String>();
    MESSAGES.forEach((name, message) -> written.put(name, hex(serializer.toBinary(message))));
    assertThat(written).isEqualTo(GoldenFile.named("messages.v1.txt"));
  }

  @Test
  void understandsTheBytesOfTheGoldenFile() throws IOException {
    for (var line : GoldenFile.named("messages.v1.txt").entrySet()) {
      CrossesNodes message = MESSAGES.get(line.getKey());
      byte[] bytes = HexFormat.of().parseHex(line.getValue());
      assertThat(serializer.fromBinary(bytes, manifest(message)))
          .as(line.getKey())
          .isEqualTo(message);
    }
  }

  @Test
  void carriesTheTraceOfAQuestion() throws NotSerializableException {
    var traced =
        new Addressed(
            MessageSamples.OWNER,
            new Message.Ask(
                new Command.AskEpoch(),
                new Asker.ByMessage(ASKER),
                false,
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assertThat(serializer.fromBinary(serializer.toBinary(traced), "ask.v1")).isEqualTo(traced);
  }

  @Test
  void understandsAQuestionOfBeforeThereWereTraces() throws NotSerializableException {
    var untraced =
        new Addressed(MessageSamples.OWNER, new Message.Ask(new Command.AskEpoch(), ASKER));
    byte[] bytes = serializer.toBinary(untraced);
    byte[] earlier = Arrays.copyOf(bytes, bytes.length - 1);
    assertThat(serializer.fromBinary(earlier, "ask.v1")).isEqualTo(untraced);
  }

  /** Whatever its class path holds, nobody can have a node make objects of it. */
  @Test
  void leavesNothingToJavasOwnSerialization() throws IOException {
    Serialization pekko = SerializationExtension.get(KIT.system());
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(new ArrayList<>(List.of("a gadget")));
    }
    // By the number and the manifest that a message names in its envelope.
    for (int java : new int[] {1, 16}) {
      var read = pekko.deserialize(bytes.toByteArray(), java, ArrayList.class.getName());
      assertThat(read.isFailure()).as("serializer %d", java).isTrue();
    }
    assertThat(pekko.serialize(new ArrayList<>(List.of("a gadget"))).isFailure()).isTrue();
  }

  @Test
  void isWhatPekkoUsesForEverythingThatCrosses() {
    Serialization pekko = SerializationExtension.get(KIT.system());
    assertThat(serializer.identifier()).isEqualTo(4404);
    MESSAGES.forEach((name, message) -> {
      assertThat(pekko.findSerializerFor(message)).as(name).isInstanceOf(MessageSerializer.class);
      assertThat(serializer.manifest(message)).isEqualTo(manifest(message));
    });
  }

  private static String manifest(@Nullable CrossesNodes message) {
    return switch (message) {
      case Answer _ -> "answer.v1";
      case Told _ -> "told.v1";
      case Addressed(_, Message.Listen _) -> "listen.v1";
      case Addressed _ -> "ask.v1";
      case null -> throw new AssertionError("a golden message that is no more");
    };
  }

  @Test
  void sendsNothingThatIsOfOneNodeOnly() {
    for (Message message :
        new Message[] {
          new Message.AdmissionCame(new Answer.Unknown()),
          new Message.AdmissionLate(),
          new Message.PurgeEnded(true),
          new Message.ErasureEnded(1, 1, true),
          new Message.EraseAgain(),
          new Message.Stop()
        }) {
      assertThatThrownBy(() -> serializer.toBinary(new Addressed(MessageSamples.OWNER, message)))
          .as(message.toString())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(message.getClass().getSimpleName() + " is of one node only");
    }
  }

  @Test
  void sendsTheCartOfManySessionsOnce() throws NotSerializableException {
    var emptyHanded = new Reply.View("ada", MessageSamples.SESSION, 0, Cart.empty());
    var shopping = new Reply.View("ada", MessageSamples.SESSION, 0, MessageSamples.CART);
    int oneCart = sessions(shopping).length - sessions(emptyHanded).length;
    assertThat(
            sessions(shopping, shopping, shopping).length
                - sessions(emptyHanded, emptyHanded, emptyHanded).length)
        .isCloseTo(oneCart, within(2)); // the counts of bytes around it

    var read = serializer.fromBinary(sessions(shopping, emptyHanded, shopping), "answer.v1");
    assertThat(read)
        .isEqualTo(
            new Answer.Answered(
                new Reply.Sessions(Samples.SESSION, List.of(shopping, emptyHanded, shopping)),
                "node-1"));
  }

  private byte[] sessions(Reply.View... views) {
    return serializer.toBinary(
        new Answer.Answered(new Reply.Sessions(Samples.SESSION, List.of(views)), "node-1"));
  }

  @TestFactory
  Stream<DynamicTest> passesOverFieldsThatALaterVersionAdded() {
    return each(message -> {
      MessageWriter later =
          new MessageWriter() {
            @Override
            void endOfFields() {
              number(0); // one that this version would have left out, being the default
              text("later");
            }
          };
      write(message, later);
      assertThat(serializer.fromBinary(later.toBytes(), serializer.manifest(message)))
          .isEqualTo(message);
    });
  }

  @Test
  void refusesAMessageOfALaterVersion() {
    byte[] bytes = serializer.toBinary(new Answer.Unknown());
    for (String manifest : new String[] {"answer.v2", "ask.v2", "", "dev.holdfast.entity.Answer"}) {
      assertThatThrownBy(() -> serializer.fromBinary(bytes, manifest))
          .isInstanceOf(NotSerializableException.class)
          .hasMessageContaining("a message " + manifest + ": this version knows no such message");
    }
  }

  @Test
  void refusesAVariantThatItDoesNotKnow() {
    refuses("answer.v1", "this version knows no answer 5", out -> out.count(5));
    refuses(
        "answer.v1",
        "this version knows no reply 77",
        out -> {
          out.count(1);
          out.struct(77, MessageWriter::count);
        });
    refuses(
        "answer.v1",
        "this version knows no Cause 3",
        out -> {
          out.count(2);
          out.count(3);
        });
    refusesCommand("this version knows no command 99", out -> out.count(99));
  }

  @TestFactory
  Stream<DynamicTest> refusesWhateverWasCutOff() {
    return each(message -> {
      byte[] bytes = serializer.toBinary(message);
      // A question may end before its trace, of which there is none here: earlier versions' do.
      int whole = bytes.length - (message instanceof Addressed(_, Message.Ask _) ? 1 : 0);
      for (int length = 0; length < whole; length++) {
        assertThat(reading(Arrays.copyOf(bytes, length), serializer.manifest(message)))
            .as("the first %d bytes", length)
            .isNull();
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> survivesEveryFlippedBit() {
    return each(message -> {
      byte[] bytes = serializer.toBinary(message);
      for (int bit = 0; bit < Byte.SIZE * bytes.length; bit++) {
        byte[] damaged = bytes.clone();
        damaged[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
        reading(damaged, serializer.manifest(message));
      }
    });
  }

  @Test
  void makesNothingOfACountWithoutItsBytes() {
    refuses("answer.v1", "the bytes end too early", sessions(out -> out.count(Integer.MAX_VALUE)));
    refuses(
        "answer.v1",
        "the bytes end too early",
        out -> {
          out.count(1);
          out.count(Integer.MAX_VALUE);
        });
    refuses("answer.v1", "a count is too great", sessions(out -> out.number(Long.MAX_VALUE)));
    refuses(
        "answer.v1",
        "a number does not end",
        sessions(out -> {
          out.bits(-1);
          out.bits(-1);
        }));
    refusesCommand(
        "the bytes end too early",
        out -> {
          out.count(8);
          out.count(Integer.MAX_VALUE);
        });
  }

  @Test
  void refusesJsonThatIsNestedTooDeeply() {
    refusesAttribute("[".repeat(100_000));
    refusesAttribute("[".repeat(101) + "]".repeat(101));
  }

  @Test
  void refusesWhatIsNotJson() {
    for (String text : new String[] {"{", "nul", "1 2", "\"\\ud800\"", "{\"a\":1,\"a\":2}"}) {
      refusesAttribute(text);
    }
  }

  @Test
  void refusesATextThatIsNotUtf8() {
    refusesCommand(
        "a text is not UTF-8",
        out -> {
          out.count(7);
          out.struct(
              -1L,
              (settled, bits) -> {
                settled.count(7);
                settled.struct(
                    bits,
                    (refusal, detail) -> {
                      refusal.count(0);
                      refusal.count(Long.BYTES);
                      refusal.bits(detail);
                    });
              });
        });
  }

  @Test
  void refusesToSendATextThatHasNoForm() {
    var half =
        new Command.Act(
            MessageSamples.ACCESS,
            MessageSamples.REQUEST,
            Precondition.None.none(),
            new Command.Action.RemoveAttribute("\ud800"));
    assertThatThrownBy(() ->
            serializer.toBinary(new Addressed(MessageSamples.OWNER, new Message.Ask(half, ASKER))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a text holds half a surrogate pair");
  }

  // -------------------------------------------------------------------------------------------

  @FunctionalInterface
  private interface Trial {
    void of(CrossesNodes message) throws Exception;
  }

  private static Stream<DynamicTest> each(Trial trial) {
    return MESSAGES.entrySet().stream()
        .map(sample -> DynamicTest.dynamicTest(sample.getKey(), () -> trial.of(sample.getValue())));
  }

  private void write(CrossesNodes message, MessageWriter out) {
    switch (message) {
      case Addressed addressed ->
          MessageCodec.write(out, addressed, ActorRefResolver.get(KIT.system()));
      case Answer answer -> MessageCodec.write(out, answer);
      case Told told -> MessageCodec.write(out, told);
    }
  }

  /** {@return what the bytes say, or null if they were refused in the one way there is} */
  private @Nullable Object reading(byte[] bytes, String manifest) {
    try {
      return serializer.fromBinary(bytes, manifest);
    } catch (NotSerializableException refused) {
      assertThat(refused).hasCauseInstanceOf(IllegalArgumentException.class);
      return null;
    }
  }

  private void refuses(String manifest, String why, Consumer<MessageWriter> writing) {
    var out = new MessageWriter();
    writing.accept(out);
    assertThatThrownBy(() -> serializer.fromBinary(out.toBytes(), manifest))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining(why);
  }

  private void refusesCommand(String why, Consumer<MessageWriter> writing) {
    refuses(
        "ask.v1",
        why,
        out -> {
          out.bits(1);
          out.bits(2);
          out.text(REPLY_TO);
          out.struct(writing, (to, command) -> command.accept(to));
        });
  }

  /** An answer with the sessions of a user, up to their count. */
  private static Consumer<MessageWriter> sessions(Consumer<MessageWriter> count) {
    return out -> {
      out.count(1);
      out.struct(
          count,
          (to, rest) -> {
            to.count(3);
            to.bits(1);
            to.bits(2);
            rest.accept(to);
          });
    };
  }

  private void refusesAttribute(String json) {
    refusesCommand(
        "JSON",
        out -> {
          out.count(3);
          out.bits(1); // the request
          out.bits(2);
          out.bits(3);
          out.flag(true);
          out.bits(4); // the session
          out.bits(5);
          out.textOrNull(null);
          out.text(json);
        });
  }

  /** {@return the records of a sealed type, those of its sealed subtypes among them} */
  private static Set<Class<?>> variants(Class<?> type) {
    return Arrays.stream(type.getPermittedSubclasses())
        .flatMap(variant -> variant.isSealed() ? variants(variant).stream() : Stream.of(variant))
        .collect(Collectors.toSet());
  }

  private static void collect(Object value, Set<Class<?>> seen) {
    seen.add(value.getClass());
    if (value instanceof List<?> items) {
      items.forEach(item -> collect(item, seen));
    }
    if (value instanceof Record) {
      for (var component : value.getClass().getRecordComponents()) {
        Object part = part(value, component);
        if (part != null) {
          collect(part, seen);
        }
      }
    }
  }

  private static @Nullable Object part(Object value, RecordComponent component) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(value.getClass().getName(), e);
    }
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
