package dev.holdfast.journal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import scala.concurrent.Future;
import scala.concurrent.Promise;
import scala.concurrent.Promise$;

/** Hands our futures to Pekko's plugin interfaces. */
final class ScalaFutures {

  private ScalaFutures() {}

  /**
   * The outcome of {@code future}, mapped. A failure is handed on as it is: the library's converter
   * would wrap it, and the actor could not tell {@link NotWritten} from {@link InDoubt}.
   */
  static <A extends @Nullable Object, B extends @Nullable Object> Future<B> mapped(
      CompletableFuture<A> future, Function<? super A, ? extends B> mapping) {
    Promise<B> promise = Promise$.MODULE$.apply();
    var _ =
        future.whenComplete((result, failure) -> {
          if (failure != null) {
            promise.failure(unwrapped(failure));
            return;
          }
          try {
            promise.success(mapping.apply(result));
          } catch (RuntimeException e) {
            promise.failure(e);
          }
        });
    return promise.future();
  }

  /** {@return what a stage failed with, without the wrapper that later stages give it} */
  static Throwable unwrapped(Throwable failure) {
    return failure instanceof CompletionException wrapper && wrapper.getCause() != null
        ? wrapper.getCause()
        : failure;
  }
}
