package dev.holdfast.entity;

import dev.holdfast.cart.Line;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonValues;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Any value of the types that cross nodes, made from the declarations themselves: any variant of a
 * sealed type, any components of a record, null where it is allowed. So nobody can forget one.
 */
final class AnyMessages {

  private static final List<String> CURRENCIES = List.of("EUR", "USD", "JPY", "KWD");

  private final Map<Type, Arbitrary<?>> known = new HashMap<>();

  AnyMessages(ActorRef<Answer> replyTo) {
    known.put(long.class, Arbitraries.longs());
    known.put(Long.class, Arbitraries.longs());
    known.put(int.class, Arbitraries.integers());
    known.put(Integer.class, Arbitraries.integers());
    known.put(boolean.class, Arbitraries.of(true, false));
    known.put(String.class, JsonValues.strings());
    known.put(Json.class, JsonValues.values());
    known.put(Json.Obj.class, JsonValues.objects());
    known.put(Asker.class, Arbitraries.just(new Asker.ByMessage(replyTo)));
    Arbitrary<Sku> skus =
        Arbitraries.strings().withCharRange('!', '~').ofMinLength(1).ofMaxLength(64).map(Sku::new);
    Arbitrary<Price> prices =
        Combinators.combine(
                Arbitraries.longs().greaterOrEqual(0),
                Arbitraries.of(CURRENCIES).map(Price::currency))
            .as(Price::new);
    known.put(Sku.class, skus);
    known.put(Price.class, prices);
    known.put(
        Line.class,
        Combinators.combine(
                skus,
                Arbitraries.integers().greaterOrEqual(1),
                prices,
                JsonValues.strings().injectNull(0.5),
                JsonValues.objects())
            .as(Line::new));
    // The others stay on their node.
    known.put(Message.class, of(Message.Ask.class));
  }

  @SuppressWarnings("unchecked")
  <T> Arbitrary<T> of(Class<T> type) {
    return (Arbitrary<T>) any(type);
  }

  private Arbitrary<?> any(Type type) {
    Arbitrary<?> arbitrary = known.get(type);
    if (arbitrary == null) {
      arbitrary = make(type);
      known.put(type, arbitrary);
    }
    return arbitrary;
  }

  private Arbitrary<?> make(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type argument = generic.getActualTypeArguments()[0];
      if (generic.getRawType() == List.class) {
        return any(argument).list().ofMaxSize(3);
      }
      if (generic.getRawType() == Set.class) {
        return any(argument).set().ofMaxSize(3);
      }
      return any(generic.getRawType());
    }
    var declared = (Class<?>) type;
    if (declared.isEnum()) {
      return Arbitraries.of(declared.getEnumConstants());
    }
    if (declared.isSealed()) {
      return Arbitraries.of(declared.getPermittedSubclasses()).flatMap(this::any);
    }
    if (declared.isRecord()) {
      return record(declared);
    }
    throw new AssertionError("how to make any " + type + "?");
  }

  private Arbitrary<?> record(Class<?> type) {
    RecordComponent[] components = type.getRecordComponents();
    List<Arbitrary<Object>> values = Arrays.stream(components).map(this::component).toList();
    Constructor<?> constructor = constructor(type, components);
    return Combinators.combine(values)
        .as(arguments -> {
          try {
            return (Object) constructor.newInstance(arguments.toArray());
          } catch (ReflectiveOperationException e) {
            throw new LinkageError("no " + type + " of " + arguments, e);
          }
        });
  }

  @SuppressWarnings("unchecked")
  private Arbitrary<Object> component(RecordComponent component) {
    var any = (Arbitrary<Object>) any(component.getGenericType());
    return isNullable(component.getAnnotatedType()) ? any.injectNull(0.3) : any;
  }

  private static boolean isNullable(AnnotatedType type) {
    return type.isAnnotationPresent(Nullable.class);
  }

  private static Constructor<?> constructor(Class<?> type, RecordComponent[] components) {
    try {
      Constructor<?> constructor =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new));
      constructor.setAccessible(true);
      return constructor;
    } catch (NoSuchMethodException e) {
      throw new AssertionError(e);
    }
  }
}
