package dev.holdfast.kubernetes;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import java.lang.reflect.InvocationTargetException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Holds objects to the OpenAPI schemas of Kubernetes 1.34, by the model classes that the official
 * Java client has generated from them: required fields, unknown fields, and types, all the way
 * down.
 */
final class Schemas {

  private static final String MODELS = "io.kubernetes.client.openapi.models.";

  /** Where the class is not named by version and kind. */
  private static final Map<String, String> GROUPS =
      Map.of(
          "apps/v1", "V1",
          "autoscaling/v2", "V2",
          "networking.k8s.io/v1", "V1",
          "policy/v1", "V1",
          "rbac.authorization.k8s.io/v1", "V1",
          "v1", "V1");

  private static final Gson GSON = new Gson();

  private Schemas() {}

  /** {@return whether the object is one of Kubernetes itself, not of an extension} */
  static boolean know(Manifest object) {
    return GROUPS.containsKey(object.get("apiVersion").text());
  }

  /** {@return what is wrong with the object; null if nothing is} */
  static @Nullable String problem(Manifest object) {
    String version = GROUPS.get(object.get("apiVersion").text());
    try {
      Class.forName(MODELS + version + object.kind())
          .getMethod("validateJsonElement", JsonElement.class)
          .invoke(null, GSON.toJsonTree(object.value()));
      return null;
    } catch (InvocationTargetException e) {
      return object.at() + ": " + e.getCause();
    } catch (ReflectiveOperationException e) {
      return object.at() + ": no such kind: " + e;
    }
  }
}
