package dev.holdfast.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What people see of a cluster, in Chromium: the console, and the shop whose server they kill. */
@Tag("browser")
@Timeout(150)
class PagesIT {

  private static final double SOON = 20_000;
  private static final double TAKEOVER = 60_000;
  private static final Path SCREENSHOTS = Path.of("target", "screenshots");
  private static final Pattern NODES_UP = Pattern.compile("3 of 3 nodes up");

  @TempDir static Path folder;
  private static UpProcess up;
  private static Playwright playwright;
  private static Browser browser;

  private final List<String> complaints = new ArrayList<>();
  private BrowserContext context;
  private Page page;

  @BeforeAll
  static void start() throws Exception {
    up = UpProcess.start(folder.resolve("data"));
    playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    browser =
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(chromium())
                    .setChromiumSandbox(false));
  }

  private static Path chromium() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .flatMap(dir -> Stream.of(Path.of(dir, "chromium"), Path.of(dir, "google-chrome")))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no chromium on the path"));
  }

  @AfterAll
  static void stop() throws Exception {
    if (playwright != null) {
      playwright.close();
    }
    up.close();
  }

  @BeforeEach
  void open() {
    open(ColorScheme.LIGHT, 1280, 900);
  }

  private void open(ColorScheme scheme, int width, int height) {
    context =
        browser.newContext(
            new Browser.NewContextOptions().setColorScheme(scheme).setViewportSize(width, height));
    page = context.newPage();
    page.onPageError(complaints::add);
    page.onConsoleMessage(message -> {
      if (message.type().equals("error")) {
        complaints.add(message.text() + " at " + message.location());
      }
    });
  }

  @AfterEach
  void close() {
    context.close();
    assertThat(complaints).as("errors in the browser's console").isEmpty();
  }

  private void go(String path) throws Exception {
    page.navigate(up.url().resolve(path).toString());
  }

  private Locator device(String name) {
    return page.locator(".device[data-device=" + name + "]");
  }

  private void put(String product, String device) {
    page.getByRole(AriaRole.RADIO, new Page.GetByRoleOptions().setName(device).setExact(true))
        .check();
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Add " + product)).click();
  }

  private void logIn(String device, String user) {
    device(device).locator("input[name=user]").fill(user);
    device(device)
        .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Log in").setExact(true))
        .click();
    assertThat(device(device).locator(".who")).hasText("Logged in as " + user, soon());
  }

  private static LocatorAssertions.HasTextOptions soon() {
    return new LocatorAssertions.HasTextOptions().setTimeout(SOON);
  }

  private static LocatorAssertions.ContainsTextOptions within(double millis) {
    return new LocatorAssertions.ContainsTextOptions().setTimeout(millis);
  }

  /** Nodes are killed by other tests; a console that says so shows when all are back. */
  private void openConsoleOfAWholeCluster() throws Exception {
    go("/console");
    assertThat(page.locator("#pulse"))
        .hasText(NODES_UP, new LocatorAssertions.HasTextOptions().setTimeout(TAKEOVER));
  }

  private void assertIsAccessible(boolean looksClosely) {
    if (!looksClosely) {
      return;
    }
    assertThat(
            new AxeBuilder(page)
                .analyze().getViolations().stream()
                    .filter(found -> List.of("serious", "critical").contains(found.getImpact()))
                    .map(found -> found.getId() + ": " + found.getNodes()))
        .isEmpty();
  }

  // ---------------------------------------------------------------------------------------------

  @Test
  void showsOnOneDeviceWhatTheOtherOnePutsIntoTheCart() throws Exception {
    go("/shop");
    logIn("laptop", "grace");
    logIn("phone", "grace");
    put("Compass", "laptop");
    assertThat(device("phone").locator("[data-sku=COMPASS] .count")).hasText("1", soon());
    put("Compass", "phone");
    assertThat(device("laptop").locator("[data-sku=COMPASS] .count")).hasText("2", soon());

    device("phone")
        .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Undo"))
        .click();

    assertThat(device("laptop").locator("[data-sku=COMPASS] .count")).hasText("1", soon());
    device("laptop").locator(".order").click();
    assertThat(device("phone").locator(".cart")).hasText("The cart is empty.", soon());
  }

  @Test
  void undoesNothingThatSomebodyElseHasChangedSince() throws Exception {
    go("/shop");
    logIn("laptop", "edsger");
    logIn("phone", "edsger");
    put("Sea chart", "laptop");
    assertThat(device("phone").locator("[data-sku=MAP]")).isVisible();
    put("Enamel mug", "phone");
    assertThat(device("phone").locator(".message")).containsText("Saved in", within(SOON));
    // The answer is a refusal, which the browser notes as an error of its own.
    device("laptop").locator(".undo").click();
    assertThat(device("laptop").locator(".message")).not().containsText("Saved", within(SOON));
    assertThat(device("laptop").locator("[data-sku=MAP] .count")).hasText("1", soon());
    assertThat(complaints).hasSize(1).allMatch(text -> text.contains("412"));
    complaints.clear();
  }

  @Test
  void keepsTheCartWhenTheNodeThatHoldsItIsKilledAndShowsTheTakeover() throws Exception {
    openConsoleOfAWholeCluster();
    Page console = page;
    page = context.newPage();
    go("/shop");
    logIn("laptop", "ada");
    put("Storm lantern", "laptop");
    put("Enamel mug", "laptop");
    assertThat(device("laptop").locator("[data-sku=MUG] .count")).hasText("1", soon());
    Locator button = device("laptop").locator(".kill");
    assertThat(button).containsText(Pattern.compile("Kill node-\\d, which"), within(SOON));
    String victim = button.textContent().replaceAll(".*(node-\\d).*", "$1");

    // Others shop meanwhile.
    try (var _ = Caller.at(up.url()).steadily(40)) {
      button.click();

      Locator verdict = page.locator("#report [data-intact]");
      assertThat(verdict)
          .hasAttribute(
              "data-intact",
              "true",
              new LocatorAssertions.HasAttributeOptions().setTimeout(TAKEOVER));
      assertThat(verdict).containsText("Every change that was saved is there.", within(SOON));
      assertThat(device("laptop").locator("[data-sku=LANTERN] .count")).hasText("1", soon());
      assertThat(millis(page.locator("#report .big"))).isBetween(1L, 20_000L);
      shoot(page, "shop-after");

      assertThat(console.locator("#takeovers")).containsText(victim, within(TAKEOVER));
      assertThat(console.locator("#takeovers")).containsText(" ms", within(TAKEOVER));
      assertThat(console.locator("#happened"))
          .containsText("The users of " + victim, within(TAKEOVER));
      assertThat(console.locator("#pulse"))
          .hasText(NODES_UP, new LocatorAssertions.HasTextOptions().setTimeout(TAKEOVER));
      assertThat(console.locator("#warnings"))
          .not()
          .containsText("tells nothing of itself", within(TAKEOVER));
      shoot(console, "console-after");
    }
  }

  private static long millis(Locator locator) {
    return Long.parseLong(locator.textContent().replaceAll("[^0-9]", ""));
  }

  @Test
  void countsWhatCallersDo() throws Exception {
    openConsoleOfAWholeCluster();
    Object before = page.evaluate("() => fetch('/v1/admin/metrics').then(told => told.json())");

    Caller.at(up.url()).visits(30);

    // What the page itself makes of two answers.
    Object counted =
        page.evaluate(
            """
            async before => {
              const { between } = await import("/console/measures.js");
              const after = await fetch("/v1/admin/metrics").then(told => told.json());
              const { all } = between(before, after, 0);
              return { reads: all.reads.count, writes: all.writes.count, failed: all.failed,
                events: all.batches.sum, batched: all.batches.count === all.commits.count };
            }
            """,
            before);
    assertThat(counted)
        .isEqualTo(
            Map.of(
                "reads", 30 * Caller.READS,
                "writes", 30 * Caller.WRITES,
                "failed", 0,
                "events", 30 * Caller.WRITES,
                "batched", true));
  }

  @Test
  void showsHowMuchComesIn() throws Exception {
    openConsoleOfAWholeCluster();
    try (var _ = Caller.at(up.url()).steadily(50)) {
      assertThat(page.locator("#tile-requests"))
          .hasText(
              Pattern.compile("(4[5-9]|5[0-5]) /s"),
              new LocatorAssertions.HasTextOptions().setTimeout(SOON));
    }
  }

  @Test
  void findsAUserAndShowsHowTheyWere() throws Exception {
    Caller.at(up.url()).shopsAs("hopper");
    openConsoleOfAWholeCluster();
    page.locator("#to-users").click();
    page.locator("#find-what").fill("hopper");
    page.keyboard().press("Enter");
    assertThat(page.locator("#person")).containsText("User hopper", within(SOON));
    assertThat(page.locator("#person")).containsText("Together 5.00 EUR");
    button("The user after event 2").click();
    assertThat(page.locator("#then")).containsText("Together 2.50 EUR", within(SOON));
    assertIsAccessible(true);
  }

  @Test
  void endsTheSessionsOfAUserAndErasesThemAfterQuestions() throws Exception {
    Caller.at(up.url()).shopsAs("lovelace");
    Caller.at(up.url()).shopsAs("lovelace");
    openConsoleOfAWholeCluster();
    page.locator("#to-users").click();
    page.locator("#find-what").fill("lovelace");
    page.keyboard().press("Enter");
    Locator ends = page.locator("#person button[aria-label^='End session']");
    assertThat(ends).hasCount(2);

    ends.first().click();
    page.locator("#confirm-no").click();
    assertThat(ends).hasCount(2);
    ends.first().click();
    page.locator("#confirm-yes").click();
    assertThat(page.locator("#find-result")).containsText("The session was ended", within(SOON));
    assertThat(ends).hasCount(1);

    button("End all sessions…").click();
    page.locator("#confirm-yes").click();
    assertThat(page.locator("#find-result")).containsText("One session was ended", within(SOON));
    assertThat(page.locator("#person")).containsText("No session lives.");
    assertThat(page.locator("#person")).containsText("Together 5.00 EUR");

    button("Erase…").click();
    assertThat(page.locator("#confirm-yes")).isDisabled();
    page.locator("#confirm-input").fill("lovelace");
    page.locator("#confirm-yes").click();
    assertThat(page.locator("#find-result")).containsText("lovelace was erased", within(SOON));
    assertThat(page.locator("#person")).isEmpty();
    page.locator("#find-what").press("Enter");
    assertThat(page.locator("#find-result"))
        .containsText("Nobody is known as lovelace", within(SOON));
    // Chromium tells of every answer like that.
    assertThat(complaints).hasSize(1).allMatch(text -> text.contains("404"));
    complaints.clear();
  }

  private Locator button(String name) {
    return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name));
  }

  @Test
  void drainsANodeAfterAQuestion() throws Exception {
    openConsoleOfAWholeCluster();
    Locator drain = button("Drain node-2");
    drain.click();
    button("Cancel").click();
    assertThat(page.locator("#confirm")).isHidden();
    drain.focus();
    page.keyboard().press("Enter");
    page.locator("#confirm-yes").click();
    assertThat(page.locator("#happened"))
        .containsText("node-2 was told to hand its users over", within(SOON));
    assertThat(page.locator("#happened")).containsText("node-2 runs again", within(TAKEOVER));
  }

  @Test
  void canBeUsedByEverybody() throws Exception {
    for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
      for (int width : List.of(390, 1280)) {
        context.close();
        open(scheme, width, 844);
        String name = "-" + scheme.name().toLowerCase(Locale.ROOT) + "-" + width;
        // Colours do not depend on the width, nor names on colours: two of the four are enough.
        boolean looksClosely = (width == 390) == (scheme == ColorScheme.LIGHT);
        openConsoleOfAWholeCluster();
        assertThat(page.locator("#tile-requests")).not().hasText("–", soon());
        assertIsAccessible(looksClosely);
        assertFitsIntoThePage();
        shoot(page, "console" + name);
        page.locator("#to-users").click();
        assertIsAccessible(looksClosely);
        assertFitsIntoThePage();
        shoot(page, "users" + name);
        go("/shop");
        logIn("laptop", "barbara");
        assertThat(page.locator("#nodes .holds").first()).isVisible();
        assertIsAccessible(looksClosely);
        assertFitsIntoThePage();
        shoot(page, "shop" + name);
      }
    }
  }

  private void assertFitsIntoThePage() {
    assertThat(
            page.evaluate(
                """
                document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
                  [...document.querySelectorAll("body *")]
                    .filter(one => one.getBoundingClientRect().right > innerWidth)
                    .map(one => one.outerHTML.slice(0, 120))
                """))
        .isEqualTo(List.of());
  }

  private static void shoot(Page page, String name) {
    page.screenshot(
        new Page.ScreenshotOptions().setPath(SCREENSHOTS.resolve(name + ".png")).setFullPage(true));
  }
}
