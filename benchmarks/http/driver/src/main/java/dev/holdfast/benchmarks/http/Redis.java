package dev.holdfast.benchmarks.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A Redis of our own, on loopback, with an append-only file. */
final class Redis implements AutoCloseable {

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Process process;
  private final int port;

  /**
   * Starts one.
   *
   * @param folder for its files; made
   * @param appendFsync {@code always} or {@code everysec}
   */
  Redis(Path folder, String appendFsync) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    process =
        new ProcessBuilder(command(folder, port, appendFsync))
            .inheritIO()
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!answers()) {
      if (!process.isAlive() || System.nanoTime() - end > 0) {
        close();
        throw new IOException("Redis does not start, see " + folder.resolve("log"));
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  /**
   * Snapshots are off, as the append-only file is what survives; it is rewritten between turns, so
   * that this falls on nobody's.
   */
  static List<String> command(Path folder, int port, String appendFsync) {
    return List.of(
        "redis-server",
        "--bind",
        "127.0.0.1",
        "--port",
        Integer.toString(port),
        "--dir",
        folder.toString(),
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        appendFsync,
        "--auto-aof-rewrite-percentage",
        "0");
  }

  String url() {
    return "redis://127.0.0.1:" + port;
  }

  int port() {
    return port;
  }

  /** Makes the append-only file small, and waits for that. */
  void settle() throws IOException, InterruptedException {
    ask("BGREWRITEAOF");
    while (ask("INFO persistence").contains("aof_rewrite_in_progress:1")) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  String version() throws IOException {
    return ask("INFO server")
        .lines()
        .filter(line -> line.startsWith("redis_version:"))
        .map(line -> line.substring(line.indexOf(':') + 1))
        .findFirst()
        .orElse("?");
  }

  private boolean answers() {
    try {
      return ask("PING").startsWith("+PONG");
    } catch (IOException notYet) {
      return false;
    }
  }

  private String ask(String command) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) TimeUnit.NANOSECONDS.toMillis(PATIENCE_NANOS));
      socket
          .getOutputStream()
          .write((command + "\r\nQUIT\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
