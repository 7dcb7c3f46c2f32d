package dev.holdfast.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * One caller's connection to the front: takes its requests one after another, passes each to one
 * node and the answer back. Belongs to one virtual thread; bodies pass through the two buffers.
 *
 * <p>Once the first byte of a request that may change something has been sent to a node, it is
 * never sent anywhere again: what became of it is then that node's answer, or unknown. One that
 * asks for no change is sent to another node when the first one goes without an answer, to none
 * twice.
 */
final class FrontConnection implements Runnable {

  private static final Duration IDLE = Duration.ofSeconds(75);
  private static final Duration RECEIVING = Duration.ofSeconds(30);

  /** Above the longest deadline that a node can be given. */
  private static final Duration ANSWER = Duration.ofSeconds(40);

  private static final Duration TAKING = Duration.ofSeconds(30);
  private static final Duration LINGERING = Duration.ofSeconds(2);
  private static final int LINGERING_BYTES = 1024 * 1024;

  /** Above the limits of a node, whose refusals say what its limits are. */
  private static final int REQUEST_LINE_BYTES = 8 * 1024;

  private static final int HEAD_BYTES = 32 * 1024;

  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /** What comes after a request was passed to a node. */
  private enum Then {
    /** It is answered, and the connection can be used again. */
    NEXT_REQUEST,
    /** It is answered, or cannot be any more. */
    END,
    /** It is not answered, and asking another node does no harm. */
    OTHER_NODE
  }

  private final Wire client;
  private final String caller;
  private final BiFunction<FrontRequest, Set<Backend>, @Nullable Backend> choice;
  private volatile boolean idle = true;
  private volatile boolean stopping;

  /**
   * @param client the caller's connection
   * @param caller its address
   * @param choice who is sent a request, none of those that are given; null if there is nobody
   */
  FrontConnection(
      Wire client,
      String caller,
      BiFunction<FrontRequest, Set<Backend>, @Nullable Backend> choice) {
    this.client = client;
    this.caller = caller;
    this.choice = choice;
  }

  /** Lets the request in hand be answered, and takes no other. */
  void stop() {
    stopping = true;
    if (idle) {
      client.close();
    }
  }

  @Override
  public void run() {
    try {
      boolean more = true;
      while (more && !stopping) {
        client.limit(IDLE);
        if (client.available() == 0 && !client.fill()) {
          return;
        }
        idle = false;
        client.limit(RECEIVING);
        more = serve();
        idle = true;
      }
    } catch (Head.Malformed refused) {
      refuse(refused);
    } catch (Wire.Broken gone) {
      // The caller went, or was too slow: there is nobody to tell.
    } finally {
      client.close();
    }
  }

  private void refuse(Head.Malformed refused) {
    try {
      client.limit(TAKING);
      client.write(FrontAnswer.refused(refused).bytes(true, false));
      client.linger(LINGERING, LINGERING_BYTES);
    } catch (Wire.Broken gone) {
      // The caller did not wait for the answer.
    }
  }

  /**
   * {@return whether another request may follow}
   *
   * @throws Head.Malformed if the caller sent what is no request
   * @throws Wire.Broken if the caller's connection failed
   */
  private boolean serve() throws Head.Malformed, Wire.Broken {
    FrontRequest request = FrontRequest.of(client.head(REQUEST_LINE_BYTES, HEAD_BYTES));
    var tried = new HashSet<Backend>(2);
    for (Backend node = choice.apply(request, tried);
        node != null;
        node = choice.apply(request, tried)) {
      node.enter();
      try {
        Wire wire = connect(node);
        Then then = wire == null ? Then.OTHER_NODE : exchange(request, node, wire);
        if (then != Then.OTHER_NODE) {
          return then == Then.NEXT_REQUEST;
        }
      } finally {
        node.leave();
      }
      tried.add(node);
    }
    return answer(request, FrontAnswer.noNode(), request.hasBody());
  }

  private static @Nullable Wire connect(Backend node) {
    try {
      return node.connection();
    } catch (IOException refused) {
      node.suspect();
      return null;
    }
  }

  private Then exchange(FrontRequest request, Backend node, Wire wire)
      throws Head.Malformed, Wire.Broken {
    boolean reusable = false;
    try {
      boolean sent;
      try {
        sent = send(request, wire);
      } catch (Wire.Broken broken) {
        if (broken.wire() == client) {
          throw broken;
        }
        // It may have said why before it stopped reading.
        sent = false;
      }
      wire.limit(ANSWER);
      client.noLimit();
      Head head;
      int status;
      Framing framing;
      try {
        do {
          head = wire.head(HEAD_BYTES, HEAD_BYTES);
          status = Backend.status(head);
        } while (status < 200);
        framing = Framing.ofAnswer(head, request.method(), status);
      } catch (Wire.Broken | Head.Malformed none) {
        node.suspect();
        if (none instanceof Wire.Broken && isWorthAnotherNode(request, wire)) {
          return Then.OTHER_NODE;
        }
        return then(answer(request, FrontAnswer.outcomeUnknown(request), !sent));
      }
      boolean last =
          stopping || !sent || !request.keepsAlive() || framing instanceof Framing.UntilEnd;
      boolean whole = relay(head, framing, wire, last);
      reusable = whole && sent && !head.lists("Connection", "close") && wire.available() == 0;
      if (whole && !sent) {
        client.linger(LINGERING, LINGERING_BYTES);
      }
      return then(whole && !last);
    } finally {
      if (reusable) {
        node.release(wire);
      } else {
        wire.close();
      }
    }
  }

  /**
   * {@return whether a request whose node went without an answer is sent to another one} Not one
   * that had a body, which has passed and is gone; and not after a whole wait for an answer, since
   * nobody knows whether the caller would wait for another.
   */
  private static boolean isWorthAnotherNode(FrontRequest request, Wire wire) {
    return request.isSafe() && !request.hasBody() && wire.endLimit();
  }

  private static Then then(boolean more) {
    return more ? Then.NEXT_REQUEST : Then.END;
  }

  // ---------------------------------------------------------------------------------------------
  // To the node

  /**
   * {@return whether the whole request was sent; if not, the node has answered before it had it}
   */
  private boolean send(FrontRequest request, Wire wire) throws Head.Malformed, Wire.Broken {
    wire.limit(RECEIVING);
    byte[] head = request.forwarded(caller);
    return switch (request.framing()) {
      case Framing.Sized(long bytes) -> {
        int ready = (int) Math.min(bytes, client.available());
        wire.write(head, client, ready);
        yield sendRest(request, wire, bytes - ready);
      }
      case Framing.Chunked _ -> {
        var chunks = new Chunks();
        // Looked at before anything is sent: what is no body is refused before it reaches a node.
        wire.write(head, client, follow(chunks, client));
        while (!chunks.isDone()) {
          if (!more(request, wire)) {
            yield false;
          }
          wire.write(client, follow(chunks, client));
        }
        yield true;
      }
      case Framing.UntilEnd _ -> throw new IllegalStateException("no request ends like that");
    };
  }

  private boolean sendRest(FrontRequest request, Wire wire, long bytes)
      throws Head.Malformed, Wire.Broken {
    long left = bytes;
    while (left > 0) {
      if (!more(request, wire)) {
        return false;
      }
      int now = (int) Math.min(left, client.available());
      wire.write(client, now);
      left -= now;
    }
    return true;
  }

  /** Waits for more of the body; false if there is no use in it, since the node has answered. */
  private boolean more(FrontRequest request, Wire wire) throws Head.Malformed, Wire.Broken {
    if (wire.hasNews()) {
      return false;
    }
    if (request.awaitsContinue()) {
      client.write(CONTINUE);
    }
    if (!client.fill()) {
      throw new Head.Malformed("the body is cut short");
    }
    return true;
  }

  private static int follow(Chunks chunks, Wire wire) throws Head.Malformed {
    return chunks.follow(wire.buffer(), wire.position(), wire.position() + wire.available());
  }

  // ---------------------------------------------------------------------------------------------
  // To the caller

  private boolean answer(FrontRequest request, FrontAnswer answer, boolean last)
      throws Wire.Broken {
    boolean closes = last || stopping || !request.keepsAlive();
    client.limit(TAKING);
    client.write(answer.bytes(closes, request.method().equals("HEAD")));
    if (last) {
      client.linger(LINGERING, LINGERING_BYTES);
    }
    return !closes;
  }

  /**
   * Passes an answer on.
   *
   * @return whether all of it came; if not, the caller must be left with a broken connection
   */
  private boolean relay(Head head, Framing framing, Wire wire, boolean last) throws Wire.Broken {
    byte[] bytes =
        head.bytes(
            head.start(), FrontRequest::isForTheNextHopToo, last ? "Connection: close\r\n" : "");
    boolean endless = isEventStream(head);
    var body = new Body(framing);
    try {
      client.limit(TAKING);
      client.write(bytes, wire, body.follow(wire));
      while (!body.isDone()) {
        client.noLimit();
        if (endless) {
          wire.noLimit();
        } else {
          wire.limit(ANSWER);
        }
        if (!wire.fill()) {
          return framing instanceof Framing.UntilEnd;
        }
        client.limit(TAKING);
        client.write(wire, body.follow(wire));
      }
      return true;
    } catch (Head.Malformed nonsense) {
      return false;
    } catch (Wire.Broken broken) {
      if (broken.wire() == client) {
        throw broken;
      }
      return false;
    }
  }

  private static boolean isEventStream(Head head) {
    String type = head.first("Content-Type");
    return type != null && type.toLowerCase(Locale.ROOT).startsWith("text/event-stream");
  }

  /** The body of an answer as it passes. */
  private static final class Body {
    private final Framing framing;
    private final Chunks chunks = new Chunks();
    private long left;

    Body(Framing framing) {
      this.framing = framing;
      this.left = framing instanceof Framing.Sized(long bytes) ? bytes : 0;
    }

    boolean isDone() {
      return switch (framing) {
        case Framing.Sized _ -> left == 0;
        case Framing.Chunked _ -> chunks.isDone();
        case Framing.UntilEnd _ -> false;
      };
    }

    /** {@return how many of the available bytes belong to it} */
    int follow(Wire wire) throws Head.Malformed {
      return switch (framing) {
        case Framing.Sized _ -> {
          int now = (int) Math.min(left, wire.available());
          left -= now;
          yield now;
        }
        case Framing.Chunked _ -> FrontConnection.follow(chunks, wire);
        case Framing.UntilEnd _ -> wire.available();
      };
    }
  }
}
