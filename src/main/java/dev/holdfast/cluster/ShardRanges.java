package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Message;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.user.OwnerKey;
import java.util.stream.IntStream;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;

/**
 * Divides the users into shards of equal ranges of their keys, so that all users of a shard lie
 * side by side in the journal, and what is due in a shard is found by a range.
 */
final class ShardRanges extends ShardingMessageExtractor<Addressed, Message> {

  private final String[] names;

  ShardRanges(int shards) {
    names = IntStream.range(0, shards).mapToObj(Integer::toString).toArray(String[]::new);
  }

  /** {@return how many shards there are} */
  int count() {
    return names.length;
  }

  /** {@return the number of the shard that holds the owner, from 0} */
  int shardOf(OwnerKey owner) {
    return (int) (((owner.high() >>> Integer.SIZE) * names.length) >>> Integer.SIZE);
  }

  /** {@return the lowest owner in a shard} */
  OwnerKey firstOf(int shard) {
    // The least upper half that shardOf maps to it: rounded up.
    long upper = (((long) shard << Integer.SIZE) + names.length - 1) / names.length;
    return new OwnerKey(upper << Integer.SIZE, 0);
  }

  /** {@return the owners of the shards from {@code first} to {@code last}} */
  OwnerRange owners(int first, int last) {
    return new OwnerRange(
        new Owner(firstOf(first).high(), 0),
        last == names.length - 1 ? Owner.LAST : new Owner(firstOf(last + 1).high() - 1, -1L));
  }

  @Override
  public String entityId(Addressed addressed) {
    return addressed.owner().toString();
  }

  /** Pekko has nothing but the text here. */
  @Override
  public String shardId(String entityId) {
    return names[shardOf(OwnerKey.parse(entityId))];
  }

  @Override
  public Message unwrapMessage(Addressed addressed) {
    return addressed.message();
  }
}
