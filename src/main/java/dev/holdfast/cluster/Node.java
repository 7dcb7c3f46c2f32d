package dev.holdfast.cluster;

import com.typesafe.config.Config;
import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.AwakeUsers;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.Population;
import dev.holdfast.entity.RightToAnswer;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.journal.IncarnationHolder;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.peer.PeerResponder;
import dev.holdfast.peer.PeerTls;
import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.user.Command;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.pekko.Done;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystemImpl;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.ShardCoordinator$RebalanceWorker$ShardRegionTerminated;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityContext;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.pattern.Patterns;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.concurrent.duration.FiniteDuration;

/**
 * This process as a member of the cluster: the actor system, the users it holds, and the agenda.
 *
 * <p>It finds its cluster by the journal ({@link Formation}), takes over users of a node that is
 * lost only after that one is fenced ({@link ShardGate}), and hands its own over before it leaves
 * ({@link #drain}).
 */
public final class Node implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  /** How long leaving the cluster may take. */
  private static final Duration LEAVING = Duration.ofSeconds(17);

  /** How long it is waited for what ends after that, which is of no use to anybody. */
  private static final Duration ENDING = Duration.ofSeconds(3);

  /** How long {@link #close} may take. */
  public static final Duration STOPPING = LEAVING.plus(ENDING);

  private static final EntityTypeKey<Message> USERS = EntityTypeKey.create(Message.class, "user");
  private static final Duration SERVING = Duration.ofSeconds(30);
  private static final Duration QUERY = Duration.ofSeconds(1);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long LOOK_MILLIS = 1_000;
  private static final int LOOKS_BETWEEN_CALLS = 5;

  /** Each other node looks at least once in so long. */
  private static final long LOOKED_NANOS = TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS * 3 / 2);

  /** Others must have had the time to say that they leave as well. */
  private static final long NOBODY_STAYS_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Whoever sends requests needs so long to see that this node takes none any more. */
  private static final long NOTICE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long LAPSE_NANOS = TimeUnit.SECONDS.toNanos(3);

  private static final int WAKE_MILLIS = 5_000;
  private static final String USERS_DISPATCHER = "holdfast-users-dispatcher";
  private static final OwnerKey NOBODY = new OwnerKey(0, 0);

  private final Journal journal;
  private final ClusterSettings settings;
  private final TrustedClock clock;
  private final Limits limits;
  private final ActorSystem<Void> system;
  private final org.apache.pekko.actor.ActorSystem classic;
  private final Cluster cluster;
  private final IncarnationHolder incarnation;
  private final ReadLease lease;
  private final RightToAnswer right;
  private final @Nullable DeathWire wire;
  private final ShardRanges ranges;
  private final Peers peers;
  private final PeerResponder responder;
  private final HeldShards held;
  private final Leavers leavers = new Leavers();
  private final Serving serving = new Serving();
  private final TakeoverLog takeovers;
  private final Population population = new Population();
  private final Waiting waiting = new Waiting();
  private final ShardedUsers users;
  private final Listening listening;
  private final EventForms forms;
  private final Agenda agenda;
  private final ActorRef region;
  private final Pulse pulse;

  /** Done when there is nothing left to do for the cluster. */
  private final CompletableFuture<Done> left = new CompletableFuture<>();

  private final ScheduledExecutorService looking =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-node").factory());

  /** Apart from the others, which wait for answers. */
  private final ScheduledExecutorService resting =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-rest").factory());

  private volatile List<String> tokenKeys;
  private volatile @Nullable URI http;
  private volatile @Nullable Supplier<Figures> work;

  /** Only for the thread that looks. */
  private int looks;

  private volatile boolean draining;
  private volatile long lastRight = System.nanoTime();
  private volatile boolean leaving;

  private Node(
      Formation.Formed formed,
      ClusterSettings settings,
      Journal journal,
      TrustedClock clock,
      Limits limits,
      Host host,
      ReadLease lease,
      @Nullable DeathWire wire) {
    this.journal = journal;
    this.settings = settings;
    this.clock = clock;
    this.limits = limits;
    this.lease = lease;
    this.right = host.isAlone() ? RightToAnswer.ALWAYS : lease;
    this.wire = wire;
    this.system = formed.system();
    this.tokenKeys = formed.tokenKeys();
    this.classic = Adapter.toClassic(system);
    this.cluster = Cluster.get(classic);
    this.pulse = Pulse.of(system);
    this.incarnation = formed.incarnation();
    incarnation.speaksWhile(this::isOldest);
    this.ranges = new ShardRanges(settings.shards());
    CoordinatedShutdown.get(classic)
        .addTask(
            CoordinatedShutdown.PhaseBeforeActorSystemTerminate(),
            "holdfast-left",
            () -> {
              left.complete(Done.getInstance());
              return left;
            });
    @Nullable PeerTls tls = peerTls(settings.place().tls());
    this.peers = new Peers(ranges, journal.node().value(), tls);
    this.responder = new PeerResponder(population.local(), tls);
    this.held = new HeldShards(ranges, journal::forgetPrefetched);
    InstantSource time = () -> Instant.ofEpochMilli(clock.read().millis());
    this.takeovers = new TakeoverLog(time);
    NodeRegistry nodes = journal.nodes();
    this.forms = new EventForms(nodes, settings.eventForm());
    forms.members(cluster.state());
    forms.look();
    String id = journal.node().value();
    var losses = new Losses(time);
    var fence = new NodeFence(nodes, journal.node(), host);
    ActorRef actor =
        own(
            NodeActor.NAME,
            NodeActor.props(
                new NodeActor.Voice(
                    id,
                    this::status,
                    this::figures,
                    takeovers,
                    losses,
                    leavers,
                    serving,
                    waiting::nodeLost,
                    () -> draining,
                    () -> leaving,
                    this::lookAtMembers,
                    host)));
    if (wire != null) {
      wire.handOn(responder);
      own(
          CrashDetector.NAME,
          CrashDetector.props(
              new CrashDetector.Parts(
                  id,
                  wire,
                  losses,
                  dead -> {
                    waiting.nodeLost();
                    fence.fenceSoon(new NodeId(dead));
                  })));
      own(FenceRace.NAME, FenceRace.props(fence, losses));
    }
    var gate =
        new ShardGate(
            nodes,
            journal.node(),
            incarnation.number(),
            new Outlook(actor),
            fence,
            losses,
            takeovers,
            Thread::startVirtualThread,
            IncarnationHolder.noticing(host.silence()));
    // Users reach each other over the region, which is there only after they are defined.
    var surroundings = new CompletableFuture<UserEntity.Surroundings>();
    this.users =
        new ShardedUsers(
            system,
            ClusterSharding.get(system)
                .<Message, Addressed>init(
                    Entity.of(USERS, entity -> user(entity, surroundings))
                        .withEntityProps(DispatcherSelector.fromConfig(USERS_DISPATCHER))
                        .withStopMessage(new Message.Stop())
                        .withMessageExtractor(ranges)
                        .withAllocationStrategy(
                            new ShardAllocation(
                                settings.shards(),
                                gate,
                                new Standing(),
                                this::tellMovers,
                                takeovers))),
            population.local(),
            peers,
            waiting);
    this.region =
        org.apache.pekko.cluster.sharding.ClusterSharding.get(classic).shardRegion(USERS.name());
    surroundings.complete(
        new UserEntity.Surroundings(
            settings.place().name(),
            journal,
            clock,
            right,
            limits,
            users,
            population,
            forms::newest,
            host.owners()));
    this.listening = new Listening(system, users);
    this.agenda = new Agenda(journal, users, held::owners, clock, settings);
  }

  /**
   * Forms or joins the cluster of the journal, and returns when the node serves users.
   *
   * @param config with the keys of Pekko
   * @throws IllegalStateException if it does not get there within about 90 s, or must not join the
   *     cluster that it finds
   */
  public static Node start(
      Config config,
      ClusterSettings settings,
      Journal journal,
      TrustedClock clock,
      Limits limits,
      Host host) {
    var lease = new ReadLease(System::nanoTime, () -> clock.read().millis(), host.silence());
    // Before anybody knows of this process, so that its end can be seen from then on.
    @Nullable DeathWire wire = host.isAlone() ? null : openWire(settings.place(), journal.node());
    if (wire != null && settings.place().tls() == null && !isOnThisMachine(settings.place())) {
      LOG.warn(
          "nodes speak to each other in the clear: whoever reaches their port can do what a node"
              + " can, and stop this one; close it to others, or set holdfast.cluster.tls");
    }
    Formation.Formed formed;
    try {
      int port = wire == null ? 0 : wire.port();
      formed = new Formation(config, settings, journal, limits, host, lease, port).form();
    } catch (RuntimeException e) {
      close(wire);
      throw e;
    }
    try {
      var node = new Node(formed, settings, journal, clock, limits, host, lease, wire);
      if (!node.comesToServe()) {
        throw new IllegalStateException("the node did not come to serve users within " + SERVING);
      }
      node.look();
      node.agenda.start();
      var _ =
          node.looking.scheduleWithFixedDelay(
              node::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
      var _ =
          node.resting.scheduleWithFixedDelay(
              node.population.awake()::sweep,
              AwakeUsers.SWEEP_MILLIS,
              AwakeUsers.SWEEP_MILLIS,
              TimeUnit.MILLISECONDS);
      return node;
    } catch (RuntimeException e) {
      formed.incarnation().close();
      formed.system().terminate();
      close(wire);
      throw e;
    }
  }

  private static DeathWire openWire(ClusterSettings.Place place, NodeId id) {
    try {
      return DeathWire.open(place.bindHost(), place.wirePort(), id);
    } catch (IOException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private static boolean isOnThisMachine(ClusterSettings.Place place) {
    InetAddress address = new InetSocketAddress(place.bindHost(), 0).getAddress();
    return address != null && address.isLoopbackAddress();
  }

  private static void close(@Nullable DeathWire wire) {
    if (wire != null) {
      wire.close();
    }
  }

  private static @Nullable PeerTls peerTls(ClusterSettings.@Nullable Tls tls) {
    return tls == null ? null : new PeerTls(tls.certificate(), tls.key(), tls.authority());
  }

  /**
   * Upon each event, and every second: Pekko keeps the state apart from those who are told of the
   * events, so what is seen upon the last of them may be of before it.
   */
  private void lookAtMembers() {
    CurrentClusterState state = cluster.state();
    forms.members(state);
    peers.members(state.getMembers());
  }

  private ActorRef own(String name, Props props) {
    return ((ExtendedActorSystem) classic).systemActorOf(props, name);
  }

  private Behavior<Message> user(
      EntityContext<Message> entity, CompletableFuture<UserEntity.Surroundings> surroundings) {
    return Behaviors.setup(context -> {
      held.entered(Adapter.toClassic(context).parent());
      return UserEntity.create(
          OwnerKey.parse(entity.getEntityId()),
          surroundings.join(),
          actor -> entity.getShard().tell(new ClusterSharding.Passivate<>(actor)));
    });
  }

  /**
   * The first answer shows that the cluster stands, that its shards are allocated and that the
   * journal can be read; anybody's will do.
   */
  private boolean comesToServe() {
    long end = System.nanoTime() + SERVING.toNanos();
    long left = SERVING.toNanos();
    boolean serves = false;
    while (!serves && left > 0) {
      Answer answer =
          users.ask(NOBODY, new Command.AskEpoch(), TimeUnit.NANOSECONDS.toMillis(left) + 1);
      serves = answer instanceof Answer.Answered;
      if (!serves) {
        // The journal does not answer yet: it is told at once, and tried again now and then.
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      left = end - System.nanoTime();
    }
    return serves;
  }

  // ---------------------------------------------------------------------------------------------
  // Shards

  /** Sees which shards are here, and, on one node, to it that each is somewhere. */
  private void look() {
    try {
      lookAtMembers();
      forms.look();
      lookAtOwn();
      if (isOldest()) {
        giveHomes();
      }
      if (somebodyLeaves() || looks++ % LOOKS_BETWEEN_CALLS == 0) {
        learnHomes();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("the shards are not known now", e);
    } catch (RuntimeException e) {
      LOG.error("a look at the shards failed; the next one comes", e);
    }
  }

  private Set<String> lookAtOwn()
      throws InterruptedException, ExecutionException, TimeoutException {
    var stats =
        (ShardRegion.ShardRegionStats)
            get(Patterns.ask(region, ShardRegion.getRegionStatsInstance(), QUERY));
    Set<String> names = new HashSet<>(stats.getStats().keySet());
    names.addAll(stats.getFailed());
    held.are(names);
    return names;
  }

  /**
   * A shard gets its first home when somebody asks for one of its users. Until then nobody would
   * wake its users when they are due, so one of them is asked for.
   */
  private void giveHomes() throws InterruptedException, ExecutionException, TimeoutException {
    var stats =
        (ShardRegion.ClusterShardingStats)
            get(
                Patterns.ask(
                    region,
                    new ShardRegion.GetClusterShardingStats(
                        FiniteDuration.create(QUERY.toMillis(), TimeUnit.MILLISECONDS)),
                    QUERY.multipliedBy(2)));
    Set<String> somewhere = new HashSet<>();
    for (ShardRegion.ShardRegionStats each : stats.getRegions().values()) {
      somewhere.addAll(each.getStats().keySet());
      somewhere.addAll(each.getFailed());
    }
    if (somewhere.isEmpty()) {
      return; // the coordinator was not reached
    }
    for (int shard = 0; shard < settings.shards(); shard++) {
      if (!somewhere.contains(String.valueOf(shard))) {
        OwnerKey first = ranges.firstOf(shard);
        Thread.startVirtualThread(() -> users.ask(first, new Command.AskEpoch(), WAKE_MILLIS));
      }
    }
  }

  /**
   * Where a shard is, this node learns when somebody asks for one of its users here, and only from
   * the coordinator. While that one moves to another node, which takes a second or more, requests
   * for shards that have not moved at all would wait for it. So one user of each shard is asked for
   * now and then, and more often while nodes hand over. Nobody waits for these answers.
   */
  private void learnHomes() {
    var question = new Message.Ask(new Command.AskEpoch(), system.ignoreRef());
    for (int shard = 0; shard < settings.shards(); shard++) {
      users.send(ranges.firstOf(shard), question);
    }
  }

  private boolean somebodyLeaves() {
    return members().anyMatch(member -> !stays(member));
  }

  private Stream<Member> members() {
    return StreamSupport.stream(cluster.state().getMembers().spliterator(), false);
  }

  /** Whether it holds users, and has not said that it hands them over. */
  private boolean stays(Member member) {
    return member.status().equals(MemberStatus.up()) && !leavers.drains(Members.id(member));
  }

  private static Object get(CompletionStage<Object> stage)
      throws InterruptedException, ExecutionException, TimeoutException {
    return stage.toCompletableFuture().get(2 * QUERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The coordinator has an actor below it for each shard that moves. */
  private void tellMovers(ActorRef gone) {
    classic
        .actorSelection("/system/sharding/" + USERS.name() + "Coordinator/singleton/coordinator/*")
        .tell(
            new ShardCoordinator$RebalanceWorker$ShardRegionTerminated(gone), ActorRef.noSender());
  }

  /** What the allocation asks. */
  private final class Standing implements ShardAllocation.Standing {

    @Override
    public boolean drains(ActorRef region) {
      Address address = region.path().address();
      if (address.hasLocalScope()) {
        return draining || leaving;
      }
      @Nullable Member member = memberAt(address);
      return member == null || !stays(member);
    }

    @Override
    public boolean serves(ActorRef region) {
      Address address = region.path().address();
      if (address.hasLocalScope()) {
        return http != null;
      }
      @Nullable Member member = memberAt(address);
      return member != null && serving.serves(Members.id(member));
    }

    /**
     * Who is no member any more is not reached either: the coordinator may see that its region is
     * gone only later, and to have it hand its shards over until then would hold them up for as
     * long as a hand-over may take.
     */
    @Override
    public boolean isUnreachable(ActorRef region) {
      Address address = region.path().address();
      CurrentClusterState state = cluster.state();
      boolean isMember = address.hasLocalScope();
      for (Member member : state.getMembers()) {
        isMember |=
            member.address().equals(address) && !member.status().equals(MemberStatus.down());
      }
      return !isMember
          || state.getUnreachable().stream().anyMatch(member -> member.address().equals(address));
    }
  }

  private @Nullable Member memberAt(Address address) {
    return members().filter(member -> member.address().equals(address)).findAny().orElse(null);
  }

  /** {@return whether no member is older: the coordinator is here, or soon will be} */
  public boolean isOldest() {
    Member self = cluster.selfMember();
    return self.status().equals(MemberStatus.up())
        && members()
            .filter(member -> member.status().equals(MemberStatus.up()))
            .noneMatch(member -> member.isOlderThan(self));
  }

  /** What the gate asks others. */
  private final class Outlook implements ShardGate.Outlook {

    private final ActorRef actor;

    Outlook(ActorRef actor) {
      this.actor = actor;
    }

    @Override
    public CompletionStage<CurrentClusterState> members() {
      var answer = new CompletableFuture<CurrentClusterState>();
      actor.tell(new NodeActor.TellMembers(answer), ActorRef.noSender());
      return answer;
    }

    @Override
    public CompletionStage<NodeId> whoIsAt(Address address, Duration patience) {
      return Patterns.ask(NodeActor.at(classic, address), new NodeMessage.TellStatus(), patience)
          .thenApply(told -> new NodeId(((NodeMessage.Status) told).id()));
    }

    @Override
    public CompletionStage<Long> refuse(Address address, List<String> ids, Duration patience) {
      if (wire == null) {
        return CompletableFuture.completedFuture(Long.MAX_VALUE); // nobody else was ever here
      }
      return Patterns.ask(LeaseActor.at(classic, address), new NodeMessage.Refuse(ids), patience)
          .thenApply(told -> ((NodeMessage.Grants) told).millisAgo());
    }
  }

  // ---------------------------------------------------------------------------------------------

  /** The actor system, whose end is not the node's. */
  ActorSystem<Void> system() {
    return system;
  }

  /**
   * Ends what the others see of it as the end of its process would: the actors without a word, and
   * its connections. It is to be closed all the same.
   */
  void abort() {
    ((ActorSystemImpl) classic).abort();
    close(wire);
    left.complete(Done.getInstance());
  }

  public Users users() {
    return users;
  }

  /** {@return the way to hear of what happens to users} */
  public Changes changes() {
    return listening;
  }

  public Population population() {
    return population;
  }

  /** {@return the cluster as this node sees it} */
  public Membership membership() {
    return new ClusterMembership(classic);
  }

  /** {@return the owners whose shards this node holds, as it knew a moment ago} */
  public List<OwnerRange> owners() {
    return held.owners();
  }

  /** {@return the number of the cluster's incarnation} */
  public long incarnation() {
    return incarnation.number();
  }

  /**
   * {@return names of the keys for session tokens; the first one is that which this node signs
   * with}
   */
  public List<String> tokenKeys() {
    return tokenKeys;
  }

  /**
   * Tells the others which keys for session tokens this node has from now on.
   *
   * @param names the first one signs
   * @return whether they can see it
   */
  public boolean announceTokenKeys(List<String> names) {
    try {
      boolean told = journal.nodes().announce(journal.node(), address(), names);
      if (told) {
        tokenKeys = List.copyOf(names);
      }
      return told;
    } catch (JournalFailure | StoreUnreadable e) {
      LOG.debug("the keys cannot be told now", e);
      return false;
    }
  }

  /**
   * {@return whether every node that may answer has this key for session tokens, so that it may
   * sign; false while that cannot be seen}
   */
  public boolean isKnownToAll(String tokenKey) {
    try {
      return journal.nodes().registered(incarnation()).stream()
          .allMatch(row -> row.tokenKeys().isEmpty() || row.tokenKeys().contains(tokenKey));
    } catch (JournalFailure | StoreUnreadable e) {
      LOG.debug("the keys of the others cannot be seen now", e);
      return false;
    }
  }

  /** {@return the newest form of events that it writes now} */
  int eventForm() {
    return forms.newest();
  }

  /** Tells the others where this node serves the API; from then on it is given users. */
  public void serves(URI url) {
    http = url;
  }

  /** {@return whether another node is known to serve the API} */
  public boolean othersServe() {
    return members()
        .anyMatch(member ->
            !member.uniqueAddress().equals(cluster.selfUniqueAddress())
                && serving.serves(Members.id(member)));
  }

  /** {@return users to practise on, who are of no cluster} */
  public Practice practice(JournalSettings journalSettings) {
    return new Practice(
        system,
        settings.place().name(),
        USERS_DISPATCHER,
        ranges,
        journalSettings,
        clock,
        limits,
        forms.newest());
  }

  /** Tells the others from now on what this node does. */
  public void measures(Supplier<Figures> figures) {
    work = figures;
  }

  private @Nullable Figures figures() {
    Supplier<Figures> told = work;
    return told == null ? null : told.get();
  }

  /** {@return how long the takeovers took that this node has carried out} */
  public Distribution takeoverTimes() {
    return takeovers.times();
  }

  /** {@return by which ways this node has asked users} */
  public Ways ways() {
    return users.ways();
  }

  /** {@return how many shards this node holds, as it knew a moment ago} */
  public long shards() {
    return held.count().orElse(0);
  }

  private NodeMessage.Status status() {
    URI url = http;
    return new NodeMessage.Status(
        journal.node().value(),
        url == null ? null : url.toString(),
        ProcessHandle.current().pid(),
        held.count(),
        population.inMemory(),
        draining);
  }

  /** {@return where other nodes reach this one, as {@code host:port}} */
  public String address() {
    return Formation.hostPort(cluster.selfAddress());
  }

  /** {@return whether this node is a member in good standing} */
  public boolean isUp() {
    return cluster.selfMember().status().equals(MemberStatus.up());
  }

  /**
   * {@return whether it holds the right to answer, or held it when this was asked a moment ago} A
   * right that lapses now and then, as beside a long pause, is none of a balancer's business.
   */
  public boolean mayAnswer() {
    long now = System.nanoTime();
    if (right.isHeld()) {
      lastRight = now;
    }
    return now - lastRight < LAPSE_NANOS;
  }

  /**
   * {@return how long ago its actors last got their turn; about a second at most while all is well}
   */
  public Duration sinceProgress() {
    return pulse.sinceLast();
  }

  // ---------------------------------------------------------------------------------------------
  // Leaving

  /**
   * Hands the users over, a few shards at a time, while requests go on. Returns when there are none
   * left here, or nobody to take them, or {@code patience} is over.
   */
  public void drain(Duration patience) {
    draining = true;
    long began = System.nanoTime();
    long end = began + patience.toNanos();
    long noticed = began + (somebodyStays() ? NOTICE_NANOS : 0);
    // The coordinator goes with the oldest: the others must know by then where all users are.
    long known = isOldest() ? LOOKED_NANOS : 0;
    @Nullable Long emptySince = null;
    @Nullable Long nobodySince = null;
    try {
      while (System.nanoTime() - end < 0) {
        emptySince = !isEmpty() ? null : emptySince == null ? (Long) System.nanoTime() : emptySince;
        if (emptySince != null
            && System.nanoTime() - emptySince >= known
            && System.nanoTime() - noticed > 0) {
          LOG.info("all users are handed over");
          return;
        }
        nobodySince =
            somebodyStays() ? null : nobodySince == null ? (Long) System.nanoTime() : nobodySince;
        if (nobodySince != null && System.nanoTime() - nobodySince > NOBODY_STAYS_NANOS) {
          LOG.info("nobody is left to hand users over to");
          return;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      LOG.warn("not all users were handed over within {}", patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Whether it is known to hold no users; a node that is short of time may not know for a while.
   */
  private boolean isEmpty() throws InterruptedException {
    try {
      return lookAtOwn().isEmpty();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("whether users are left here is not known now", e);
      return false;
    }
  }

  private boolean somebodyStays() {
    return members()
        .anyMatch(
            member -> !member.uniqueAddress().equals(cluster.selfUniqueAddress()) && stays(member));
  }

  /**
   * Leaves the cluster and stops, within {@link #STOPPING}.
   *
   * <p>Pekko's remoting ends when each of its streams has, and waits for that without a limit; now
   * and then one of them does not end (pekko#3247, open in this version). By then the node has
   * left, so that nobody misses what the streams might still carry.
   */
  @Override
  public void close() {
    leaving = true;
    lease.resign();
    looking.shutdownNow();
    resting.shutdownNow();
    agenda.close();
    system.terminate();
    CompletableFuture<Done> ended = system.getWhenTerminated().toCompletableFuture();
    try {
      CompletableFuture.anyOf(left, ended).get(LEAVING.toSeconds(), TimeUnit.SECONDS);
      awaitEnd(ended);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the node did not leave within " + LEAVING, e);
    } finally {
      peers.close();
      responder.close();
      waiting.close();
      incarnation.close();
      close(wire);
    }
  }

  private static void awaitEnd(CompletableFuture<Done> ended)
      throws InterruptedException, ExecutionException {
    try {
      ended.get(ENDING.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      LOG.info("the actor system has not ended yet; the node has left, and goes without it");
    }
  }
}
