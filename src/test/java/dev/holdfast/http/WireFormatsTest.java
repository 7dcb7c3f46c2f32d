package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.http.EntityTags.Tag;
import dev.holdfast.json.Json;
import dev.holdfast.user.Precondition;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The small formats of headers, paths and durations. */
@Timeout(30)
class WireFormatsTest {

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0",
    "PT1S, 1000",
    "PT30M, 1800000",
    "P7D, 604800000",
    "P1DT12H, 129600000",
    "P1DT1H1M1S, 90061000"
  })
  void writesAndReadsDurations(String text, long millis) {
    assertThat(Durations.parse(text)).isEqualTo(millis);
    assertThat(Durations.text(millis)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"PT90M, PT1H30M", "PT24H, P1D", "P0D, PT0S", "PT0001S, PT1S"})
  void writesDurationsInTheLargestUnits(String given, String written) {
    assertThat(Durations.text(Durations.parse(given))).isEqualTo(written);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "P",
        "PT",
        "P1",
        "1D",
        "P1M",
        "P1Y",
        "P1W",
        "PT1.5S",
        "-P1D",
        "P-1D",
        "P1DT",
        "pt1s",
        " PT1S",
        "PT1S ",
        "PT1S1M",
        "PT9999999999S",
        "PT\u0661S"
      })
  void readsNothingElseAsADuration(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Durations.parse(text));
  }

  @Property
  void readsEveryDurationThatItWrites(@ForAll @LongRange(min = 0, max = 1_000_000_000) long s) {
    assertThat(Durations.parse(Durations.text(s * 1_000))).isEqualTo(s * 1_000);
  }

  @Property
  void decodesEverySegmentThatItEncodes(@ForAll @StringLength(min = 1, max = 64) String text) {
    if (Json.isUnicode(text)
        && text.chars().noneMatch(Character::isISOControl)
        && !text.equals(".")
        && !text.equals("..")) {
      assertThat(PathSegment.encode(text)).matches("[!-~]+").doesNotContain("/", "?", "#");
      assertThat(PathSegment.decode(PathSegment.encode(text))).isEqualTo(text);
    }
  }

  @Test
  void readsEntityTags() {
    assertThat(EntityTags.parse(" \"8\" ")).isEqualTo(tags(new Tag("8", false)));
    assertThat(EntityTags.parse("W/\"8\",\t\"a,b\""))
        .isEqualTo(tags(new Tag("8", true), new Tag("a,b", false)));
    assertThat(EntityTags.parse("\"\"")).isEqualTo(tags(new Tag("", false)));
    assertThat(EntityTags.parse("*")).isEqualTo(new EntityTags(true, List.of()));
  }

  private static EntityTags tags(Tag... tags) {
    return new EntityTags(false, List.of(tags));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",",
        "8",
        "\"8",
        "8\"",
        "\"8\",",
        ",\"8\"",
        "\"8\" \"9\"",
        "w/\"8\"",
        "W/8",
        "W/",
        "\"a b\"",
        "\"\u0001\"",
        "**",
        "*,\"8\"",
        "\"8\",*"
      })
  void readsNothingElseAsEntityTags(String text) {
    assertThat(EntityTags.parse(text)).isNull();
  }

  @Test
  void requiresOneOfTheRevisionsThatAreNamedStrongly() {
    assertThat(required("\"8\", W/\"9\", \"08\", \"-1\", \"x\", \"10\", \"99999999999999999999\""))
        .isEqualTo(new Precondition.OneOf(Set.of(8L, 10L)));
    assertThat(required("W/\"8\"")).isEqualTo(new Precondition.OneOf(Set.of()));
    assertThat(required("*")).isEqualTo(Precondition.None.none());
  }

  private static Precondition required(String header) {
    EntityTags tags = EntityTags.parse(header);
    return tags == null ? Precondition.None.none() : tags.required();
  }

  @Test
  void namesEveryProblemAsTheContractDoes() {
    assertThat(ProblemType.IDEMPOTENCY_KEY_REUSED.uri())
        .isEqualTo("urn:holdfast:problem:idempotency-key-reused");
  }

  @Test
  void tellsAfterHowManyWholeSecondsARepeatMakesSense() {
    for (var expected :
        List.of(
            List.of(0L, 1L),
            List.of(1L, 1L),
            List.of(1_000L, 1L),
            List.of(1_001L, 2L),
            List.of(Long.MAX_VALUE, 999_999L))) {
      assertThat(Problems.overloaded().retryAfterMillis(expected.getFirst()).headers())
          .containsExactly(new Problem.Field("Retry-After", expected.getLast().toString()));
    }
  }
}
