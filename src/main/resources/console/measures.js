// Turns what nodes have counted since their start into what happens now.

/** What came between two readings of one distribution. */
function since(earlier, later) {
  return {
    count: Math.max(0, later.count - earlier.count),
    sum: Math.max(0, later.sum - earlier.sum),
    buckets: later.buckets.map((n, i) => Math.max(0, n - earlier.buckets[i])),
  };
}

function together(a, b) {
  return a === null ? b : { count: a.count + b.count, sum: a.sum + b.sum, buckets: a.buckets.map((n, i) => n + b.buckets[i]) };
}

/** A value that this share of all does not exceed, by interpolation within its bucket; null if there are none. */
export function quantile(distribution, bounds, share) {
  if (!distribution || distribution.count === 0) {
    return null;
  }
  const rank = share * distribution.count;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    const here = distribution.buckets[i];
    if (here > 0 && below + here >= rank) {
      const from = i === 0 ? 0 : bounds[i - 1];
      return from + (bounds[i] - from) * (rank - below) / here;
    }
    below += here;
  }
  return bounds[bounds.length - 1];
}

/** A process that has run for less than the time between two answers was not there at the first. */
const CLOCKS = 100;

/** The same process, later: its counts only grow. */
function isLater(earlier, later, passed) {
  return earlier && later && later.upMillis > earlier.upMillis && later.upMillis >= passed - CLOCKS;
}

function ofNode(name, earlier, later, passed) {
  if (!isLater(earlier, later, passed)) {
    return null;
  }
  const seconds = (later.upMillis - earlier.upMillis) / 1000;
  const reads = since(earlier.requests.reads, later.requests.reads);
  const writes = since(earlier.requests.writes, later.requests.writes);
  return {
    name,
    seconds,
    reads,
    writes,
    commits: since(earlier.journal.commits, later.journal.commits),
    batches: since(earlier.journal.batches, later.journal.batches),
    recoveries: since(earlier.journal.recoveries, later.journal.recoveries),
    requestRate: (reads.count + writes.count) / seconds,
    failed: Math.max(0, later.requests.failed - earlier.requests.failed),
  };
}

/**
 * What happened between two answers of /v1/admin/metrics: each node by its name, and all together.
 * A node that is new, or was started again, counts from the next answer on.
 * `passed` is the time between the answers in milliseconds.
 */
export function between(earlier, later, passed) {
  const before = new Map(earlier.nodes.map((node) => [node.name, node.figures]));
  const nodes = new Map();
  const all = { readRate: 0, writeRate: 0, recoveryRate: 0, failed: 0, reads: null, writes: null, commits: null, batches: null };
  for (const node of later.nodes) {
    const span = ofNode(node.name, before.get(node.name), node.figures, passed);
    if (span) {
      nodes.set(node.name, span);
      all.readRate += span.reads.count / span.seconds;
      all.writeRate += span.writes.count / span.seconds;
      all.recoveryRate += span.recoveries.count / span.seconds;
      all.failed += span.failed;
      for (const what of ["reads", "writes", "commits", "batches"]) {
        all[what] = together(all[what], span[what]);
      }
    }
  }
  return { nodes, all };
}

/** The warnings that the present state deserves: what is so, and what to do. */
export function warnings(cluster, metrics, failedLastMinute) {
  const found = [];
  const say = (grave, what, advice) => found.push({ grave, what, advice });
  const figures = new Map(metrics.nodes.map((node) => [node.name, node.figures]));
  const up = cluster.nodes.filter((node) => node.state === "up" || node.state === "draining");
  for (const node of cluster.nodes) {
    const of = figures.get(node.name);
    if (node.state === "unreachable") {
      say(true, `${node.name} cannot be reached by the others.`, "Its users wait until it is back or excluded. See whether its process runs, and the network to it.");
    } else if (node.state === "down") {
      say(true, `${node.name} is excluded.`, "The others take its users over. Whatever runs it should start it again; its log says why it went.");
    } else if (node.state === "up" && !of) {
      say(false, `${node.name} tells nothing of itself.`, "It is busy, starting, or of an earlier version. If that lasts, look at its log.");
    }
    if (of && !of.journal.takesWrites) {
      say(true, `The journal of ${node.name} takes no writes.`, "Changes get 503, and nothing of them happens. See that the disk has room and the database answers; it goes on by itself.");
    }
    if (of && of.memory.unreadable > 0) {
      say(true, `${of.memory.unreadable} ${of.memory.unreadable === 1 ? "user" : "users"} of ${node.name} cannot be read.`, "The log of the node names them. Run verify on a copy of the journal.");
    }
    if (of && of.memory.heapMax > 0 && of.memory.heapUsed > 0.92 * of.memory.heapMax) {
      say(false, `The heap of ${node.name} is nearly full.`, "If that stays so, give the node more memory, or keep fewer users in memory (cluster.users-in-memory).");
    }
    if (of && of.journal.queued > 2_000) {
      say(false, `${of.journal.queued} writes wait for the journal of ${node.name}.`, "The disk or the database is slower than what comes in.");
    }
  }
  if (up.length === 1) {
    say(false, `${up[0].name} is the only node.`, "If it ends, users wait until it has started again. Run three for others to take over.");
  }
  if (failedLastMinute > 0) {
    say(false, `${failedLastMinute} ${failedLastMinute === 1 ? "request has" : "requests have"} failed in the last minute.`, "They were answered with 5xx. A repeat with the same Idempotency-Key is safe.");
  }
  return found.sort((a, b) => Number(b.grave) - Number(a.grave));
}
