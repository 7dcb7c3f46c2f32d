package dev.holdfast.user;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class IdsTest {

  // printf 'user\0alice' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf '0%.0s' {1..64})
  private static final String KEYED_OWNER_OF_ALICE = "3421b0c68c255d5adcb4d3652422ff2e";
  // printf 'user\0alice' | sha256sum | cut -c1-32
  private static final String OWNER_OF_ALICE = "61e53a32f777fee6b9ea613099951c77";
  // printf 'visitor\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2' | sha256sum | cut -c1-32
  private static final String OWNER_OF_OPENING = "f78af2e89693e3076f481e55bc7d5ca6";

  @ParameterizedTest
  @CsvSource({"0, 0", "-1, -1", "1, -9223372036854775808", "9223372036854775807, 42"})
  void areReadBackFromTheirText(long high, long low) {
    var session = new SessionId(high, low);
    var request = new RequestId(high, low);
    var owner = new OwnerKey(high, low);
    var shown = new PublicSessionId(owner, session.tag());

    assertThat(SessionId.parse(session.toString())).isEqualTo(session);
    assertThat(RequestId.parse(request.toString())).isEqualTo(request);
    assertThat(OwnerKey.parse(owner.toString())).isEqualTo(owner);
    assertThat(PublicSessionId.parse(shown.toString())).isEqualTo(shown);
  }

  /** As the JDK's own encoder writes it; the random numbers are the same in each run. */
  @Test
  void haveTheTextThatBase64UrlGivesTheirBytes() {
    var random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      long high = random.nextLong();
      long low = random.nextLong();
      byte[] bytes = ByteBuffer.allocate(16).putLong(high).putLong(low).array();

      String text = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);

      assertThat(new SessionId(high, low)).hasToString(text);
      assertThat(RequestId.parse(text)).isEqualTo(new RequestId(high, low));
    }
  }

  @Test
  void haveATextOfFixedLength() {
    assertThat(new SessionId(0, 0).toString()).hasSize(22);
    assertThat(new RequestId(0, 0).toString()).hasSize(22);
    assertThat(new OwnerKey(0, 0).toString()).hasSize(32);
    assertThat(new PublicSessionId(new OwnerKey(0, 0), 0).toString()).hasSize(32);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "A",
        "AAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAAAB",
        "AAAAAAAAAAAAAAAAAAAAA+",
        "AAAAAAAAAA/AAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAC",
        "AAAAAAAAAAAAAAAAAAAAAE",
        "AAAAAAAAAAAAAAAAAAAAAI",
        "AAAAAAAAAAAAAAAAAAAAA ",
        "ÄAAAAAAAAAAAAAAAAAAAAA"
      })
  void haveOneTextOnly(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> SessionId.parse(text));
    assertThatIllegalArgumentException().isThrownBy(() -> RequestId.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA====",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/"
      })
  void ofSessionsShownToPeopleHaveOneTextOnly(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> PublicSessionId.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdeg",
        "-123456789abcdef0123456789abcdef",
        "٠123456789abcdef0123456789abcdef"
      })
  void ofOwnersAreLowerCaseHexadecimal(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> OwnerKey.parse(text));
  }

  @Test
  void ofOwnersFollowFromTheUserOrTheOpening() {
    var request = new RequestId(1, 2);

    assertThat(OwnerKey.ofUser("alice")).isEqualTo(OwnerKey.ofUser("alice"));
    assertThat(OwnerKey.ofUser("alice")).isNotEqualTo(OwnerKey.ofUser("Alice"));
    assertThat(OwnerKey.ofOpening(request)).isEqualTo(OwnerKey.ofOpening(request));
    assertThat(OwnerKey.ofOpening(request)).isNotEqualTo(OwnerKey.ofOpening(new RequestId(2, 1)));
  }

  /** They name the rows of the journal: a change of the hash would lose every user. */
  @Test
  void ofOwnersAreForEver() {
    assertThat(OwnerKey.ofUser("alice")).hasToString(OWNER_OF_ALICE);
    assertThat(OwnerKey.ofOpening(new RequestId(1, 2))).hasToString(OWNER_OF_OPENING);
  }

  @Test
  void ofOwnersAreSpreadEvenly() {
    int[] shards = new int[16];
    for (int i = 0; i < 16_000; i++) {
      shards[(int) (OwnerKey.ofUser("user-" + i).high() >>> 60)]++;
    }

    assertThat(Arrays.stream(shards)).allMatch(users -> users > 800 && users < 1_200);
  }

  @Test
  void shownToPeopleDoNotTellTheSessionsOwn() {
    var session = new SessionId(0x0123456789abcdefL, 0x0f1e2d3c4b5a6978L);

    assertThat(session.tag()).isNotIn(session.high(), session.low());
    Set<Long> tags = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      tags.add(new SessionId(0, i).tag());
    }
    assertThat(tags).hasSize(1_000);
  }

  @Test
  void areMadeOfUserIdsByASecretThatNobodyElseHas() {
    OwnerKeys one = OwnerKeys.of(new byte[32]);
    OwnerKeys other = OwnerKeys.of("thirty-two bytes of another kind".getBytes(UTF_8));

    assertThat(one.ofUser("alice")).isEqualTo(OwnerKeys.of(new byte[32]).ofUser("alice"));
    assertThat(
            List.of(
                one.ofUser("alice"),
                one.ofUser("Alice"),
                other.ofUser("alice"),
                OwnerKey.ofUser("alice")))
        .doesNotHaveDuplicates();
    assertThat(OwnerKeys.plain().ofUser("alice")).isEqualTo(OwnerKey.ofUser("alice"));
    // Pinned: journals that were written are to be found again.
    assertThat(one.ofUser("alice")).hasToString(KEYED_OWNER_OF_ALICE);
  }
}
