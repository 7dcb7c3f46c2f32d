package dev.holdfast.feed;

import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.Money;
import dev.holdfast.user.Event;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.PublicSessionId;
import dev.holdfast.user.SessionId;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What happened, for people. Sessions are named by their public ids, which open nothing. */
public final class EventText {

  private EventText() {}

  /** {@return one sentence or less, without the name of the event} */
  public static String of(OwnerKey owner, Event event) {
    return switch (event) {
      case Event.SessionOpened e ->
          "session %s for %s, idle %s, absolute %s, attributes %s"
              .formatted(
                  id(owner, e.session()),
                  e.userId() == null ? "a visitor" : "user " + e.userId(),
                  Moments.duration(e.idleMillis()),
                  Moments.duration(e.absoluteMillis()),
                  e.attributes());
      case Event.AttributesChanged e ->
          "session %s, set %s%s"
              .formatted(
                  id(owner, e.session()),
                  e.set(),
                  e.removed().isEmpty() ? "" : ", removed " + String.join(", ", e.removed()));
      case Event.SessionRotated e ->
          "session %s, token %d".formatted(id(owner, e.session()), e.generation());
      case Event.SessionTouched e ->
          "session %s, seen %s".formatted(id(owner, e.session()), Moments.text(e.seenAt()));
      case Event.SessionEnded e ->
          "session %s, %s".formatted(id(owner, e.session()), words(e.reason()));
      case Event.SessionExpired e ->
          "session %s, %s limit".formatted(id(owner, e.session()), words(e.limit()));
      case Event.OthersEnded e ->
          "all but %s: %s".formatted(id(owner, e.kept()), ids(owner, e.ended()));
      case Event.EndedByAdministrator e ->
          (e.everywhere() ? "everywhere: " : "") + ids(owner, e.sessions());
      case Event.UserErased e -> "up to revision " + e.revision();
      case Event.LineSet e -> line(e.line());
      case Event.LineRemoved e -> e.sku().value();
      case Event.CartEmptied _ -> "";
      case Event.CartExpired _ -> "";
      case Event.CartAbandoned e -> "quiet since " + Moments.text(e.quietSince());
      case Event.CartCheckedOut e ->
          "order %s%s: %s"
              .formatted(
                  e.order().id(),
                  e.order().reference() == null ? "" : " (" + e.order().reference() + ")",
                  lines(e.order().lines()));
      case Event.LogInStarted e ->
          "session %s to user %s".formatted(id(owner, e.logIn().session()), e.logIn().userId());
      case Event.LogInFinished _ -> "";
      case Event.LogInRefused e -> words(e.reason());
      case Event.LogInAdmitted e ->
          "user %s, session %s, merged %s: %s"
              .formatted(e.userId(), id(owner, e.session()), words(e.policy()), report(e.report()));
    };
  }

  private static String ids(OwnerKey owner, List<SessionId> sessions) {
    return sessions.isEmpty()
        ? "none"
        : sessions.stream().map(each -> id(owner, each)).collect(Collectors.joining(", "));
  }

  public static String id(OwnerKey owner, SessionId session) {
    return new PublicSessionId(owner, session.tag()).toString();
  }

  public static String line(Line line) {
    return "%d × %s at %s%s%s"
        .formatted(
            line.quantity(),
            line.sku().value(),
            money(line.unitPrice().money()),
            line.name() == null ? "" : " " + line.name(),
            line.attributes().members().isEmpty() ? "" : " " + line.attributes());
  }

  public static String money(Money money) {
    return money.amount().toPlainString() + " " + money.currency().getCurrencyCode();
  }

  private static String lines(List<Line> lines) {
    return lines.stream().map(EventText::line).collect(Collectors.joining("; "));
  }

  private static String report(List<CartMerge.Entry> report) {
    return report.isEmpty()
        ? "nothing"
        : report.stream()
            .map(entry -> entry.sku().value() + " " + words(entry.fate()))
            .collect(Collectors.joining(", "));
  }

  private static String words(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
