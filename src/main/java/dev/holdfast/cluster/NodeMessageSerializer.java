package dev.holdfast.cluster;

import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.Histogram.Scale;
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
  private static final int MOST_NODES = 10_000;

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
      case NodeMessage.TellWork _ -> "tell-work.v1";
      case NodeMessage.Work _ -> "work.v1";
      case NodeMessage.Drains _ -> "drains.v1";
      case NodeMessage.Drain _ -> "drain.v1";
      case NodeMessage.DrainBegins _ -> "drain-begins.v1";
      case NodeMessage.AskGrant _ -> "ask-grant.v1";
      case NodeMessage.Grant _ -> "grant.v1";
      case NodeMessage.Refuse _ -> "refuse.v1";
      case NodeMessage.Grants _ -> "grants.v1";
      case NodeMessage.TellSight _ -> "tell-sight.v1";
      case NodeMessage.Seen _ -> "seen.v1";
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
          out.writeUTF(takeover.tier().name());
          out.writeLong(takeover.at().toEpochMilli());
          out.writeInt(takeover.shards());
          out.writeLong(takeover.took() == null ? -1 : takeover.took().toMillis());
        }
      }
      case NodeMessage.Work work -> write(work.figures(), out);
      case NodeMessage.Drains drains -> out.writeUTF(drains.id());
      case NodeMessage.AskGrant(String id, long number) -> {
        out.writeUTF(id);
        out.writeLong(number);
      }
      case NodeMessage.Grant(String by, long number) -> {
        out.writeUTF(by);
        out.writeLong(number);
      }
      case NodeMessage.Refuse refuse -> {
        out.writeInt(refuse.ids().size());
        for (String id : refuse.ids()) {
          out.writeUTF(id);
        }
      }
      case NodeMessage.Grants grants -> out.writeLong(grants.millisAgo());
      case NodeMessage.TellSight question -> out.writeUTF(question.id());
      case NodeMessage.Seen(String by, String id, Sight sight) -> {
        out.writeUTF(by);
        out.writeUTF(id);
        out.writeUTF(sight.name());
      }
      case NodeMessage.TellStatus _,
          NodeMessage.TellTakeovers _,
          NodeMessage.TellWork _,
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
        case "tell-work.v1" -> new NodeMessage.TellWork();
        case "work.v1" -> new NodeMessage.Work(figures(in));
        case "drains.v1" -> new NodeMessage.Drains(in.readUTF());
        case "drain.v1" -> new NodeMessage.Drain();
        case "drain-begins.v1" -> new NodeMessage.DrainBegins();
        case "ask-grant.v1" -> new NodeMessage.AskGrant(in.readUTF(), in.readLong());
        case "grant.v1" -> new NodeMessage.Grant(in.readUTF(), in.readLong());
        case "refuse.v1" -> refuse(in);
        case "grants.v1" -> new NodeMessage.Grants(in.readLong());
        case "tell-sight.v1" -> new NodeMessage.TellSight(in.readUTF());
        case "seen.v1" ->
            new NodeMessage.Seen(in.readUTF(), in.readUTF(), named(Sight.class, in.readUTF()));
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

  private static NodeMessage.Refuse refuse(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > MOST_NODES) {
      throw new IOException(count + " nodes");
    }
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(in.readUTF());
    }
    return new NodeMessage.Refuse(ids);
  }

  private static <T extends Enum<T>> T named(Class<T> type, String name) throws IOException {
    try {
      return Enum.valueOf(type, name);
    } catch (IllegalArgumentException unknown) {
      throw new IOException("no such " + type.getSimpleName() + ": " + name);
    }
  }

  private static void write(Figures figures, DataOutputStream out) throws IOException {
    out.writeLong(figures.upMillis());
    Figures.Requests requests = figures.requests();
    write(requests.reads(), out);
    write(requests.writes(), out);
    out.writeLong(requests.refused());
    out.writeLong(requests.failed());
    Figures.Journal journal = figures.journal();
    out.writeBoolean(journal.takesWrites());
    out.writeLong(journal.queued());
    out.writeLong(journal.recovering());
    out.writeLong(journal.events());
    write(journal.commits(), out);
    write(journal.batches(), out);
    write(journal.recoveries(), out);
    Figures.Memory memory = figures.memory();
    out.writeLong(memory.users());
    out.writeLong(memory.unreadable());
    out.writeLong(memory.heapUsed());
    out.writeLong(memory.heapMax());
  }

  private static Figures figures(DataInputStream in) throws IOException {
    return new Figures(
        in.readLong(),
        new Figures.Requests(
            distribution(Scale.NANOS, in),
            distribution(Scale.NANOS, in),
            in.readLong(),
            in.readLong()),
        new Figures.Journal(
            in.readBoolean(),
            in.readLong(),
            in.readLong(),
            in.readLong(),
            distribution(Scale.NANOS, in),
            distribution(Scale.COUNT, in),
            distribution(Scale.NANOS, in)),
        new Figures.Memory(in.readLong(), in.readLong(), in.readLong(), in.readLong()));
  }

  private static void write(Distribution values, DataOutputStream out) throws IOException {
    for (int bucket = 0; bucket <= values.scale().size(); bucket++) {
      out.writeLong(values.count(bucket));
    }
    out.writeLong(values.sum());
  }

  private static Distribution distribution(Scale scale, DataInputStream in) throws IOException {
    long[] counts = new long[scale.size() + 1];
    for (int bucket = 0; bucket < counts.length; bucket++) {
      counts[bucket] = in.readLong();
    }
    return new Distribution(scale, counts, in.readLong());
  }

  private static NodeMessage.Takeovers takeovers(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > MOST_TAKEOVERS) {
      throw new IOException(count + " takeovers");
    }
    List<Takeover> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String node = in.readUTF();
      Tier tier = named(Tier.class, in.readUTF());
      Instant at = Instant.ofEpochMilli(in.readLong());
      int shards = in.readInt();
      long took = in.readLong();
      list.add(new Takeover(node, tier, at, shards, took < 0 ? null : Duration.ofMillis(took)));
    }
    return new NodeMessage.Takeovers(list);
  }
}
