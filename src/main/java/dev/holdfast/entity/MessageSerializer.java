package dev.holdfast.entity;

import dev.holdfast.user.Limits;
import java.io.NotSerializableException;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Turns what {@linkplain CrossesNodes crosses nodes} into bytes and back. The manifest names kind
 * and version of a message; what a version holds is {@link MessageCodec}'s matter. Whatever cannot
 * be read fails with a {@link NotSerializableException}, upon which the message is logged and
 * dropped, and whoever asked asks again.
 */
public final class MessageSerializer extends SerializerWithStringManifest {

  static final String ASK = "ask.v1";
  static final String ANSWER = "answer.v1";
  static final String LISTEN = "listen.v1";
  static final String TOLD = "told.v1";

  /** SKU, quantity, price, a name of 256 characters of four bytes, and the lengths of all. */
  private static final int LINE_BYTES = 1_200;

  /** Ids, times, a user id of 256 characters, and the lengths of all. */
  private static final int SESSION_BYTES = 1_300;

  /** What Pekko puts before a message (paths of actors), and the rest of ours. */
  private static final int AROUND_BYTES = 16 << 10;

  private static final int MOST_BYTES = 64 << 20;

  private final ExtendedActorSystem system;
  private final int identifier;

  /** As Pekko makes it. */
  public MessageSerializer(ExtendedActorSystem system) {
    this.system = system;
    this.identifier =
        system
            .settings()
            .config()
            .getConfig("pekko.actor.serialization-identifiers")
            .getInt('"' + MessageSerializer.class.getName() + '"');
  }

  /**
   * {@return how large a message between nodes can be at most, in bytes, with what Pekko puts
   * before it; 64 MiB where the limits allow more, at which a single user's answer would stop
   * everybody's}
   *
   * <p>That is either all sessions of a user with their cart twice, as an administrator is told, or
   * one session with a cart and the order that an equal cart became before. Questions are smaller.
   * Users who became as large as they are under the default limits cross under lower ones, too.
   */
  public static int mostBytes(Limits limits) {
    Limits usual = Limits.defaults();
    long lines = Math.max(limits.cartLines(), usual.cartLines());
    long line =
        (long) Math.max(limits.lineAttributesBytes(), usual.lineAttributesBytes()) + LINE_BYTES;
    long session =
        (long) Math.max(limits.attributesBytes(), usual.attributesBytes()) + SESSION_BYTES;
    long sessions = Math.max(limits.sessions(), usual.sessions());
    long most = sessions * session + 2 * lines * line;
    return (int) Math.min(AROUND_BYTES + most, MOST_BYTES);
  }

  @Override
  public int identifier() {
    return identifier;
  }

  @Override
  public String manifest(Object message) {
    return switch (crossing(message)) {
      case Addressed(_, Message.Listen _) -> LISTEN;
      case Addressed _ -> ASK;
      case Answer _ -> ANSWER;
      case Told _ -> TOLD;
    };
  }

  @Override
  public byte[] toBinary(Object message) {
    var out = new MessageWriter();
    switch (crossing(message)) {
      case Addressed addressed -> MessageCodec.write(out, addressed, refs());
      case Answer answer -> MessageCodec.write(out, answer);
      case Told told -> MessageCodec.write(out, told);
    }
    return out.toBytes();
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    var in = new MessageReader(bytes);
    try {
      return switch (manifest) {
        case ASK -> MessageCodec.readAddressed(in, refs());
        case ANSWER -> MessageCodec.readAnswer(in);
        case LISTEN -> MessageCodec.readListen(in, refs());
        case TOLD -> MessageCodec.readTold(in);
        default -> throw new IllegalArgumentException("this version knows no such message");
      };
    } catch (IllegalArgumentException e) {
      var refused = new NotSerializableException("a message " + manifest + ": " + e.getMessage());
      refused.initCause(e);
      throw refused;
    }
  }

  /** Not before a message comes: the extension may not be there when serializers are made. */
  private ActorRefResolver refs() {
    return ActorRefResolver.get(Adapter.toTyped(system));
  }

  private static CrossesNodes crossing(Object message) {
    if (message instanceof CrossesNodes crossing) {
      return crossing;
    }
    throw new IllegalArgumentException(message.getClass().getName() + " does not cross nodes");
  }
}
