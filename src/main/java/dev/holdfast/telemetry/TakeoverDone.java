package dev.holdfast.telemetry;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** In a flight recording: all users of a node that went have a new home. */
@Name("holdfast.Takeover")
@Label("Takeover")
@Category("Holdfast")
@Description("All users of a node that went without handing them over have a new home")
@StackTrace(false)
public final class TakeoverDone extends Event {

  @Label("Node")
  public String node;

  @Label("Tier")
  @Description("What has shown that the node is gone")
  public String tier;

  @Label("Shards")
  @Description("Parts of the users that it held")
  public int shards;

  @Label("Took")
  @Timespan(Timespan.MILLISECONDS)
  public long tookMillis;

  public TakeoverDone(String node, String tier, int shards, long tookMillis) {
    this.node = node;
    this.tier = tier;
    this.shards = shards;
    this.tookMillis = tookMillis;
  }
}
