package dev.holdfast.telemetry;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** In a flight recording: the journal read users back. Lasts as long as the query. */
@Name("holdfast.Recovery")
@Label("Recovery")
@Category("Holdfast")
@Description("The journal read users back in one query")
@StackTrace(false)
public final class UsersRead extends Event {

  @Label("Users")
  public int users;

  @Label("Ahead")
  @Description("Whether nobody waited for them")
  public boolean ahead;
}
