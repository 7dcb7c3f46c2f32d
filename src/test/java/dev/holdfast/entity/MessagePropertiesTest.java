package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.io.NotSerializableException;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;

@PropertyDefaults(tries = 1_000, edgeCases = EdgeCasesMode.NONE)
final class MessagePropertiesTest {

  private static final ActorTestKit KIT = ActorTestKit.create("holdfast-1", ConfigFactory.load());
  private static final AnyMessages ANY =
      new AnyMessages(
          ActorRefResolver.get(KIT.system())
              .resolveActorRef("pekko://holdfast-7@127.0.0.1:25520/temp/user$aB"));

  private final MessageSerializer serializer =
      new MessageSerializer((ExtendedActorSystem) Adapter.toClassic(KIT.system()));

  @AfterContainer
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Provide
  Arbitrary<Addressed> questions() {
    return ANY.of(Addressed.class);
  }

  @Provide
  Arbitrary<Answer> answers() {
    return ANY.of(Answer.class);
  }

  @Property
  void bringsEveryQuestionOverAsItWas(@ForAll("questions") Addressed question)
      throws NotSerializableException {
    bringsOver(question);
  }

  @Property
  void bringsEveryAnswerOverAsItWas(@ForAll("answers") Answer answer)
      throws NotSerializableException {
    bringsOver(answer);
  }

  @Provide
  Arbitrary<Told> words() {
    return ANY.of(Told.class);
  }

  @Property
  void bringsEveryWordOverAsItWas(@ForAll("words") Told told) throws NotSerializableException {
    bringsOver(told);
  }

  /** As it was, and so that what is equal has equal bytes. */
  private void bringsOver(CrossesNodes message) throws NotSerializableException {
    byte[] bytes = serializer.toBinary(message);
    Object other = serializer.fromBinary(bytes, serializer.manifest(message));
    assertThat(other).isEqualTo(message);
    assertThat(serializer.toBinary(other)).isEqualTo(bytes);
  }

  @Property
  void neverFailsOtherwiseThanByRefusing(@ForAll byte[] bytes) {
    for (String manifest :
        new String[] {
          MessageSerializer.ASK,
          MessageSerializer.ANSWER,
          MessageSerializer.LISTEN,
          MessageSerializer.TOLD
        }) {
      try {
        serializer.fromBinary(bytes, manifest);
      } catch (NotSerializableException refused) {
        assertThat(refused).hasCauseInstanceOf(IllegalArgumentException.class);
      }
    }
  }
}
