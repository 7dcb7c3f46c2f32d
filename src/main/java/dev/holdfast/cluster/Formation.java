package dev.holdfast.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.entity.MessageSerializer;
import dev.holdfast.journal.InDoubt;
import dev.holdfast.journal.IncarnationHolder;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.NodeRegistry.Incarnation;
import dev.holdfast.journal.NodeRegistry.Registered;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the cluster that the journal belongs to and joins it, or makes one where none lives.
 *
 * <p>A cluster <em>is</em> its journal: the incarnation's row says whether one lives, the nodes'
 * rows say where. Only one process can claim the next incarnation, so of many that start at once
 * one makes the cluster and the others find it. The actor system's name carries the incarnation's
 * number: processes of two incarnations do not understand each other at all.
 *
 * <p>A node has a row before it hosts anything. Whoever claims has it with the claim, and tells the
 * address once it is known; whoever joins makes it when it is up.
 */
final class Formation {

  private static final Logger LOG = LoggerFactory.getLogger(Formation.class);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Longer than it takes to exclude a member that is gone, before which nobody can come in. */
  private static final Duration JOINING = Duration.ofSeconds(25);

  private static final Duration ENDING = Duration.ofSeconds(10);

  /** Longer than it takes any of the living to renew their incarnation. */
  private static final Duration SILENT_BESIDE_THE_STORE = Duration.ofSeconds(4);

  private static final int REACHING_MILLIS = 300;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final int LOOKS_TO_ONE_AT_THE_JOURNAL = 5;

  private final Config config;
  private final ClusterSettings settings;
  private final Journal journal;
  private final Limits limits;
  private final NodeRegistry nodes;
  private final Host host;
  private final ReadLease lease;
  private final int wirePort;
  private final long end = System.nanoTime() + PATIENCE.toNanos();
  private List<String> tokenKeys;

  /** Since when each look has found the incarnation silent. */
  private @Nullable Long silentSince;

  /**
   * The incarnation that this node has tried to join, 0 for none. A row of its own in that one says
   * only that it was let in before the journal fell silent, and not that it is the first there.
   */
  private long joining;

  Formation(
      Config config,
      ClusterSettings settings,
      Journal journal,
      Limits limits,
      Host host,
      ReadLease lease,
      int wirePort) {
    this.config = config;
    this.settings = settings;
    this.journal = journal;
    this.limits = limits;
    this.nodes = journal.nodes();
    this.host = host;
    this.tokenKeys = host.tokenKeys();
    this.lease = lease;
    this.wirePort = wirePort;
  }

  /**
   * A member that is up and has its row.
   *
   * @param tokenKeys names of its keys for session tokens; the first one signs
   */
  record Formed(ActorSystem<Void> system, IncarnationHolder incarnation, List<String> tokenKeys) {}

  /**
   * Returns when the node is a member.
   *
   * @throws IllegalStateException if it does not become one within 60 s, or must not
   */
  Formed form() {
    String obstacle = "the journal does not answer";
    while (System.nanoTime() - end < 0) {
      try {
        EventForms.requireKnown(nodes);
        Incarnation incarnation = nodes.incarnation();
        List<Registered> registered = nodes.registered(incarnation.number());
        @Nullable Formed formed = null;
        if (joining != incarnation.number()
            && registered.stream().anyMatch(row -> row.id().equals(journal.node()))) {
          formed = begin(incarnation.number());
        } else if (!host.isAlone() && nodes.lives(host.silence())) {
          silentSince = null;
          obstacle = "the nodes of incarnation " + incarnation.number() + " do not let it in";
          formed = join(incarnation.number(), registered);
        } else if (isGone(registered)) {
          obstacle = "others claim the journal and end again";
          // If it cannot, somebody else has, or lives after all: the next look tells.
          if (claim(incarnation.number())) {
            continue;
          }
        } else {
          obstacle = "incarnation " + incarnation.number() + " is silent, but its nodes are there";
        }
        if (formed != null) {
          return formed;
        }
      } catch (StoreUnreadable | JournalFailure e) {
        LOG.debug("the journal does not answer yet", e);
        silentSince = null; // nor may it have answered those who would renew
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw new IllegalStateException("the node did not become a member of a cluster: " + obstacle);
  }

  /**
   * Whether nobody is there of an incarnation that was not renewed for too long. The store may not
   * have answered those who renew it either, or its clock may have been set; then they do so within
   * two seconds, and whoever has looked ten times by then must not be first. So where somebody
   * listens at the address of a node, the silence has to go on while the store answers.
   */
  private boolean isGone(List<Registered> registered) {
    long now = System.nanoTime();
    if (silentSince == null) {
      silentSince = now;
    }
    if (host.isAlone() || there(registered).isEmpty()) {
      return true;
    }
    // That reads are answered says nothing: those who renew wait for commits, which may hang for
    // want of a standby. If this one does, it is no look.
    journal.probe();
    return now - silentSince > SILENT_BESIDE_THE_STORE.toNanos();
  }

  /** {@return whether this node is known to have claimed it} */
  private boolean claim(long number) {
    try {
      boolean claimed = nodes.claim(journal.node(), number, host.silence()) != null;
      if (claimed) {
        LOG.info("incarnation {} of the cluster begins with this node", number + 1);
      }
      return claimed;
    } catch (InDoubt open) {
      // A claim registers the node, and nothing else has: the rows will say.
      LOG.debug("whether the incarnation was claimed is not known", open);
      return false;
    }
  }

  /** As the first member of an incarnation that this node has claimed. */
  private Formed begin(long number) {
    // From here on, or a machine that is slow to start lets others take the cluster for gone.
    IncarnationHolder incarnation = hold(number);
    ActorSystem<Void> system = create(number);
    try {
      Cluster cluster = Cluster.get(system);
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
      while (!isUp(system) && System.nanoTime() - end < 0) {
        LockSupport.parkNanos(PAUSE_NANOS / 10);
      }
      if (!isUp(system)) {
        throw new IllegalStateException("the node did not come up");
      }
      announce(system);
      return new Formed(system, incarnation, tokenKeys);
    } catch (RuntimeException e) {
      incarnation.close();
      end(system);
      throw e;
    }
  }

  /** Those at whose address somebody listens. After a crash of all, their rows are still there. */
  private List<Registered> there(List<Registered> registered) {
    record Asked(Registered row, Future<Boolean> answer) {}
    List<Asked> all = new ArrayList<>();
    try (var asking = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Registered row : registered) {
        String address = row.address();
        if (address != null && !isOwn(address)) {
          all.add(new Asked(row, asking.submit(() -> isThere(address))));
        }
      }
    }
    return all.stream().filter(asked -> asked.answer.resultNow()).map(Asked::row).toList();
  }

  private @Nullable Formed join(long number, List<Registered> registered) {
    joining = number;
    List<Registered> living = there(registered);
    if (living.isEmpty()) {
      return null; // claimed just now, or all gone just now
    }
    tokenKeys = agreed(living);
    ActorSystem<Void> system = create(number);
    boolean joined = false;
    try {
      List<Address> seeds =
          living.stream().map(row -> address(system, String.valueOf(row.address()))).toList();
      Cluster.get(system).manager().tell(new JoinSeedNodes(seeds));
      boolean member = comesUp(system, number) && nodes.register(journal.node(), number);
      if (member) {
        // Looked at again: it was raised before this node was seen, or not while it is here.
        EventForms.requireKnown(nodes);
        announce(system);
        LOG.info("joined incarnation {} of the cluster", number);
      }
      joined = member;
      return joined ? new Formed(system, hold(number), tokenKeys) : null;
    } finally {
      if (!joined) {
        end(system);
      }
    }
  }

  private IncarnationHolder hold(long number) {
    return IncarnationHolder.hold(
        nodes,
        journal.node(),
        number,
        host.silence(),
        host.halt(),
        new IncarnationHolder.Witness() {
          private ReadLease.Moment asked = lease.now();

          @Override
          public void asks() {
            asked = lease.now();
            lease.asksJournal();
          }

          @Override
          public void held() {
            lease.held(asked);
          }
        });
  }

  private boolean comesUp(ActorSystem<Void> system, long number) {
    long giveUpAt = System.nanoTime() + JOINING.toNanos();
    for (int look = 1; System.nanoTime() - giveUpAt < 0; look++) {
      if (isUp(system)) {
        return true;
      }
      if (look % LOOKS_TO_ONE_AT_THE_JOURNAL == 0
          && (nodes.incarnation().number() != number || !nodes.lives(host.silence()))) {
        return false;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    LOG.warn("no member of incarnation {} let this node in within {}", number, JOINING);
    return false;
  }

  private static boolean isUp(ActorSystem<Void> system) {
    return Cluster.get(system).selfMember().status().equals(MemberStatus.up());
  }

  private void announce(ActorSystem<Void> system) {
    Address own = Cluster.get(system).selfMember().address();
    if (!nodes.announce(journal.node(), hostPort(own), tokenKeys)) {
      throw new IllegalStateException("the node was fenced while it started");
    }
  }

  /** {@return an address as the nodes' rows have it} */
  static String hostPort(Address address) {
    return address.getHost().orElse("") + ":" + address.getPort().map(String::valueOf).orElse("");
  }

  private static Address address(ActorSystem<Void> system, String hostPort) {
    int colon = hostPort.lastIndexOf(':');
    Address own = Cluster.get(system).selfMember().address();
    return new Address(
        own.protocol(),
        own.system(),
        hostPort.substring(0, colon),
        Integer.parseInt(hostPort, colon + 1, hostPort.length(), 10));
  }

  /** An earlier process at the place of this one: it must be gone. */
  private boolean isOwn(String address) {
    return settings.place().port() != 0
        && address.equals(bracketed(settings.place().host()) + ":" + settings.place().port());
  }

  /** As Pekko writes a host, and so the nodes' rows have it: a literal of IPv6 in brackets. */
  private static String bracketed(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  /** Whether somebody listens there. An actor system made only to find nobody costs time. */
  private static boolean isThere(String address) {
    int colon = address.lastIndexOf(':');
    try (var socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(
              address.substring(0, colon),
              Integer.parseInt(address, colon + 1, address.length(), 10)),
          REACHING_MILLIS);
      return true;
    } catch (IOException nobody) {
      return false;
    }
  }

  /**
   * {@return the names of the own keys, the one first that this node can sign with} Tokens that one
   * node signs must be good at every other. So each must have the key that the others sign with,
   * and signs with the first of its own that they have; the rest may differ, as while a new key is
   * brought in.
   */
  private List<String> agreed(List<Registered> others) {
    List<Registered> telling = others.stream().filter(row -> !row.tokenKeys().isEmpty()).toList();
    if (telling.isEmpty() || host.tokenKeys().isEmpty()) {
      return host.tokenKeys();
    }
    for (Registered other : telling) {
      if (!host.tokenKeys().contains(other.tokenKeys().getFirst())) {
        throw new IllegalStateException(
            "the node at "
                + other.address()
                + " signs session tokens with another key: give all nodes of a journal the same"
                + " holdfast.token-keys");
      }
    }
    String signing =
        host.tokenKeys().stream()
            .filter(key -> telling.stream().allMatch(row -> row.tokenKeys().contains(key)))
            .findFirst()
            .orElseThrow(() ->
                new IllegalStateException(
                    "no key for session tokens is known to all nodes: give all nodes of a"
                        + " journal the same holdfast.token-keys"));
    var keys = new ArrayList<>(List.of(signing));
    host.tokenKeys().stream().filter(key -> !key.equals(signing)).forEach(keys::add);
    return keys;
  }

  private ActorSystem<Void> create(long number) {
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "holdfast-" + number, own());
    if (!host.isAlone()) {
      // Before it joins: whoever is a member is needed for the others' right to answer at once.
      LeaseActor.start(
          Adapter.toClassic(system),
          journal.node().value(),
          lease,
          () -> !nodes.isFenced(journal.node()));
    }
    return system;
  }

  private Config own() {
    ClusterSettings.Place place = settings.place();
    NodeId id = journal.node();
    var own = new HashMap<String, Object>();
    own.put("pekko.cluster.sharding.number-of-shards", settings.shards());
    own.put(
        "pekko.cluster.sharding.passivation.default-strategy.active-entity-limit",
        settings.usersInMemory());
    own.put(
        "pekko.cluster.roles",
        List.of(
            Members.idRole(id.value()),
            Members.nameRole(place.name()),
            Members.wireRole(wirePort),
            Members.formRole(Event.newestForm())));
    own.put(
        "pekko.remote.artery.advanced.maximum-frame-size",
        MessageSerializer.mostBytes(limits) + "b");
    own.put("pekko.remote.artery.canonical.hostname", place.host());
    own.put("pekko.remote.artery.canonical.port", place.port());
    own.put("pekko.remote.artery.bind.hostname", place.bindHost());
    ClusterSettings.@Nullable Tls tls = place.tls();
    if (tls != null) {
      own.put("pekko.remote.artery.transport", "tls-tcp");
      own.put(
          "pekko.remote.artery.ssl.ssl-engine-provider",
          "org.apache.pekko.remote.artery.tcp.ssl.RotatingKeysSSLEngineProvider");
      String engine = "pekko.remote.artery.ssl.rotating-keys-engine.";
      own.put(engine + "cert-file", tls.certificate().toAbsolutePath().toString());
      own.put(engine + "key-file", tls.key().toAbsolutePath().toString());
      own.put(engine + "ca-cert-file", tls.authority().toAbsolutePath().toString());
    }
    return ConfigFactory.parseMap(own).withFallback(config);
  }

  private static void end(ActorSystem<Void> system) {
    system.terminate();
    try {
      system.getWhenTerminated().toCompletableFuture().get(ENDING.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("an actor system did not end", e);
    }
  }
}
