package dev.holdfast.command;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.holdfast.json.JsonText;
import dev.holdfast.local.News;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What {@code up} says, a line a thing, for people or for programs. */
final class UpLines {

  private interface Fields {
    void write(JsonGenerator json) throws IOException;
  }

  private final PrintWriter out;
  private final boolean json;

  UpLines(PrintWriter out, boolean json) {
    this.out = out;
    this.json = json;
  }

  void journal(String place) {
    if (json) {
      print("journal", fields -> fields.writeStringField("journal", place));
    } else {
      print("journal  " + place);
    }
  }

  void ready(URI url) {
    if (json) {
      print("ready", fields -> fields.writeStringField("url", url.toString()));
    } else {
      print("ready " + url);
    }
  }

  void news(News news) {
    if (json) {
      printJson(news);
    } else {
      print("%s  pid %d  %s".formatted(news.node(), news.pid(), text(news)));
    }
  }

  private static String text(News news) {
    return switch (news) {
      case News.Started started -> started.of().http().toString();
      case News.Ready _ -> "is ready";
      case News.Killed killed -> "is sent SIGKILL: " + killed.why();
      case News.Ended ended -> {
        String signal = ended.signal();
        yield "ended: "
            + (signal == null ? "status " + ended.status() : signal)
            + again(ended.again());
      }
    };
  }

  private static String again(@Nullable Duration pause) {
    return pause == null ? "" : ", starts again in " + pause.toMillis() + " ms";
  }

  private void printJson(News news) {
    switch (news) {
      case News.Started started ->
          print(
              "node",
              fields -> {
                of(fields, news);
                fields.writeStringField("http", started.of().http().toString());
                fields.writeStringField("log", started.of().log().toString());
              });
      case News.Ready _ -> print("node-ready", fields -> of(fields, news));
      case News.Killed killed ->
          print(
              "node-killed",
              fields -> {
                of(fields, news);
                fields.writeStringField("reason", killed.why());
              });
      case News.Ended ended ->
          print(
              "node-ended",
              fields -> {
                of(fields, news);
                fields.writeNumberField("status", ended.status());
                fields.writeStringField("signal", ended.signal());
                Duration again = ended.again();
                if (again == null) {
                  fields.writeNullField("againMillis");
                } else {
                  fields.writeNumberField("againMillis", again.toMillis());
                }
              });
    }
  }

  private static void of(JsonGenerator fields, News news) throws IOException {
    fields.writeStringField("name", news.node());
    fields.writeNumberField("pid", news.pid());
  }

  private void print(String event, Fields fields) {
    var line = new StringWriter();
    try (JsonGenerator generator = JsonText.FACTORY.createGenerator(line)) {
      generator.writeStartObject();
      generator.writeStringField("event", event);
      fields.write(generator);
      generator.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    print(line.toString());
  }

  private synchronized void print(String line) {
    out.println(line);
    out.flush();
  }
}
