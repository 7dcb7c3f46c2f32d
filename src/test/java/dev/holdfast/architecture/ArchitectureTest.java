package dev.holdfast.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.time.Clock;
import java.time.InstantSource;
import java.time.temporal.TemporalAccessor;
import java.util.Set;
import org.jspecify.annotations.NullMarked;

/**
 * The shape of the program, as rules. One that is in the way is changed here on purpose, with its
 * reason; it is never got round.
 */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {

  private static final String USER = "dev.holdfast.user..";
  private static final String CART = "dev.holdfast.cart..";
  private static final String JSON = "dev.holdfast.json..";
  private static final String JOURNAL = "dev.holdfast.journal..";
  private static final String ENTITY = "dev.holdfast.entity..";
  private static final String CLUSTER = "dev.holdfast.cluster..";
  private static final String HTTP = "dev.holdfast.http..";
  private static final String TELEMETRY = "dev.holdfast.telemetry..";
  private static final String KUBERNETES = "dev.holdfast.kubernetes..";
  private static final String APP = "dev.holdfast.app..";

  private static final Set<String> CLOCK_FACTORIES =
      Set.of(
          "system", "systemUTC", "systemDefaultZone", "tickMillis", "tickSeconds", "tickMinutes");

  /**
   * Imports run one way: command → drill → local → app → http, feed → cluster → peer → entity →
   * journal, with user and cart below all (json is the value type of their attributes) and
   * telemetry beside; the shop calls the API as any application does. A package that is in no layer
   * is refused, so a new one is placed here first.
   */
  @ArchTest
  static final ArchRule importsRunOneWay =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.holdfast..")
          .withOptionalLayers(true)
          .layer("main")
          .definedBy("dev.holdfast")
          .layer("command")
          .definedBy("dev.holdfast.command..")
          .layer("drill")
          .definedBy("dev.holdfast.drill..")
          .layer("local")
          .definedBy("dev.holdfast.local..")
          .layer("shop")
          .definedBy("dev.holdfast.shop..")
          .layer("app")
          .definedBy(APP)
          .layer("http")
          .definedBy(HTTP)
          .layer("feed")
          .definedBy("dev.holdfast.feed..")
          .layer("cluster")
          .definedBy(CLUSTER)
          .layer("peer")
          .definedBy("dev.holdfast.peer..")
          .layer("entity")
          .definedBy(ENTITY)
          .layer("journal")
          .definedBy(JOURNAL)
          .layer("telemetry")
          .definedBy(TELEMETRY)
          .layer("tls")
          .definedBy("dev.holdfast.tls..")
          .layer("kubernetes")
          .definedBy(KUBERNETES)
          .layer("user")
          .definedBy(USER)
          .layer("cart")
          .definedBy(CART)
          .layer("json")
          .definedBy(JSON)
          .ensureAllClassesAreContainedInArchitecture()
          .whereLayer("main")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("command")
          .mayOnlyBeAccessedByLayers("main")
          .whereLayer("drill")
          .mayOnlyBeAccessedByLayers("command")
          .whereLayer("local")
          .mayOnlyBeAccessedByLayers("command", "drill")
          .whereLayer("shop")
          .mayOnlyBeAccessedByLayers("local")
          .whereLayer("shop")
          .mayNotAccessAnyLayer()
          .whereLayer("app")
          .mayOnlyBeAccessedByLayers("command", "drill", "local")
          .whereLayer("http")
          .mayOnlyBeAccessedByLayers("command", "drill", "local", "app")
          .whereLayer("feed")
          .mayOnlyBeAccessedByLayers("command", "drill", "local", "app", "http")
          .whereLayer("cluster")
          .mayOnlyBeAccessedByLayers("command", "drill", "local", "app", "http", "feed")
          .whereLayer("peer")
          .mayOnlyBeAccessedByLayers("cluster")
          .whereLayer("entity")
          .mayOnlyBeAccessedByLayers(
              "command", "drill", "local", "app", "http", "feed", "cluster", "peer")
          .whereLayer("journal")
          .mayOnlyBeAccessedByLayers(
              "command", "drill", "local", "app", "feed", "cluster", "entity")
          .whereLayer("journal")
          .mayOnlyAccessLayers("telemetry")
          .whereLayer("telemetry")
          .mayNotAccessAnyLayer()
          .whereLayer("tls")
          .mayNotAccessAnyLayer()
          .whereLayer("kubernetes")
          .mayOnlyBeAccessedByLayers("app")
          .whereLayer("kubernetes")
          .mayNotAccessAnyLayer()
          .whereLayer("user")
          .mayOnlyAccessLayers("cart", "json")
          .whereLayer("cart")
          .mayOnlyAccessLayers("json")
          .whereLayer("json")
          .mayNotAccessAnyLayer()
          .as("imports run one way");

  @ArchTest
  static final ArchRule packagesFormNoCircle =
      slices().matching("dev.holdfast.(*)..").should().beFreeOfCycles();

  /** So that every rule of the shop is tested without an actor, a socket or a file. */
  @ArchTest
  static final ArchRule theDomainIsPlainJava =
      classes()
          .that()
          .resideInAnyPackage(USER, CART)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              USER,
              CART,
              JSON,
              "java.lang..",
              "java.math",
              "java.nio",
              "java.nio.charset",
              "java.security",
              "java.text",
              "java.time..",
              "java.util..",
              "javax.crypto..",
              "org.jspecify.annotations");

  /** An actor and the journal speak to each other directly. */
  @ArchTest
  static final ArchRule nobodyKnowsPekkosPersistence =
      noClasses().should().dependOnClassesThat().resideInAPackage("org.apache.pekko.persistence..");

  @ArchTest
  static final ArchRule theJournalKnowsNoActors =
      noClasses()
          .that()
          .resideInAPackage(JOURNAL)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.pekko..");

  /**
   * Handlers meet the journal through the actor alone, so that nothing is answered past its owner.
   */
  @ArchTest
  static final ArchRule httpKnowsNoJournal =
      noClasses()
          .that()
          .resideInAPackage(HTTP)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(JOURNAL);

  @ArchTest
  static final ArchRule onlyTheJournalSpeaksSql =
      noClasses()
          .that()
          .resideOutsideOfPackage(JOURNAL)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.sql..", "javax.sql..", "org.sqlite..", "org.postgresql..");

  /** The journal stores bytes: what they mean is the entity's codec's to know. */
  @ArchTest
  static final ArchRule theJournalReadsNoJson =
      noClasses()
          .that()
          .resideInAPackage(JOURNAL)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("com.fasterxml.jackson..", JSON);

  @ArchTest
  static final ArchRule theWebServerStaysAbove =
      noClasses()
          .that()
          .resideInAnyPackage(USER, CART, JSON, JOURNAL, ENTITY, CLUSTER)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.helidon..");

  @ArchTest
  static final ArchRule noOldDates =
      noClasses()
          .that()
          // A certificate says in no other way when it ends.
          .doNotHaveSimpleName("ServerTls")
          .should()
          .dependOnClassesThat()
          .haveNameMatching(
              "java\\.util\\.(Date|Calendar|GregorianCalendar|TimeZone)"
                  + "|java\\.sql\\.(Date|Time|Timestamp)"
                  + "|java\\.text\\.(DateFormat|SimpleDateFormat)");

  /**
   * Time comes in as a parameter or an InstantSource, so that tests set it. The clock is read where
   * the program is wired, in telemetry, and by the cluster's own clock, which compares it with the
   * monotonic one.
   */
  @ArchTest
  static final ArchRule theClockComesIn =
      noClasses()
          .that()
          .resideOutsideOfPackages(APP, TELEMETRY)
          .and(
              describe(
                  "are not the cluster's clock",
                  type ->
                      !(type.getPackageName().equals("dev.holdfast.cluster")
                          && type.getSimpleName().endsWith("Clock"))))
          .should()
          .accessTargetWhere(
              describe("reads the system's clock", ArchitectureTest::readsTheSystemClock));

  @ArchTest
  static final ArchRule namesSayWhatAThingIs =
      noClasses().should().haveNameMatching(".*(Impl|Manager|Helper|Util|Utils|Service)");

  @ArchTest
  static final ArchRule everyPackageIsNullMarked = classes().should(liveInANullMarkedPackage());

  private ArchitectureTest() {}

  private static boolean readsTheSystemClock(JavaAccess<?> access) {
    JavaClass owner = access.getTargetOwner();
    String name = access.getTarget().getName();
    return (owner.isEquivalentTo(System.class) && name.equals("currentTimeMillis"))
        || (owner.isAssignableTo(TemporalAccessor.class)
            && name.equals("now")
            && !givenAClock(access))
        || (owner.isEquivalentTo(Clock.class) && CLOCK_FACTORIES.contains(name))
        || (owner.isEquivalentTo(InstantSource.class) && name.equals("system"));
  }

  private static boolean givenAClock(JavaAccess<?> access) {
    return access.getTarget() instanceof CodeUnitAccessTarget target
        && target.getRawParameterTypes().stream()
            .anyMatch(type -> type.isEquivalentTo(Clock.class));
  }

  private static ArchCondition<JavaClass> liveInANullMarkedPackage() {
    return new ArchCondition<>("live in a package whose package-info says @NullMarked") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        boolean marked =
            type.getPackage()
                .tryGetPackageInfo()
                .filter(info -> info.isAnnotatedWith(NullMarked.class))
                .isPresent();
        events.add(
            new SimpleConditionEvent(
                type, marked, "%s is in %s".formatted(type.getName(), type.getPackageName())));
      }
    };
  }
}
