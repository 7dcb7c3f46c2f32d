package dev.holdfast.entity;

import dev.holdfast.user.OwnerKey;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The users of this node whose log was found not to be readable, for whoever is to repair them. At
 * most {@value #MOST} are listed. May be called from any thread.
 */
public final class UnreadableUsers {

  private static final Logger LOG = LoggerFactory.getLogger(UnreadableUsers.class);

  /** The most that are listed. More than this is no matter of single users. */
  public static final int MOST = 1_000;

  /**
   * What is wrong with one user. Holds nothing of what the user has stored.
   *
   * @param number of the event that cannot be read; 0 if it is the snapshot, or not known
   * @param name of that event or snapshot; empty if it is not known
   * @param reason one sentence
   */
  public record Unreadable(OwnerKey owner, long number, String name, String reason) {}

  private final LinkedHashMap<OwnerKey, Unreadable> users = new LinkedHashMap<>();
  private volatile int count;
  private boolean full;

  /** Notes a user, and logs it the first time. */
  void note(Unreadable user) {
    boolean news;
    boolean last = false;
    synchronized (users) {
      boolean room = users.size() < MOST || users.containsKey(user.owner());
      news = room && users.put(user.owner(), user) == null;
      if (!room && !full) {
        full = true;
        last = true;
      }
      count = users.size();
    }
    if (news) {
      LOG.error(
          "user {} cannot be read: {} (event {} {}); others are not concerned",
          user.owner(),
          user.reason(),
          user.number(),
          user.name());
    } else if (last) {
      LOG.error("more than {} users cannot be read; the others are not listed", MOST);
    }
  }

  /** Notes that a user was read. */
  void read(OwnerKey owner) {
    if (count > 0) {
      @Nullable Unreadable healed;
      synchronized (users) {
        healed = users.remove(owner);
        full = false;
        count = users.size();
      }
      if (healed != null) {
        LOG.info("user {} can be read again", owner);
      }
    }
  }

  /** {@return how many are listed} */
  public int count() {
    return count;
  }

  /** {@return those that are listed, in the order in which they were found} */
  public List<Unreadable> list() {
    synchronized (users) {
      return List.copyOf(users.values());
    }
  }
}
