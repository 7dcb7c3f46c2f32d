package dev.holdfast.telemetry;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** In a flight recording: the journal wrote a batch. Lasts from its first statement to durable. */
@Name("holdfast.Batch")
@Label("Batch")
@Category("Holdfast")
@Description("The journal wrote a batch")
@StackTrace(false)
public final class BatchWritten extends Event {

  @Label("Writes")
  @Description("Users whose events are in it")
  public int writes;

  @Label("Snapshots")
  public int snapshots;

  @Label("Conflicts")
  @Description("Writes that lost to another writer of the same user")
  public int conflicts;
}
