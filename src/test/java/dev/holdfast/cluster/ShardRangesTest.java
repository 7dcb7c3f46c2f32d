package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.OwnerKey;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ShardRangesTest {

  private static final int SHARDS = 100;
  private final ShardRanges shards = new ShardRanges(SHARDS);

  @Test
  void givesTheFirstShardTheLowestKeysAndTheLastShardTheHighest() {
    assertThat(shardOf(new OwnerKey(0, 0))).isZero();
    assertThat(shardOf(new OwnerKey(-1, -1))).isEqualTo(SHARDS - 1);
  }

  @Test
  void makesEachShardOneContiguousRange() {
    int last = 0;
    for (long upper = 0; upper < 1L << 32; upper += 1_000_003) {
      int shard = shardOf(new OwnerKey(upper << 32, 0));
      assertThat(shard).isBetween(last, last + 1);
      last = shard;
    }
    assertThat(last).isEqualTo(SHARDS - 1);
  }

  @Test
  void spreadsUsersEvenly() {
    int users = 100_000;
    int[] counts = new int[SHARDS];
    IntStream.range(0, users).forEach(i -> counts[shardOf(OwnerKey.ofUser("user-" + i))]++);
    // 1,000 each; the keys are hashes, so a count strays by about 32.
    assertThat(Arrays.stream(counts).boxed())
        .allSatisfy(count -> assertThat(count).isBetween(800, 1_200));
  }

  private int shardOf(OwnerKey owner) {
    int shard = shards.shardOf(owner);
    // The same from the text, which is all that Pekko has.
    assertThat(shards.shardId(owner.toString())).isEqualTo(Integer.toString(shard));
    return shard;
  }
}
