package dev.holdfast.cluster;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A real part that fails where a test says so. */
final class Faulty {

  private Faulty() {}

  /**
   * {@return one that does what {@code real} does}
   *
   * @param instead what a method of this name answers or throws; null if it does as ever
   */
  static <T> T made(Class<T> type, T real, Function<String, @Nullable Object> instead) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              Object answer = instead.apply(method.getName());
              if (answer != null) {
                return answer;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }
}
