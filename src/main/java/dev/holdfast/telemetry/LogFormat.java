package dev.holdfast.telemetry;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import org.slf4j.LoggerFactory;

/** How lines of the log look. */
public enum LogFormat {
  /** For people, as {@code logback.xml} has it. */
  TEXT,
  /** One JSON object a line, for collectors. */
  JSON;

  private static final String APPENDER = "console";

  /** Has the log of this process look so from now on. */
  public void use() {
    switch (this) {
      case TEXT -> {
        // It does.
      }
      case JSON -> useJson();
    }
  }

  private static void useJson() {
    if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      throw new IllegalStateException("the log is not Logback's");
    }
    Appender<ILoggingEvent> appender =
        context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender(APPENDER);
    if (!(appender instanceof OutputStreamAppender<ILoggingEvent> stream)) {
      throw new IllegalStateException("the log has no appender " + APPENDER);
    }
    var encoder = new JsonEncoder();
    encoder.setContext(context);
    encoder.setWithSequenceNumber(false);
    encoder.setWithNanoseconds(false);
    encoder.setWithContext(false);
    // The message as it is read; its pieces are in the pairs where a program needs them.
    encoder.setWithMessage(false);
    encoder.setWithArguments(false);
    encoder.setWithFormattedMessage(true);
    encoder.start();
    stream.stop();
    stream.setEncoder(encoder);
    stream.start();
  }
}
