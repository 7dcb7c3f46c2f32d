package dev.holdfast.journal;

import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.setup.Setup;

/**
 * Gives an actor system the running journal that its persistence plugins write to. Pass it when the
 * system is created: {@code ActorSystem.create(behavior, name, ActorSystemSetup.create(
 * BootstrapSetup.create(config), new JournalSetup(journal)))}. The journal outlives the system:
 * whoever started it closes it afterwards.
 */
public final class JournalSetup extends Setup {

  private final Journal journal;

  public JournalSetup(Journal journal) {
    this.journal = journal;
  }

  /** The running journal. */
  public Journal journal() {
    return journal;
  }

  /**
   * The journal of {@code system}.
   *
   * @throws IllegalStateException if the system was created without one
   */
  static Journal journalOf(ActorSystem system) {
    return system
        .settings()
        .setup()
        .get(JournalSetup.class)
        .orElseThrow(() ->
            new IllegalStateException(
                "actor system " + system.name() + " was created without a JournalSetup"))
        .journal();
  }
}
