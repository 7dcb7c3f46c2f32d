package dev.holdfast.benchmarks.journal;

import dev.holdfast.benchmarks.journal.Contestant.Latencies;
import dev.holdfast.benchmarks.journal.Contestant.WriteOrder;
import dev.holdfast.benchmarks.journal.Contestant.WriteRound;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Batch after batch on a few connections, each of owners of its own: what is left of a journal
 * without actors, without a fence and without a check.
 */
final class BareLoad {

  private final int owners;

  /** The number of each owner's next event. */
  private final long[] next;

  /** Writes one event of each of the owners with these indexes, and commits. */
  @FunctionalInterface
  interface Batches {
    void write(int connection, int[] owners, long[] numbers) throws Exception;
  }

  BareLoad(int owners) {
    this.owners = owners;
    this.next = new long[owners];
    Arrays.fill(next, 1);
  }

  private record Share(long written, long measured, long batches, Samples samples) {}

  WriteRound run(WriteOrder order, Batches batches) throws Exception {
    long begin = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(order.rampMillis());
    long end = begin + TimeUnit.MILLISECONDS.toNanos(order.millis());
    List<Share> shares = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(order.connections())) {
      List<Future<Share>> running = new ArrayList<>();
      for (int i = 0; i < order.connections(); i++) {
        int connection = i;
        running.add(threads.submit(() -> share(connection, order, begin, end, batches)));
      }
      for (Future<Share> one : running) {
        shares.add(one.get());
      }
    }
    long measured = shares.stream().mapToLong(Share::measured).sum();
    return new WriteRound(
        shares.stream().mapToLong(Share::written).sum(),
        measured * 1e3 / order.millis(),
        // All events of a batch take as long as the batch, and all batches are alike.
        Latencies.of(Samples.all(shares.stream().map(Share::samples).toList())),
        (double) measured / Math.max(1, shares.stream().mapToLong(Share::batches).sum()));
  }

  private Share share(int connection, WriteOrder order, long begin, long end, Batches batches)
      throws Exception {
    var random = new SplittableRandom(begin + connection);
    int[] mine = new int[(owners - connection + order.connections() - 1) / order.connections()];
    for (int i = 0; i < mine.length; i++) {
      mine[i] = connection + i * order.connections();
    }
    int[] chosen = new int[Math.min(order.batch(), mine.length)];
    long[] numbers = new long[chosen.length];
    var samples = new Samples();
    long written = 0;
    long measured = 0;
    long count = 0;
    long sent = System.nanoTime();
    while (sent - end < 0) {
      for (int i = 0; i < chosen.length; i++) {
        int j = i + random.nextInt(mine.length - i);
        chosen[i] = mine[j];
        mine[j] = mine[i];
        mine[i] = chosen[i];
        numbers[i] = next[chosen[i]]++;
      }
      batches.write(connection, chosen, numbers);
      long now = System.nanoTime();
      written += chosen.length;
      if (now - begin >= 0 && now - end < 0) {
        measured += chosen.length;
        count++;
        samples.add(now - sent);
      }
      sent = now;
    }
    return new Share(written, measured, count, samples);
  }
}
