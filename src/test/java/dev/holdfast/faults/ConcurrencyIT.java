package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.View;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.Shopper.How;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Many clients at one user at the same time, over HTTP. */
@Timeout(60)
class ConcurrencyIT {

  @RegisterExtension private static final Program PROGRAM = Program.forTheClass();

  @TempDir private static Path data;

  @SuppressWarnings("NullAway.Init") // set before all tests
  private static ApiClient api;

  private final History history = new History();

  @BeforeAll
  static void serve() {
    api = new ApiClient(PROGRAM.serve(data).url());
  }

  @Test
  void addsUpAThousandAdditionsOfFiftyClients() {
    String token = open("{\"user\":\"adding\"}");
    int clients = 50;
    int each = 20;
    var revisions = new ArrayList<Long>();
    List<Callable<List<Answer>>> adding =
        IntStream.range(0, clients)
            .mapToObj(client ->
                (Callable<List<Answer>>)
                    () ->
                        IntStream.range(0, each)
                            .mapToObj(i ->
                                // Every other one keyed: both kinds must count once.
                                api.ask(
                                    add(token, "tea").key(i % 2 == 0 ? client + "-" + i : null)))
                            .toList())
            .toList();
    for (List<Answer> answers : Crowd.ask(adding)) {
      assertThat(answers).allMatch(Answer::ok);
      answers.forEach(answer -> revisions.add(answer.revision()));
    }

    JsonNode cart = api.ask(Call.get("/v1/cart").token(token)).body();
    assertThat(cart.path("itemCount").asInt()).isEqualTo(clients * each);
    assertThat(cart.path("items")).hasSize(1);
    assertThat(revisions).doesNotHaveDuplicates().hasSize(clients * each);
    assertThat(cart.path("revision").asLong())
        .isEqualTo(revisions.stream().mapToLong(Long::longValue).max().orElseThrow());
  }

  @Test
  void losesNoneOfManyParallelChangesOfDifferentAttributes() {
    String token = open("{}");
    int attributes = 300;
    Crowd.of(
        attributes,
        i -> {
          Answer answer =
              i % 3 == 0
                  ? api.ask(
                      Call.of("PATCH", "/v1/session/attributes")
                          .mergePatch("{\"a" + i + "\":" + i + "}")
                          .token(token))
                  : api.ask(
                      Call.of("PUT", "/v1/session/attributes/a" + i)
                          .json(Integer.toString(i))
                          .token(token));
          assertThat(answer.ok()).isTrue();
        });

    JsonNode kept = api.ask(Call.get("/v1/session").token(token)).body().path("attributes");
    assertThat(kept).hasSize(attributes);
    for (int i = 0; i < attributes; i++) {
      assertThat(kept.path("a" + i).asInt(-1)).isEqualTo(i);
    }
  }

  @Test
  void undoesNoLaterWriteOfAnotherClientWithTheRepeatOfAPut() {
    Shopper first = Shopper.ofUser(api, history, "first", "repeating");
    Shopper second = Shopper.ofUser(api, history, "second", "repeating");
    first.open();
    second.open();
    first.putLine("lamp", "of the first", How.keyed("first"));
    second.putLine("lamp", "of the second", How.keyed("second"));

    assertThat(first.repeatLast())
        .isInstanceOfSatisfying(Acknowledged.class, a -> assertThat(a.replayed()).isTrue());

    assertThat(registers(first.look())).containsEntry("cart/lamp", "of the second");
    assertThat(HistoryChecker.check(history)).isEmpty();
  }

  @Test
  void undoesNoLaterWriteHoweverRepeatsAndWritesCross() {
    var random = new Random(Seed.ofThisRun());
    List<Shopper> shoppers =
        IntStream.range(0, 16)
            .mapToObj(i -> Shopper.ofUser(api, history, "crossing-" + i, "crossing"))
            .toList();
    long seed = random.nextLong();
    Crowd.each(
        shoppers,
        shopper -> {
          var own = new Random(seed + shopper.name().hashCode());
          shopper.open();
          for (int i = 0; i < 25; i++) {
            String value = shopper.name() + "-" + i;
            shopper.putLine(own.nextBoolean() ? "lamp" : "chair", value, How.keyed(value));
            for (int repeats = own.nextInt(3); repeats > 0; repeats--) {
              shopper.lookAtCart();
              shopper.repeatLast();
            }
          }
        });
    Crowd.each(shoppers, Shopper::repeatAll);
    Crowd.each(shoppers, Shopper::look);

    assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
  }

  @Test
  void conservesEveryQuantityWhenTwentyDevicesLogInAtOnce() {
    int devices = 20;
    List<Shopper> visitors =
        IntStream.range(0, devices)
            .mapToObj(i -> Shopper.visitor(api, history, "device-" + i))
            .toList();
    Crowd.of(
        devices,
        i -> {
          Shopper visitor = visitors.get(i);
          visitor.open();
          visitor.add("only-" + i, i + 1, How.plainly());
          visitor.add("common", i + 1, How.plainly());
          visitor.putAttribute("device", visitor.name(), How.plainly());
        });
    Crowd.of(
        devices,
        i -> {
          Shopper visitor = visitors.get(i);
          assertThat(visitor.logIn("of-many-devices", How.keyed("log-in-" + i)))
              .isInstanceOf(Acknowledged.class);
          assertThat(visitor.repeatLast()).isInstanceOf(Acknowledged.class);
        });

    View merged = Objects.requireNonNull(visitors.getFirst().look());
    for (int i = 0; i < devices; i++) {
      assertThat(merged.counters()).containsEntry("cart/only-" + i, i + 1);
    }
    assertThat(merged.counters())
        .containsEntry("cart/common", devices * (devices + 1) / 2)
        .hasSize(devices + 1);
    Crowd.each(visitors, Shopper::look);
    Crowd.each(visitors, Shopper::tryDeadTokens);
    assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
    assertThat(
            api.ask(Call.get("/v1/user/sessions").token(visitors.getFirst().token()))
                .body()
                .path("sessions"))
        .hasSize(devices);
  }

  @Test
  void repeatsALogInAsItWasThoughAnotherDeviceHasChangedTheCart() {
    Shopper visitor = Shopper.visitor(api, history, "repeated-log-in");
    Shopper other = Shopper.ofUser(api, history, "other-device", "logged-in-twice");
    visitor.open();
    other.open();
    visitor.add("tea", 2, How.plainly());
    visitor.logIn("logged-in-twice", How.keyed("log-in"));
    other.add("tea", 1, How.plainly());

    visitor.repeatLast();

    visitor.look();
    assertThat(HistoryChecker.check(history)).isEmpty();
  }

  @Test
  void checksOutOnceHoweverManyAskAtOnce() {
    String token = open("{\"user\":\"checking-out\"}");
    assertThat(api.ask(add(token, "tea")).ok()).isTrue();

    List<Answer> answers = atOnce(30, i -> checkOut(token, "order-" + i).key("key-" + i));

    assertThat(answers.stream().filter(Answer::ok)).hasSize(1);
    assertThat(answers.stream().filter(answer -> !answer.ok()))
        .allMatch(answer -> answer.status() == 409 && answer.problem().equals("cart-empty"));
  }

  @Test
  void givesTheSameOrderToAllWhoAskWithTheSameKey() {
    String token = open("{\"user\":\"checking-out-with-a-key\"}");
    assertThat(api.ask(add(token, "tea")).ok()).isTrue();

    List<Answer> answers = atOnce(30, i -> checkOut(token, "order").key("one"));

    assertThat(answers).allMatch(Answer::ok);
    assertThat(answers.stream().map(answer -> answer.body().path("orderId").asText()).distinct())
        .hasSize(1);
    assertThat(answers.stream().filter(answer -> !answer.replayed())).hasSize(1);
  }

  @Test
  void conservesWhatIsAddedWhileOthersCheckOut() {
    List<Shopper> shoppers =
        IntStream.range(0, 12)
            .mapToObj(i -> Shopper.ofUser(api, history, "busy-" + i, "busy"))
            .toList();
    Crowd.each(
        shoppers,
        shopper -> {
          shopper.open();
          for (int i = 0; i < 30; i++) {
            String unique = shopper.name() + "-" + i;
            if (i % 5 == 4) {
              shopper.checkOut(unique, How.keyed(unique));
            } else {
              shopper.add("tea", 1 + i % 3, How.keyed(unique));
            }
          }
        });
    Crowd.each(shoppers, Shopper::repeatAll);
    Crowd.each(shoppers, Shopper::look);

    history.onRecord(
        JournalFile.of(data).orders().stream()
            .filter(order -> order.reference().startsWith("busy-"))
            .toList());
    assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
  }

  @Test
  void letsOneRotationWinARace() {
    String token = open("{}");

    List<Answer> answers = atOnce(30, i -> rotate(token).key("rotation-" + i));

    List<Answer> won = answers.stream().filter(Answer::ok).toList();
    assertThat(won).hasSize(1);
    assertThat(answers.stream().filter(answer -> !answer.ok()))
        .allMatch(answer -> answer.status() == 401);
    assertThat(api.ask(Call.get("/v1/session").token(token)).status()).isEqualTo(401);
    String next = won.getFirst().header("Session-Token");
    assertThat(api.ask(Call.get("/v1/session").token(next)).status()).isEqualTo(200);
  }

  @Test
  void givesTheSameTokenToAllWhoRotateWithTheSameKey() {
    String token = open("{}");

    List<Answer> answers = atOnce(30, i -> rotate(token).key("one"));

    assertThat(answers).allMatch(Answer::ok);
    assertThat(answers.stream().map(answer -> answer.header("Session-Token")).distinct())
        .hasSize(1)
        .doesNotContain(token);
    assertThat(answers.stream().filter(answer -> !answer.replayed())).hasSize(1);
    assertThat(api.ask(Call.get("/v1/session").token(token)).status()).isEqualTo(401);
    String next = answers.getFirst().header("Session-Token");
    assertThat(api.ask(Call.get("/v1/session").token(next)).status()).isEqualTo(200);
    // The new token was used: the old one is not even good for the repeat.
    assertThat(api.ask(rotate(token).key("one")).status()).isEqualTo(401);
  }

  @Test
  void opensOneSessionForAllWhoAskWithTheSameKey() {
    List<Answer> answers = atOnce(30, i -> Call.of("POST", "/v1/sessions").key("opening"));

    assertThat(answers).allMatch(answer -> answer.status() == 201);
    assertThat(answers.stream().map(answer -> answer.header("Session-Token")).distinct())
        .hasSize(1);
  }

  // ---------------------------------------------------------------------------------------------

  private static List<Answer> atOnce(int count, IntFunction<Call> call) {
    return Crowd.ask(
        IntStream.range(0, count)
            .mapToObj(i -> (Callable<Answer>) () -> api.ask(call.apply(i)))
            .toList());
  }

  private static String open(String body) {
    Answer answer = api.ask(Call.of("POST", "/v1/sessions").json(body));
    assertThat(answer.status()).isEqualTo(201);
    return answer.header("Session-Token");
  }

  private static Call add(String token, String sku) {
    return Call.of("POST", "/v1/cart/items")
        .json(
            "{\"sku\":\""
                + sku
                + "\",\"quantity\":1,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}")
        .token(token);
  }

  private static Call checkOut(String token, String reference) {
    return Call.of("POST", "/v1/cart/checkout")
        .json("{\"reference\":\"" + reference + "\"}")
        .token(token);
  }

  private static Call rotate(String token) {
    return Call.of("POST", "/v1/session/rotate").token(token);
  }

  private static Map<String, String> registers(@Nullable View view) {
    return Objects.requireNonNull(view).registers();
  }
}
