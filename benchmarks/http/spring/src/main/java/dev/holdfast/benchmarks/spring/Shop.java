package dev.holdfast.benchmarks.spring;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.data.redis.serializer.GenericJackson2JsonRedisSerializer;
import org.springframework.data.redis.serializer.RedisSerializer;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.session.web.http.HeaderHttpSessionIdResolver;
import org.springframework.session.web.http.HttpSessionIdResolver;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * Sessions with carts, as Spring Session has them: the cart is an attribute of the session, the
 * session a hash in Redis, the attributes in it JSON.
 */
@SpringBootApplication
@RestController
public class Shop {

  private static final String USER = "user";
  private static final String CART = "cart";

  /** Runs until it is killed. */
  public static void main(String[] args) {
    SpringApplication.run(Shop.class, args);
  }

  /** Says where it listens. */
  @EventListener
  void ready(ServletWebServerInitializedEvent started) {
    System.out.println("ready http://127.0.0.1:" + started.getWebServer().getPort());
  }

  /** The session's id comes and goes in a header, as for a REST API. */
  @Bean
  HttpSessionIdResolver sessionIds() {
    return new HeaderHttpSessionIdResolver("Session-Token");
  }

  /** JSON, by the name that Spring Session looks for. */
  @Bean
  RedisSerializer<Object> springSessionDefaultRedisSerializer() {
    return new GenericJackson2JsonRedisSerializer();
  }

  /** A price. */
  public record Money(String amount, String currency) {}

  /** What a caller sets. */
  public record Item(int quantity, Money unitPrice, String name, JsonNode attributes) {}

  /** A line as it is kept; the attributes are the text of an object. */
  public record Line(String sku, int quantity, Money unitPrice, String name, String attributes) {}

  /** The cart as it is kept. */
  public record Cart(ArrayList<Line> lines) {}

  /** A line as it is shown. */
  public record LineView(
      String sku,
      int quantity,
      Money unitPrice,
      String name,
      @com.fasterxml.jackson.annotation.JsonRawValue String attributes,
      Money lineTotal) {}

  /** The cart as it is shown. */
  public record CartView(List<LineView> items, List<Money> totals, int itemCount) {}

  /** The session as it is shown. */
  public record SessionView(
      String id,
      String user,
      CartView cart,
      Instant createdAt,
      Instant lastSeenAt,
      Duration idleTimeout) {}

  /** Who opens a session. */
  public record Opening(String user) {}

  @PostMapping("/v1/sessions")
  ResponseEntity<SessionView> open(HttpServletRequest request, @RequestBody Opening opening) {
    HttpSession session = request.getSession(true);
    session.setAttribute(USER, opening.user());
    session.setAttribute(CART, new Cart(new ArrayList<>()));
    return ResponseEntity.status(HttpStatus.CREATED).body(view(session));
  }

  @PutMapping("/v1/cart/items/{sku}")
  ResponseEntity<CartView> set(
      HttpServletRequest request, @PathVariable String sku, @RequestBody Item item) {
    HttpSession session = request.getSession(false);
    if (session == null) {
      return ResponseEntity.status(HttpStatus.UNAUTHORIZED).build();
    }
    Cart cart = (Cart) session.getAttribute(CART);
    var line =
        new Line(
            sku,
            item.quantity(),
            item.unitPrice(),
            item.name(),
            item.attributes() == null ? "{}" : item.attributes().toString());
    boolean replaced = false;
    for (int i = 0; i < cart.lines().size(); i++) {
      if (cart.lines().get(i).sku().equals(sku)) {
        cart.lines().set(i, line);
        replaced = true;
      }
    }
    if (!replaced) {
      cart.lines().add(line);
    }
    session.setAttribute(CART, cart);
    return ResponseEntity.status(replaced ? HttpStatus.OK : HttpStatus.CREATED).body(view(cart));
  }

  @GetMapping("/v1/session")
  ResponseEntity<SessionView> look(HttpServletRequest request) {
    HttpSession session = request.getSession(false);
    return session == null
        ? ResponseEntity.status(HttpStatus.UNAUTHORIZED).build()
        : ResponseEntity.ok(view(session));
  }

  private static SessionView view(HttpSession session) {
    return new SessionView(
        session.getId(),
        (String) session.getAttribute(USER),
        view((Cart) session.getAttribute(CART)),
        Instant.ofEpochMilli(session.getCreationTime()),
        Instant.ofEpochMilli(session.getLastAccessedTime()),
        Duration.ofSeconds(session.getMaxInactiveInterval()));
  }

  private static CartView view(Cart cart) {
    var items = new ArrayList<LineView>();
    Map<String, BigDecimal> totals = new LinkedHashMap<>();
    int count = 0;
    for (Line line : cart.lines()) {
      Money price = line.unitPrice();
      BigDecimal total =
          new BigDecimal(price.amount()).multiply(BigDecimal.valueOf(line.quantity()));
      totals.merge(price.currency(), total, BigDecimal::add);
      count += line.quantity();
      items.add(
          new LineView(
              line.sku(),
              line.quantity(),
              price,
              line.name(),
              line.attributes(),
              new Money(total.toPlainString(), price.currency())));
    }
    return new CartView(
        items,
        totals.entrySet().stream()
            .map(total -> new Money(total.getValue().toPlainString(), total.getKey()))
            .toList(),
        count);
  }
}
