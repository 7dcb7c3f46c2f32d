package dev.holdfast.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.GoldenFile;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Question;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The bytes on a connection between nodes, as every version has them: while nodes are replaced one
 * after the other, the two ends are of different versions.
 */
@Timeout(20)
final class FramesTest {

  private static final Question QUESTION =
      new Question(
          new OwnerKey(0x0123456789abcdefL, 0xfedcba9876543210L),
          new Command.AskEpoch(),
          true,
          "00-trace");
  private static final Answer ANSWER = new Answer.Answered(new Reply.Nothing(), "there");
  private static final long NUMBER = 0x0102030405060708L;
  private static final byte[] NOTHING = {};

  @Test
  void areTheBytesOfTheGoldenFile() throws IOException {
    var written = new LinkedHashMap<String, String>();
    written.put("greeting", hex(Greeting.of("the-one")));
    written.put("hello", hex(Frames.HELLO));
    var questions = new ByteArrayOutputStream();
    var asking = new Outlet(questions);
    asking.addQuestion(QUESTION.toBytes(), _ -> {});
    asking.flush();
    written.put("question", hex(questions.toByteArray()));
    written.put("answer", answer(Frames.ANSWER, Question.toBytes(ANSWER)));
    written.put("elsewhere", answer(Frames.ELSEWHERE, NOTHING));
    written.put("again", answer(Frames.AGAIN, NOTHING));
    assertThat(written).isEqualTo(GoldenFile.named("peer-frames.v1.txt"));
  }

  @Test
  void areUnderstoodFromTheGoldenFile() throws IOException {
    Map<String, String> golden = GoldenFile.named("peer-frames.v1.txt");
    byte[] greeting = HexFormat.of().parseHex(golden.get("greeting"));
    assertThat(Greeting.read(new ByteArrayInputStream(greeting))).isEqualTo("the-one");
    byte[] question = HexFormat.of().parseHex(golden.get("question"));
    new Inlet(new ByteArrayInputStream(question))
        .read((number, bytes, from, length) -> {
          assertThat(number).isEqualTo(question.length);
          assertThat(Question.of(Arrays.copyOfRange(bytes, from, from + length)))
              .isEqualTo(QUESTION);
        });
    new Inlet(new ByteArrayInputStream(HexFormat.of().parseHex(golden.get("answer"))))
        .read((number, bytes, from, length) -> {
          assertThat(number).isEqualTo(NUMBER);
          assertThat(bytes[from]).isEqualTo((byte) 1);
          assertThat(Question.answer(Arrays.copyOfRange(bytes, from + 1, from + length)))
              .isEqualTo(ANSWER);
        });
  }

  private static String answer(byte kind, byte[] body) throws IOException {
    var answers = new ByteArrayOutputStream();
    var answering = new Outlet(answers);
    assertThat(answering.addAnswer(NUMBER, kind, body)).isTrue();
    answering.flush();
    return hex(answers.toByteArray());
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
