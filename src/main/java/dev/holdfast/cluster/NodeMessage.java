package dev.holdfast.cluster;

import dev.holdfast.telemetry.Figures;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What the {@link NodeActor}s of a cluster tell each other. */
sealed interface NodeMessage {

  /** Asks for a {@link Status}. */
  record TellStatus() implements NodeMessage {}

  /**
   * What only the node itself knows.
   *
   * @param id of the process
   * @param http where it serves the API, once it does
   * @param shards that it holds, once it knows
   * @param users that it has in memory
   * @param draining whether it hands its users over
   */
  record Status(
      String id, @Nullable String http, long pid, OptionalLong shards, long users, boolean draining)
      implements NodeMessage {}

  /** Asks for {@link Takeovers}. */
  record TellTakeovers() implements NodeMessage {}

  /** Those that the node has carried out, the newest first. */
  record Takeovers(List<Takeover> list) implements NodeMessage {

    public Takeovers {
      list = List.copyOf(list);
    }
  }

  /** Asks for {@link Work}. */
  record TellWork() implements NodeMessage {}

  /** What the node has done, and how it stands. */
  record Work(Figures figures) implements NodeMessage {}

  /** The process {@code id} hands its users over; said again and again while it does. */
  record Drains(String id) implements NodeMessage {}

  /** Has the node drain and end. Answered with {@link DrainBegins}. */
  record Drain() implements NodeMessage {}

  /** The answer to {@link Drain}. */
  record DrainBegins() implements NodeMessage {}

  /**
   * The process {@code id} asks for the right to answer from memory, for the {@code number}th time.
   */
  record AskGrant(String id, long number) implements NodeMessage {}

  /** The answer of the process {@code by}. */
  record Grant(String by, long number) implements NodeMessage {}

  /** Grant these processes nothing any more: their users are being taken over. */
  record Refuse(List<String> ids) implements NodeMessage {

    public Refuse {
      ids = List.copyOf(ids);
    }
  }

  /**
   * The answer to {@link Refuse}.
   *
   * @param millisAgo since one of those was granted something here, or anybody else who is no
   *     member in good standing; very large if none was
   */
  record Grants(long millisAgo) implements NodeMessage {}

  /** Asks what is seen of the process {@code id} over the {@link DeathWire}. */
  record TellSight(String id) implements NodeMessage {}

  /** The answer to {@link TellSight} of the process {@code by}. */
  record Seen(String by, String id, Sight sight) implements NodeMessage {}
}
