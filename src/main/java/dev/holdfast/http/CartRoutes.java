package dev.holdfast.http;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.Sku;
import dev.holdfast.http.Call.RepeatFrom;
import dev.holdfast.http.Fields.Place;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Reply;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /v1/cart}: the one cart of the user to whom the session belongs. */
final class CartRoutes {

  private static final String LINE = "/v1/cart/items/{sku}";

  /** 128 random bits: nobody guesses an order. */
  private static final int ORDER_ID_BYTES = 16;

  private CartRoutes() {}

  static List<Route> all() {
    return List.of(
        Route.session(Method.GET, "/v1/cart", CartRoutes::look),
        Route.session(Method.DELETE, "/v1/cart", CartRoutes::empty),
        Route.session(Method.POST, "/v1/cart/items", CartRoutes::add),
        Route.session(Method.PUT, LINE, CartRoutes::put),
        Route.session(Method.PATCH, LINE, CartRoutes::patch),
        Route.session(Method.DELETE, LINE, CartRoutes::remove),
        Route.session(Method.POST, "/v1/cart/checkout", CartRoutes::checkOut));
  }

  private static Response look(Call call) {
    call.refusePrecondition(HeaderNames.IF_MATCH);
    call.refuseBody();
    EntityTags held = call.held();
    Cart cart = Answers.look(call).cart();
    return held.names(cart.revision())
        ? Answers.notModified(cart.revision())
        : Response.json(200, WireJson.cart(call.owner(), cart))
            .with("ETag", EntityTags.of(cart.revision()));
  }

  private static Response empty(Call call) {
    call.refuseBody();
    return cart(call, Answers.act(call, RepeatFrom.ANY_SESSION, new Action.EmptyCart()));
  }

  private static Response add(Call call) {
    var fields = Fields.of(call.json(), Place.body());
    var sku = fields.required("sku", Readers.SKU);
    var quantity = fields.required("quantity", quantity(call));
    var unitPrice = fields.required("unitPrice", Readers.PRICE);
    var name = fields.optional("name", Readers.ITEM_NAME);
    var attributes = fields.optional("attributes", Readers.OBJECT);
    fields.end();
    return cart(
        call,
        Answers.act(
            call,
            RepeatFrom.ANY_SESSION,
            new Action.AddToLine(
                sku.get(), quantity.get(), unitPrice.get(), name.orNull(), attributes.orNull())));
  }

  private static Response put(Call call) {
    var place = Place.parameter("sku");
    Sku sku = Readers.sku(call.parameter("sku"), place);
    place.end();
    var fields = Fields.of(call.json(), Place.body());
    var quantity = fields.required("quantity", quantity(call));
    var unitPrice = fields.required("unitPrice", Readers.PRICE);
    var name = fields.optional("name", Readers.ITEM_NAME);
    var attributes = fields.optional("attributes", Readers.OBJECT);
    fields.end();
    var line =
        new Line(
            Answers.read(sku),
            quantity.get(),
            unitPrice.get(),
            name.orNull(),
            attributes.or(Json.Obj.empty()));
    var done = Answers.act(call, RepeatFrom.ANY_SESSION, new Action.SetLine(line));
    return done.outcome() instanceof Outcome.Created
        ? cart(call, done, 201)
            .with("Location", "/v1/cart/items/" + PathSegment.encode(line.sku().value()))
        : cart(call, done);
  }

  private static Response patch(Call call) {
    Sku sku = knownSku(call);
    var fields = Fields.of(call.mergePatch(), Place.body());
    var quantity = fields.optional("quantity", quantity(call));
    var unitPrice = fields.optional("unitPrice", Readers.PRICE);
    var name = fields.optional("name", Readers.NEW_NAME);
    var attributes = fields.optional("attributes", Readers.OBJECT_PATCH);
    fields.end();
    return cart(
        call,
        Answers.act(
            call,
            RepeatFrom.ANY_SESSION,
            new Action.PatchLine(
                sku, quantity.orNull(), unitPrice.orNull(), name.orNull(), attributes.orNull())));
  }

  private static Response remove(Call call) {
    call.refuseBody();
    return cart(
        call, Answers.act(call, RepeatFrom.ANY_SESSION, new Action.RemoveLine(knownSku(call))));
  }

  private static Response checkOut(Call call) {
    var fields = call.optionalFields();
    var reference = fields.optional("reference", Readers.REFERENCE);
    fields.end();
    String orderId =
        Base64.getUrlEncoder().withoutPadding().encodeToString(Answers.random(ORDER_ID_BYTES));
    var done =
        Answers.act(call, RepeatFrom.ANY_SESSION, new Action.CheckOut(orderId, reference.orNull()));
    var order = Answers.outcome(done, Outcome.CheckedOut.class).order();
    return Answers.replayed(done, Response.json(200, WireJson.order(call.owner(), order)));
  }

  private static Fields.Reader<Integer> quantity(Call call) {
    return Readers.quantity(call.settings().limits().quantity());
  }

  /** The SKU of a line that must be there; for what is no SKU there can be none. */
  private static Sku knownSku(Call call) {
    @Nullable Sku sku = Readers.sku(call.parameter("sku"), Place.parameter("sku"));
    if (sku == null) {
      throw new Rejected(ProblemType.NO_SUCH_LINE, "The cart has no line of that SKU.");
    }
    return sku;
  }

  private static Response cart(Call call, Reply.Done done) {
    return cart(call, done, 200);
  }

  private static Response cart(Call call, Reply.Done done, int status) {
    return Answers.shown(
        done, Response.json(status, WireJson.cart(call.owner(), Answers.view(done).cart())));
  }
}
