package dev.holdfast.cluster;

import dev.holdfast.peer.PeerConnection;
import dev.holdfast.peer.PeerTls;
import dev.holdfast.user.OwnerKey;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.pekko.cluster.Member;
import org.jspecify.annotations.Nullable;

/**
 * The connections of this node to the others, and which of them has answered for a shard last. That
 * is a guess about where a user is, which costs a way there and back if it is wrong.
 */
final class Peers implements AutoCloseable {

  private final ShardRanges ranges;
  private final String self;
  private final @Nullable PeerTls tls;

  /** By the id of the process. */
  private final Map<String, PeerConnection> connections = new HashMap<>();

  private final Map<String, PeerConnection> byName = new ConcurrentHashMap<>();
  private final AtomicReferenceArray<@Nullable PeerConnection> answered;
  private boolean closed;

  /**
   * One that knows nobody yet.
   *
   * @param self the id of this process
   * @param tls null to go without
   */
  Peers(ShardRanges ranges, String self, @Nullable PeerTls tls) {
    this.ranges = ranges;
    this.self = self;
    this.tls = tls;
    this.answered = new AtomicReferenceArray<>(ranges.count());
  }

  /** Connects to who has come, and forgets who is gone. */
  synchronized void members(Iterable<Member> members) {
    if (closed) {
      return;
    }
    Set<String> present = new HashSet<>();
    for (Member member : members) {
      String id = Members.id(member);
      String host = member.address().getHost().orElse(null);
      int port = Members.wirePort(member);
      if (!id.equals(self) && host != null && port != 0 && !Members.isExcluded(member)) {
        present.add(id);
        if (!connections.containsKey(id)) {
          String name = Members.name(member);
          add(
              id,
              name,
              PeerConnection.open(name, id, InetSocketAddress.createUnresolved(host, port), tls));
        }
      }
    }
    connections
        .entrySet()
        .removeIf(each -> {
          boolean gone = !present.contains(each.getKey());
          if (gone) {
            each.getValue().close();
            byName.values().remove(each.getValue());
          }
          return gone;
        });
  }

  synchronized void add(String id, String name, PeerConnection connection) {
    connections.put(id, connection);
    byName.put(name, connection);
  }

  /** {@return the way to who has answered for the user's shard last, if it can be asked now} */
  @Nullable PeerConnection to(OwnerKey owner) {
    PeerConnection last = answered.get(ranges.shardOf(owner));
    return last != null && last.isOpen() ? last : null;
  }

  /** The node of that name has answered for a user. */
  void answered(OwnerKey owner, String node) {
    answered.set(ranges.shardOf(owner), byName.get(node));
  }

  @Override
  public synchronized void close() {
    closed = true;
    connections.values().forEach(PeerConnection::close);
    connections.clear();
    byName.clear();
  }
}
