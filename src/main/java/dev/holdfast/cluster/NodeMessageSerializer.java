package dev.holdfast.cluster;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Writes {@link NodeMessage}s for other nodes. The manifest names the message and its version; a
 * node that meets one it does not know drops it, and whoever asked goes without that answer.
 */
final class NodeMessageSerializer extends SerializerWithStringManifest {

  private static final int IDENTIFIER = 4405;
  private static final int MOST_TAKEOVERS = 1_000;

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object message) {
    return switch ((NodeMessage) message) {
      case NodeMessage.TellStatus _ -> "tell-status.v1";
      case NodeMessage.Status _ -> "status.v1";
      case NodeMessage.TellTakeovers _ -> "tell-takeovers.v1";
      case NodeMessage.Takeovers _ -> "takeovers.v1";
      case NodeMessage.Drains _ -> "drains.v1";
      case NodeMessage.Drain _ -> "drain.v1";
      case NodeMessage.DrainBegins _ -> "drain-begins.v1";
    };
  }

  @Override
  public byte[] toBinary(Object message) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(bytes)) {
      write((NodeMessage) message, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no device that could fail
    }
    return bytes.toByteArray();
  }

  private static void write(NodeMessage message, DataOutputStream out) throws IOException {
    switch (message) {
      case NodeMessage.Status status -> {
        out.writeUTF(status.id());
        out.writeUTF(status.http() == null ? "" : status.http());
        out.writeLong(status.pid());
        out.writeLong(status.shards().orElse(-1));
        out.writeLong(status.users());
        out.writeBoolean(status.draining());
      }
      case NodeMessage.Takeovers takeovers -> {
        out.writeInt(takeovers.list().size());
        for (Takeover takeover : takeovers.list()) {
          out.writeUTF(takeover.node());
          out.writeLong(takeover.at().toEpochMilli());
          out.writeInt(takeover.shards());
          out.writeLong(takeover.took() == null ? -1 : takeover.took().toMillis());
        }
      }
      case NodeMessage.Drains drains -> out.writeUTF(drains.id());
      case NodeMessage.TellStatus _,
          NodeMessage.TellTakeovers _,
          NodeMessage.Drain _,
          NodeMessage.DrainBegins _ -> {
        // The manifest says it all.
      }
    }
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      return switch (manifest) {
        case "tell-status.v1" -> new NodeMessage.TellStatus();
        case "status.v1" -> status(in);
        case "tell-takeovers.v1" -> new NodeMessage.TellTakeovers();
        case "takeovers.v1" -> takeovers(in);
        case "drains.v1" -> new NodeMessage.Drains(in.readUTF());
        case "drain.v1" -> new NodeMessage.Drain();
        case "drain-begins.v1" -> new NodeMessage.DrainBegins();
        default -> throw new NotSerializableException("no message of a node: " + manifest);
      };
    } catch (IOException e) {
      throw new NotSerializableException(manifest + " cannot be read: " + e.getMessage());
    }
  }

  private static NodeMessage.Status status(DataInputStream in) throws IOException {
    String id = in.readUTF();
    String http = in.readUTF();
    long pid = in.readLong();
    long shards = in.readLong();
    return new NodeMessage.Status(
        id,
        http.isEmpty() ? null : http,
        pid,
        shards < 0 ? OptionalLong.empty() : OptionalLong.of(shards),
        in.readLong(),
        in.readBoolean());
  }

  private static NodeMessage.Takeovers takeovers(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > MOST_TAKEOVERS) {
      throw new IOException(count + " takeovers");
    }
    List<Takeover> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String node = in.readUTF();
      Instant at = Instant.ofEpochMilli(in.readLong());
      int shards = in.readInt();
      long took = in.readLong();
      list.add(new Takeover(node, at, shards, took < 0 ? null : Duration.ofMillis(took)));
    }
    return new NodeMessage.Takeovers(list);
  }
}
