package dev.holdfast.cluster;

import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.sbr.SplitBrainResolverProvider;
import scala.Option;
import scala.concurrent.duration.FiniteDuration;

/**
 * Pekko's split-brain resolver, without the time that it lets pass between excluding a node and
 * taking over from it. That time is for the excluded node to notice and end. Here nobody has to
 * hope that it does: {@link ShardGate} fences it first.
 */
final class Downing extends DowningProvider {

  private final SplitBrainResolverProvider resolver;

  /** Made by Pekko, as {@code pekko.cluster.downing-provider-class} says. */
  Downing(ActorSystem system) {
    resolver = new SplitBrainResolverProvider(system);
  }

  @Override
  public FiniteDuration downRemovalMargin() {
    return scala.concurrent.duration.Duration.Zero();
  }

  @Override
  public Option<Props> downingActorProps() {
    return resolver.downingActorProps();
  }
}
