package dev.holdfast.command;

import dev.holdfast.tls.Pem;
import java.io.IOException;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of every command that may ask a server by TLS. */
final class TlsOptions {

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description = "Authorities in PEM that the server's certificate comes from (the platform's).",
      defaultValue = "${env:HOLDFAST_CA}")
  private @Nullable Path authorities;

  @Option(
      names = "--client-certificate",
      paramLabel = "FILE",
      description = "Certificate in PEM, for a server that asks for one; needs --client-key, --ca.",
      defaultValue = "${env:HOLDFAST_CLIENT_CERTIFICATE}")
  private @Nullable Path certificate;

  @Option(
      names = "--client-key",
      paramLabel = "FILE",
      description = "Its key, in PKCS#8.",
      defaultValue = "${env:HOLDFAST_CLIENT_KEY}")
  private @Nullable Path key;

  /** {@return whom to trust and what to show; null for what the platform has} */
  @Nullable SSLContext context(CommandSpec spec) {
    if (authorities == null && certificate == null && key == null) {
      return null;
    }
    if (authorities == null || (certificate == null) != (key == null)) {
      throw new ParameterException(
          spec.commandLine(), "--client-certificate needs --client-key and --ca");
    }
    try {
      return Pem.client(authorities, certificate, key);
    } catch (IOException e) {
      throw new ParameterException(
          spec.commandLine(), "no TLS with these files: " + e.getMessage());
    }
  }
}
