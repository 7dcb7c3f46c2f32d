package dev.holdfast.peer;

import dev.holdfast.entity.Question;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way from this node to the users in use on another one, held until it is closed and made anew
 * when it breaks. There is one for each process: another one at the same address is not asked.
 *
 * <p>Nobody waits for the connection. No more is under way than the kernel takes off a writer, so
 * writing does not wait for a peer that reads nothing; and one that does not answer is not asked,
 * but now and then to see whether it does again.
 */
public final class PeerConnection implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PeerConnection.class);

  private static final int HANDSHAKE_MILLIS = 2_000;
  private static final long FIRST_PAUSE_MILLIS = 50;
  private static final long LONGEST_PAUSE_MILLIS = 5_000;

  /** Of questions that the peer is not known to have read; with room for one more of any size. */
  private static final int MOST_UNREAD_BYTES = 128 << 10;

  /** What the kernel keeps for a reader at the least. */
  private static final int BUFFER_BYTES = 2 * (MOST_UNREAD_BYTES + Frames.MOST_BYTES);

  private static final int MOST_QUESTIONS = 1_024;

  /** One that has not answered is tried so often. */
  private static final long TRIAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** One that has not answered for so long may not even know of the connection. */
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(15);

  private final String name;
  private final InetSocketAddress address;
  private final String id;
  private final @Nullable PeerTls tls;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile @Nullable Socket socket;
  private volatile @Nullable Live live;

  private PeerConnection(String name, String id, InetSocketAddress address, @Nullable PeerTls tls) {
    this.name = name;
    this.id = id;
    this.address = address;
    this.tls = tls;
  }

  /**
   * Begins to connect.
   *
   * @param name for the log
   * @param id of the process that is meant
   * @param tls null to go without
   */
  public static PeerConnection open(
      String name, String id, InetSocketAddress address, @Nullable PeerTls tls) {
    var connection = new PeerConnection(name, id, address, tls);
    Thread.ofPlatform().daemon().name("holdfast-peer-" + name).start(connection::run);
    return connection;
  }

  // ---------------------------------------------------------------------------------------------
  // Asking

  /** {@return whether it makes sense to ask now} */
  public boolean isOpen() {
    Live now = live;
    return now != null && now.takesMore();
  }

  /**
   * Asks.
   *
   * @param told once, by another thread, of what becomes of it, unless it is given up first
   * @return null if it was not asked
   */
  public @Nullable Asked ask(Question question, Consumer<Word> told) {
    Live now = live;
    return now == null ? null : now.ask(question, told);
  }

  /** A question under way. */
  public static final class Asked {
    private final Live live;
    private final Consumer<Word> told;
    private final long at = System.nanoTime();
    private long number;

    private Asked(Live live, Consumer<Word> told) {
      this.live = live;
      this.told = told;
    }

    /** Nobody wants to hear of it any more; does nothing if that has come. */
    public void giveUp() {
      if (live.asked.remove(number) != null) {
        live.givenUp(at);
      }
    }
  }

  /** One connection, from its first question to its end. */
  private static final class Live {
    private final Socket socket;
    private final Outlet out;
    private final ConcurrentHashMap<Long, Asked> asked = new ConcurrentHashMap<>();
    private final AtomicLong lastTrial = new AtomicLong();
    private volatile long readUpTo;
    private volatile long heardAt = System.nanoTime();
    private volatile boolean silent;
    private volatile boolean ended;

    Live(Socket socket) throws IOException {
      this.socket = socket;
      this.out = new Outlet(socket.getOutputStream());
    }

    boolean takesMore() {
      return asked.size() < MOST_QUESTIONS
          && out.added() - readUpTo < MOST_UNREAD_BYTES
          && (!silent || trialIsDue());
    }

    private boolean trialIsDue() {
      long now = System.nanoTime();
      long last = lastTrial.get();
      return now - last > TRIAL_NANOS && lastTrial.compareAndSet(last, now);
    }

    @Nullable Asked ask(Question question, Consumer<Word> told) {
      byte[] body = question.toBytes();
      if (body.length > Frames.MOST_BODY_BYTES) {
        return null;
      }
      var mine = new Asked(this, told);
      try {
        out.addQuestion(
            body,
            number -> {
              mine.number = number;
              asked.put(number, mine);
            });
        if (ended && asked.remove(mine.number) != null) {
          // Whoever ended it has not seen this one; another thread may have sent it before.
          told.accept(new Word.Lost());
        } else {
          out.flush();
        }
      } catch (IOException e) {
        Sockets.close(socket);
      }
      return mine;
    }

    void givenUp(long askedAt) {
      if (askedAt - heardAt > 0) {
        if (!silent) {
          lastTrial.set(System.nanoTime());
          silent = true;
        } else if (System.nanoTime() - heardAt > SILENCE_NANOS) {
          Sockets.close(socket);
        }
      }
    }

    void hear() throws IOException {
      var in = new Inlet(socket.getInputStream());
      while (true) {
        in.read(this::heard);
        heardAt = System.nanoTime();
        if (silent) {
          silent = false;
        }
      }
    }

    private void heard(long number, byte[] bytes, int from, int length) throws IOException {
      if (number > readUpTo) {
        readUpTo = number;
      }
      if (length < 1) {
        throw new IOException("an answer has no kind");
      }
      Asked question = asked.remove(number);
      if (question != null) {
        question.told.accept(
            switch (bytes[from]) {
              case Frames.ANSWER -> {
                byte[] answer = Arrays.copyOfRange(bytes, from + 1, from + length);
                // Made by whoever waits for it: this thread has others to tell.
                yield new Word.Said(() -> Question.answer(answer));
              }
              case Frames.ELSEWHERE -> new Word.Elsewhere();
              default -> new Word.Lost();
            });
      }
    }

    void end() {
      ended = true;
      for (Long number : asked.keySet()) {
        Asked question = asked.remove(number);
        if (question != null) {
          question.told.accept(new Word.Lost());
        }
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Being connected

  private void run() {
    long pause = FIRST_PAUSE_MILLIS;
    try {
      while (closed.getCount() > 0) {
        if (connect()) {
          pause = FIRST_PAUSE_MILLIS;
        }
        if (closed.await(pause, TimeUnit.MILLISECONDS)) {
          return;
        }
        pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  /** {@return whether there was a connection, which has ended now} */
  private boolean connect() {
    boolean connected = false;
    try (var plain = new Socket()) {
      socket = plain;
      plain.setSendBufferSize(BUFFER_BYTES);
      Sockets.connect(plain, address);
      plain.setSoTimeout(HANDSHAKE_MILLIS);
      try (Socket ready = greet(plain)) {
        ready.setSoTimeout(0);
        var made = new Live(ready);
        try {
          live = made;
          connected = true;
          LOG.debug("users on node {} can be asked directly", name);
          if (closed.getCount() > 0) {
            made.hear();
          }
        } finally {
          live = null;
          made.end();
        }
      }
    } catch (IOException e) {
      LOG.debug("users on node {} cannot be asked directly", name, e);
    }
    return connected;
  }

  private Socket greet(Socket plain) throws IOException {
    InputStream in = plain.getInputStream();
    String there = Greeting.read(in);
    if (!there.equals(id)) {
      throw new IOException("another process is there: " + there);
    }
    plain.getOutputStream().write(Frames.HELLO);
    awaitHello(in);
    if (tls == null) {
      return plain;
    }
    Socket secured = tls.ask(plain, address.getHostString(), address.getPort());
    awaitHello(secured.getInputStream());
    return secured;
  }

  private static void awaitHello(InputStream in) throws IOException {
    if (!Arrays.equals(in.readNBytes(Frames.HELLO.length), Frames.HELLO)) {
      throw new IOException("it does not answer for users");
    }
  }

  @Override
  public void close() {
    closed.countDown();
    Socket open = socket;
    if (open != null) {
      Sockets.close(open);
    }
  }
}
