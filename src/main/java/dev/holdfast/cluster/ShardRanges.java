package dev.holdfast.cluster;

import dev.holdfast.entity.Message;
import java.util.stream.IntStream;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;

/**
 * Divides the users into shards of equal ranges of their keys, so that all users of a shard lie
 * side by side in the journal, and what is due in a shard is found by a range.
 */
final class ShardRanges extends ShardingMessageExtractor<ShardingEnvelope<Message>, Message> {

  private final String[] names;

  ShardRanges(int shards) {
    names = IntStream.range(0, shards).mapToObj(Integer::toString).toArray(String[]::new);
  }

  @Override
  public String entityId(ShardingEnvelope<Message> envelope) {
    return envelope.entityId();
  }

  @Override
  public String shardId(String entityId) {
    long upper = Integer.toUnsignedLong(Integer.parseUnsignedInt(entityId, 0, 8, 16));
    return names[(int) ((upper * names.length) >>> Integer.SIZE)];
  }

  @Override
  public Message unwrapMessage(ShardingEnvelope<Message> envelope) {
    return envelope.message();
  }
}
