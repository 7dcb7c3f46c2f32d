// The cluster: what goes on now, what happened, and draining a node.
import uPlot from "/console/uplot.js";
import { ask } from "/console/server.js";
import { between, quantile, warnings } from "/console/measures.js";
import { byId, bytes, cell, clock, confirm, durationMillis, element, millis, moment, number, rate, span, timeOf } from "/console/page.js";

const SHOWN_SECONDS = 300;
const LEAST_SECONDS = 60;
const MINUTE = 60;
const MOST_NEWS = 200;
const HEIGHT = 170;

/** What can be said of how a death was seen. */
const TIERS = {
  proof: "its process ended",
  replaced: "a new process in its place",
  race: "silence of one of two",
  resolver: "silence",
};

const history = { at: [], requests: [[], []], latency: [[], [], []], journal: [[], []], recovery: [[]], failed: [] };
const charts = {};
const colours = new Map();
let earlier = null;
let earlierAt = 0;
let known = null;
/** The nodes whose processes this page has seen; one that left and is here again is another process. */
const processes = new Set();
let shardsBefore = new Map();
const moves = new Map();

function colourOf(name) {
  if (!colours.has(name)) {
    colours.set(name, `c${colours.size % 5}`);
  }
  return colours.get(name);
}

// ------------------------------------------------------------------------------------------------
// Charts

function style(variable) {
  const probe = element("span", { class: variable, hidden: true });
  document.body.append(probe);
  const colour = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return colour;
}

function chart(id, series, unit) {
  const place = byId(id);
  const lines = getComputedStyle(document.documentElement);
  const line = getComputedStyle(document.querySelector(".card")).borderTopColor;
  const text = getComputedStyle(document.querySelector(".hint")).color;
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: `12px ${lines.fontFamily}` };
  return new uPlot({
    width: place.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    scales: { x: { range: (_, first, last) => last ? [Math.min(first, last - LEAST_SECONDS), last] : [0, LEAST_SECONDS] }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [
      { ...axis, space: 80, values: (_, at) => at.map((when) => clock(when * 1000)) },
      { ...axis, size: 58, values: (_, values) => values.map((value) => new Intl.NumberFormat("en", { notation: "compact" }).format(value)) },
    ],
    series: [
      { label: "At", value: (_, when) => when === null ? "" : clock(when * 1000) },
      ...series.map(([label, colour, dash]) => ({
        label, stroke: style(colour), width: 2, dash, spanGaps: false, points: { show: false },
        value: (_, value) => value === null || value === undefined ? "–" : `${value < 100 ? value.toFixed(1) : value.toFixed(0)}${unit}`,
      })),
    ],
  }, [[], ...series.map(() => [])], place);
}

function drawCharts() {
  for (const old of Object.values(charts)) {
    old.destroy();
  }
  charts.requests = chart("chart-requests", [["Reads", "c0"], ["Writes", "c1"]], "/s");
  charts.latency = chart("chart-latency", [["Writes p99", "c1"], ["Writes p50", "c1", [4, 4]], ["Reads p99", "c0"]], " ms");
  charts.journal = chart("chart-journal", [["p99", "c2"], ["p50", "c2", [4, 4]]], " ms");
  charts.recovery = chart("chart-recovery", [["Users", "c3"]], "/s");
  showCharts();
}

function showCharts() {
  for (const [name, drawn] of Object.entries(charts)) {
    drawn.setData([history.at, ...history[name]]);
    if (drawn.cursor.idx === null || drawn.cursor.idx === undefined) {
      drawn.setLegend({ idx: history.at.length - 1 });
    }
  }
}

function fit() {
  for (const [name, drawn] of Object.entries(charts)) {
    const width = byId(`chart-${name}`).clientWidth;
    if (width > 0 && width !== drawn.width) {
      drawn.setSize({ width, height: HEIGHT });
    }
  }
}

function remember(all, bounds) {
  const ms = (distribution, share) => {
    const value = quantile(distribution, bounds, share);
    return value === null ? null : value * 1000;
  };
  history.at.push(Date.now() / 1000);
  history.requests[0].push(all.readRate);
  history.requests[1].push(all.writeRate);
  history.latency[0].push(ms(all.writes, 0.99));
  history.latency[1].push(ms(all.writes, 0.5));
  history.latency[2].push(ms(all.reads, 0.99));
  history.journal[0].push(ms(all.commits, 0.99));
  history.journal[1].push(ms(all.commits, 0.5));
  history.recovery[0].push(all.recoveryRate);
  history.failed.push(all.failed);
  const old = history.at.findIndex((at) => at > Date.now() / 1000 - SHOWN_SECONDS);
  if (old > 0) {
    for (const list of [history.at, history.failed, ...history.requests, ...history.latency, ...history.journal, ...history.recovery]) {
      list.splice(0, old);
    }
  }
}

// ------------------------------------------------------------------------------------------------
// What stands on the page

function tile(name, value, unit = "") {
  byId(`tile-${name}`).replaceChildren(value, ...(unit ? [element("small", {}, ` ${unit}`)] : []));
}

function failedLastMinute() {
  const from = Date.now() / 1000 - MINUTE;
  return history.failed.reduce((sum, failed, i) => history.at[i] > from ? sum + failed : sum, 0);
}

function showNow(all, metrics) {
  const users = metrics.nodes.reduce((sum, node) => sum + (node.figures?.memory.users ?? 0), 0);
  tile("requests", rate(all.readRate + all.writeRate), "/s");
  tile("writes", millis(quantile(all.writes, metrics.secondsBounds, 0.99)));
  tile("reads", millis(quantile(all.reads, metrics.secondsBounds, 0.99)));
  tile("batch", all.batches && all.batches.count > 0 ? rate(all.batches.sum / all.batches.count) : "–");
  tile("failed", number(failedLastMinute()));
  tile("users", number(users));
  byId("chart-requests").setAttribute("aria-label", `${rate(all.readRate)} reads and ${rate(all.writeRate)} writes a second now`);
  byId("chart-latency").setAttribute("aria-label", `Now 99 of 100 writes take at most ${millis(quantile(all.writes, metrics.secondsBounds, 0.99))}, reads ${millis(quantile(all.reads, metrics.secondsBounds, 0.99))}`);
  byId("chart-journal").setAttribute("aria-label", `Now 99 of 100 batches take at most ${millis(quantile(all.commits, metrics.secondsBounds, 0.99))}`);
  byId("chart-recovery").setAttribute("aria-label", `${rate(all.recoveryRate)} users a second are brought back now`);
}

function showWarnings(list) {
  const place = byId("warnings");
  const texts = list.map((one) => `${one.what} ${one.advice}`).join("\n");
  if (place.dataset.shown !== texts) {
    place.dataset.shown = texts;
    place.replaceChildren(...list.map((one) => element("li", { class: one.grave ? "bad" : null }, element("strong", {}, one.what), one.advice)));
  }
}

async function drain(name) {
  const yes = await confirm({
    title: `Drain ${name}?`,
    text: `${name} hands its users over to the others and ends. No request fails for it. Whatever runs the node may start it again.`,
    yes: "Drain",
  });
  if (yes) {
    try {
      await ask("POST", `/v1/admin/cluster/nodes/${encodeURIComponent(name)}/drain`);
      tell(`${name} was told to hand its users over and end.`);
    } catch (refused) {
      tell(`${name} could not be drained: ${refused.message}`);
    }
  }
}

const rows = new Map();

/** The button outlives every update, so that whoever has it in focus keeps it. */
function rowOf(name) {
  if (!rows.has(name)) {
    const button = element("button", { type: "button", class: "quiet", on: { click: () => drain(name) } }, "Drain…");
    button.setAttribute("aria-label", `Drain ${name}`);
    const cells = Array.from({ length: 8 }, (_, i) => cell("", i >= 1 && i <= 6 ? "number" : null));
    cells[0].className = "";
    const row = element("tr", {}, element("th", { scope: "row" }, element("span", { class: `dot ${colourOf(name)}` }), name), ...cells, element("td", {}, button));
    rows.set(name, { row, cells, button });
  }
  return rows.get(name);
}

function showNodes(cluster, metrics, spans) {
  const figures = new Map(metrics.nodes.map((node) => [node.name, node.figures]));
  const shown = cluster.nodes.map((node) => {
    const { row, cells, button } = rowOf(node.name);
    const of = figures.get(node.name);
    const now = spans.get(node.name);
    const good = node.state === "up";
    cells[0].replaceChildren(element("span", { class: `state ${good ? "up" : ["unreachable", "down"].includes(node.state) ? "bad" : ""}` }, node.state));
    cells[1].textContent = number(node.shards);
    cells[2].textContent = number(node.users);
    cells[3].textContent = now ? rate(now.requestRate) : "–";
    cells[4].textContent = now ? millis(quantile(now.writes, metrics.secondsBounds, 0.99)) : "–";
    cells[5].textContent = of ? bytes(of.memory.heapUsed) : "–";
    cells[6].textContent = of ? span(of.upMillis) : "–";
    cells[7].textContent = `${node.http?.replace("http://", "") ?? node.address}${node.pid === null ? "" : `, pid ${node.pid}`}`;
    button.disabled = !good;
    return row;
  });
  const place = byId("nodes");
  if (shown.length !== place.children.length || shown.some((row, i) => place.children[i] !== row)) {
    place.replaceChildren(...shown);
  }
  const share = byId("share");
  const parts = cluster.nodes.filter((node) => node.shards > 0);
  share.setAttribute("aria-label", parts.map((node) => `${node.name} holds ${node.shards} shards`).join(", ") || "No shards");
  for (const node of cluster.nodes) {
    let part = share.querySelector(`[data-node="${CSS.escape(node.name)}"]`);
    if (!part) {
      part = element("span", { class: colourOf(node.name), "data-node": node.name });
      share.append(part);
    }
    part.style.flexGrow = node.shards ?? 0;
  }
  for (const part of share.children) {
    if (!cluster.nodes.some((node) => node.name === part.dataset.node)) {
      part.style.flexGrow = 0;
    }
  }
}

/** Which nodes hold more since: as this page saw it. */
function movesOf(takeover, cluster) {
  const key = takeover.node + takeover.at;
  if (takeover.took !== null && !moves.has(key) && known !== null) {
    const gained = cluster.nodes
      .filter((node) => node.name !== takeover.node && node.shards !== null && shardsBefore.has(node.name) && node.shards > shardsBefore.get(node.name))
      .map((node) => `${node.name} +${node.shards - shardsBefore.get(node.name)}`);
    if (gained.length > 0) {
      moves.set(key, gained.join(", "));
    }
  }
  return moves.get(key) ?? "–";
}

/** The time alone on the day itself. */
const short = (when) => new Date(when).toDateString() === new Date().toDateString() ? clock(when) : moment(when);

function showTakeovers(cluster) {
  const lines = cluster.takeovers.map((takeover) => {
    const took = takeover.took === null ? "under way" : `${number(durationMillis(takeover.took))} ms`;
    return element("tr", {},
      element("td", {}, timeOf(takeover.at, short(takeover.at))),
      cell(takeover.node),
      cell(takeover.tier ? TIERS[takeover.tier] ?? takeover.tier : "–"),
      cell(number(takeover.shards), "number"),
      cell(took, "number"),
      cell(movesOf(takeover, cluster)));
  });
  byId("takeovers").replaceChildren(...(lines.length ? lines : [element("tr", {}, element("td", { class: "none", colspan: 6 }, "None yet. Kill a node with kill -9 and watch."))]));
}

function tell(text) {
  const list = byId("happened");
  list.prepend(element("li", {}, timeOf(Date.now()), text));
  while (list.children.length > MOST_NEWS) {
    list.lastChild.remove();
  }
}

/** What is different from the last time. */
function notice(cluster) {
  const now = new Map(cluster.nodes.map((node) => [node.name, node]));
  if (known === null) {
    tell(`${cluster.nodes.length} ${cluster.nodes.length === 1 ? "node" : "nodes"} when this page was opened.`);
  } else {
    for (const [name, node] of now) {
      const before = known.nodes.get(name);
      if (!before && processes.has(name)) {
        tell(`${name} runs again, as another process${node.pid === null ? "" : ` (${node.pid})`}, and is ${node.state}.`);
      } else if (!before) {
        tell(`${name} is here: ${node.state}.`);
      } else if (before.pid !== null && node.pid !== null && before.pid !== node.pid) {
        tell(`${name} runs again, as another process (${node.pid}).`);
      } else if (before.state !== node.state) {
        tell(`${name} is ${node.state}, was ${before.state}.`);
      }
    }
    for (const name of known.nodes.keys()) {
      if (!now.has(name)) {
        tell(`${name} is no member any more.`);
      }
    }
    for (const takeover of cluster.takeovers) {
      const key = takeover.node + takeover.at;
      if (takeover.took !== null && !known.takeovers.has(key)) {
        tell(`The users of ${takeover.node} were taken over: ${number(takeover.shards)} shards in ${number(durationMillis(takeover.took))} ms.`);
      }
    }
  }
  // A number that was kept while a node was told nothing of is not forgotten: the pid tells a restart later.
  const nodes = new Map(now);
  for (const [name, node] of nodes) {
    const before = known?.nodes.get(name);
    if (node.pid === null && before) {
      nodes.set(name, { ...node, pid: before.pid });
    }
  }
  for (const [name, node] of nodes) {
    if (node.pid !== null) {
      processes.add(name);
    }
  }
  known = { nodes, takeovers: new Set(cluster.takeovers.filter((one) => one.took !== null).map((one) => one.node + one.at)) };
}

/** Shards are as before a takeover as long as all of them have a home. */
function rememberShards(cluster) {
  const settled = cluster.nodes.every((node) => node.state === "up" && node.shards !== null) && cluster.takeovers.every((one) => one.took !== null);
  if (settled) {
    shardsBefore = new Map(cluster.nodes.map((node) => [node.name, node.shards]));
  }
}

/** Asks once, and shows what came. */
export async function refresh() {
  const [cluster, metrics] = await Promise.all([ask("GET", "/v1/admin/cluster"), ask("GET", "/v1/admin/metrics")]).then((answers) => answers.map((answer) => answer.body));
  if (Object.keys(charts).length === 0) {
    drawCharts();
  }
  let spans = new Map();
  if (earlier !== null) {
    const { nodes, all } = between(earlier, metrics, performance.now() - earlierAt);
    spans = nodes;
    remember(all, metrics.secondsBounds);
    showNow(all, metrics);
  }
  earlier = metrics;
  earlierAt = performance.now();
  showNodes(cluster, metrics, spans);
  showTakeovers(cluster);
  notice(cluster);
  rememberShards(cluster);
  showWarnings(warnings(cluster, metrics, failedLastMinute()));
  fit();
  showCharts();
  return cluster;
}

addEventListener("resize", fit);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
