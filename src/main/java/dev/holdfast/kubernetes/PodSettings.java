package dev.holdfast.kubernetes;

import java.net.URI;
import java.nio.file.Path;

/**
 * Which pod this process is in, and how it reaches the API server.
 *
 * @param name of the pod
 * @param api where the API server is, {@code https} or {@code http}, without a path
 * @param account folder of the service account: the files {@code token}, {@code namespace}, and
 *     {@code ca.crt} where {@code api} is {@code https}
 */
public record PodSettings(String name, URI api, Path account) {

  /** Names of pods are made of what needs no escaping in a path. */
  public static final String NAME = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?";

  public PodSettings {
    if (!name.matches(NAME)) {
      throw new IllegalArgumentException("not the name of a pod: " + name);
    }
  }
}
