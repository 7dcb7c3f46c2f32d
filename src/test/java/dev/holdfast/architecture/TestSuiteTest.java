package dev.holdfast.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.OnlyIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.concurrent.TimeUnit;

/** What holds for every test: it waits for conditions, and it always runs. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = OnlyIncludeTests.class)
final class TestSuiteTest {

  @ArchTest
  static final ArchRule testsWaitForConditionsInsteadOfSleeping =
      noClasses()
          .should()
          .accessTargetWhere(
              describe(
                  "sleeps",
                  access ->
                      access.getTarget().getName().equals("sleep")
                          && (access.getTargetOwner().isEquivalentTo(Thread.class)
                              || access.getTargetOwner().isEquivalentTo(TimeUnit.class))));

  /** Annotations count as dependencies, so this sees switched off methods and classes alike. */
  @ArchTest
  static final ArchRule noTestIsSwitchedOff =
      noClasses()
          .should()
          .dependOnClassesThat(describe("switch tests off", TestSuiteTest::switchesTestsOff));

  private TestSuiteTest() {}

  private static boolean switchesTestsOff(JavaClass type) {
    String name = type.getName();
    return name.equals("org.junit.jupiter.api.Disabled")
        || name.equals("org.junit.jupiter.api.Assumptions")
        || name.startsWith("org.junit.jupiter.api.condition.")
        || name.equals("org.assertj.core.api.Assumptions")
        || name.equals("net.jqwik.api.Disabled");
  }
}
