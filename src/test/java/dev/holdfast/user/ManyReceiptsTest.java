package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** However many receipts there are, and in whatever order they go, they are as a plain list is. */
@Timeout(60)
class ManyReceiptsTest {

  private final Random random = new Random(20261130);
  private final List<Receipt> plain = new ArrayList<>();
  private Receipts receipts = Receipts.none();
  private long now;

  @Test
  void areAddedAndForgottenAsAPlainListOfThem() {
    for (int i = 0; i < 6_000; i++) {
      now += random.nextInt(200);
      long moment = now;
      // One that is over may be kept all the same, as the opening of a session that lives is.
      Predicate<Receipt> kept = receipt -> receipt.live(moment) || receipt.id().high() % 97 == 0;
      Receipts before = receipts;
      List<Receipt> beforeThat = List.copyOf(plain);
      Receipt more = receipt();
      receipts = receipts.kept(moment, kept).with(more);
      plain.removeIf(kept.negate());
      plain.add(more);
      assertThat(before).isEqualTo(beforeThat);
      assertThat(receipts).isEqualTo(plain).hasSameSizeAs(plain);
      if (i % 100 == 0) {
        assertSame(receipts);
        assertSame(Receipts.of(plain));
      }
      if (i % 1_500 == 1_499) { // nobody came for a day
        now += 24 * 3_600_000L;
      }
    }
    assertThat(plain).hasSizeGreaterThan(500);
  }

  /** What the list says of each place and id is what the plain one says. */
  private void assertSame(Receipts found) {
    for (int i = 0; i < plain.size(); i++) {
      assertThat(found.get(i)).isSameAs(plain.get(i));
      assertThat(found.find(plain.get(i).id(), _ -> true)).isSameAs(plain.get(i));
      assertThat(found.find(plain.get(i).id(), _ -> false)).isNull();
    }
    assertThat(found.find(new RequestId(1, random.nextLong()), _ -> true)).isNull();
    assertThat(found.find(new RequestId(-1, plain.getLast().id().low()), _ -> true)).isNull();
  }

  private Receipt receipt() {
    return new Receipt(
        new RequestId(random.nextInt(Integer.MAX_VALUE), random.nextLong()),
        7,
        random.nextInt(10) == 0 ? Receipt.Kind.CALLER : Receipt.Kind.SERVER,
        now,
        null,
        Outcome.Changed.changed(),
        1);
  }
}
