package dev.holdfast.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class RenditionsTest {

  private static final int KEY = 7;

  private final AtomicInteger written = new AtomicInteger();
  private final List<WeakReference<byte[]>> texts = new ArrayList<>();
  private final Renditions<List<String>> renditions = new Renditions<>(64, 100, this::write);

  private byte[] write(int key, List<String> value) {
    assertThat(key).isEqualTo(KEY);
    written.incrementAndGet();
    byte[] text = String.join(",", value).getBytes(UTF_8);
    texts.add(new WeakReference<>(text));
    return text;
  }

  @Test
  void writesAValueOnceAndAnEqualOneAnew() {
    var value = new ArrayList<>(List.of("a", "b"));
    var equal = new ArrayList<>(value);
    assertThat(renditions.of(KEY, value)).asString(UTF_8).isEqualTo("a,b");
    assertThat(renditions.of(KEY, value)).isSameAs(renditions.of(KEY, value));
    assertThat(written).hasValue(1);
    assertThat(renditions.of(KEY, equal)).asString(UTF_8).isEqualTo("a,b");
    assertThat(written).hasValue(2);
  }

  @Test
  void keepsNoTextThatIsTooLong() {
    var value = new ArrayList<>(List.of("x".repeat(101)));
    renditions.of(KEY, value);
    renditions.of(KEY, value);
    assertThat(written).hasValue(2);
  }

  /** A user who is packed leaves no cart behind, and so no text of one either. */
  @Test
  void givesATextBackWhenItsValueIsGone() {
    renditions.of(KEY, new ArrayList<>(List.of("gone")));
    await()
        .untilAsserted(() -> {
          System.gc();
          assertThat(texts.getFirst().get()).isNull();
        });
  }

  /** The cart before a change is in use a while longer, its text is not. */
  @Test
  void keepsOfValuesWithOneKeyTheTextOfTheLastOne() {
    var before = new ArrayList<>(List.of("before"));
    var after = new ArrayList<>(List.of("after"));
    renditions.of(KEY, before);
    renditions.of(KEY, after);
    await()
        .untilAsserted(() -> {
          System.gc();
          assertThat(texts.getFirst().get()).isNull();
        });
    assertThat(renditions.of(KEY, after)).asString(UTF_8).isEqualTo("after");
    assertThat(written).hasValue(2);
    assertThat(renditions.of(KEY, before)).asString(UTF_8).isEqualTo("before");
  }
}
