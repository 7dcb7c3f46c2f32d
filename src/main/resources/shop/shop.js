// The shop. Asks its own backend only; the session's token is in a cookie that this script cannot read.
import { picture } from "/shop/pictures.js";

const LOOK = 700;
const BEAT_PAUSE = 20;
/** After a kill changes are made for at least so long, and on until they are quick again. */
const WATCHED = 3_000;
const CALM = 1_500;
const LONGEST = 60_000;

const one = (selector, within = document) => within.querySelector(selector);
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      made.addEventListener("click", value);
    } else if (value !== null) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children);
  return made;
}

async function ask(method, path, body) {
  const response = await fetch(`/shop/api/${path}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const told = await response.json();
  return { ...told, ok: response.ok, list: Array.isArray(told) ? told : [] };
}

// ------------------------------------------------------------------------------------------------
// One device

class Device {
  constructor(name, place) {
    this.name = name;
    this.place = place;
    this.session = null;
    this.owner = null;
    this.busy = 0;
    this.changes = 0;
    this.before = null;
    this.acknowledged = null;
    place.append(one("#device").content.cloneNode(true));
    one("form", place).addEventListener("submit", (event) => {
      event.preventDefault();
      this.change(() => ask("POST", `${name}/login`, { user: new FormData(event.target).get("user") }), "Logged in. Carts are merged.");
    });
    one(".logout", place).addEventListener("click", () => this.change(() => ask("POST", `${name}/logout`), "Logged out."));
    one(".order", place).addEventListener("click", () => this.change(() => ask("POST", `${name}/order`), "Ordered, exactly once."));
    one(".undo", place).addEventListener("click", () => this.undo());
    one(".kill", place).addEventListener("click", () => kill(this));
  }

  say(text) {
    one(".message", this.place).textContent = text;
  }

  quantity(sku) {
    return this.session?.cart.items.find((line) => line.sku === sku)?.quantity ?? 0;
  }

  /** Does something and shows what is so after it. An answer that was asked for before a change is not shown after it. */
  async change(what, done) {
    this.busy++;
    this.changes++;
    try {
      const told = await what();
      if (told.ok) {
        this.show(told);
        this.acknowledged = told.session.cart;
        this.say(`${done} ${number.format(told.millis)} ms.`);
      } else {
        this.say(told.problem);
      }
      return told;
    } catch {
      this.say("The shop does not answer.");
      return { ok: false };
    } finally {
      this.busy--;
    }
  }

  async set(sku, quantity) {
    const before = this.quantity(sku);
    const told = await this.change(() => ask("PUT", `${this.name}/item`, { sku, quantity }), "Saved in");
    if (told.ok) {
      this.before = { sku, quantity: before, revision: told.revision };
      one(".undo", this.place).disabled = false;
    }
  }

  /** Takes the last change back, unless somebody has changed the cart since. */
  async undo() {
    const { sku, quantity, revision } = this.before;
    this.before = null;
    one(".undo", this.place).disabled = true;
    await this.change(() => ask("PUT", `${this.name}/item`, { sku, quantity, revision }), "Undone in");
  }

  async look() {
    const changes = this.changes;
    if (this.busy === 0) {
      const told = await ask("GET", `${this.name}/session`).catch(() => ({ ok: false }));
      if (told.ok && changes === this.changes && this.busy === 0) {
        this.show(told);
      }
    }
  }

  show(told) {
    this.owner = told.owner ?? this.owner;
    this.session = told.session;
    const { user, cart } = told.session;
    one(".who", this.place).textContent = user ? `Logged in as ${user}` : "Not logged in";
    one(".login", this.place).hidden = user !== null;
    one(".logout", this.place).hidden = user === null;
    one(".order", this.place).disabled = cart.items.length === 0;
    one(".kill", this.place).textContent = `Kill ${this.owner}, which holds this cart`;
    one(".kill", this.place).disabled = killing;
    one(".total", this.place).textContent = cart.totals.map((total) => `${total.amount} ${total.currency}`).join(", ");
    const shown = JSON.stringify(cart.items);
    if (shown !== this.shown) {
      this.shown = shown;
      const focused = document.activeElement?.getAttribute("aria-label");
      one(".cart", this.place).replaceChildren(...(cart.items.length ? cart.items.map((line) => this.line(line)) : [element("li", { class: "none" }, "The cart is empty.")]));
      if (focused) {
        one(`.cart [aria-label="${CSS.escape(focused)}"]`, this.place)?.focus();
      }
    }
    showNodes();
  }

  line(line) {
    const change = (by) => () => this.set(line.sku, Math.max(0, this.quantity(line.sku) + by));
    return element("li", { "data-sku": line.sku },
      element("span", { class: "name" }, line.name),
      element("button", { type: "button", class: "quiet", "aria-label": `One ${line.name} less`, on: change(-1) }, "−"),
      element("span", { class: "count" }, String(line.quantity)),
      element("button", { type: "button", class: "quiet", "aria-label": `One ${line.name} more`, on: change(1) }, "+"),
      element("button", { type: "button", class: "quiet", "aria-label": `Remove ${line.name}`, on: () => this.set(line.sku, 0) }, "✕"));
  }
}

const devices = [...document.querySelectorAll(".device")].map((place) => new Device(place.dataset.device, place));

// ------------------------------------------------------------------------------------------------
// The nodes, and killing one

let nodes = [];
let killing = false;

function showNodes() {
  const shown = nodes.map((node) => {
    const carts = devices.filter((device) => device.owner === node.name).map((device) => device.name);
    const kind = node.ready ? carts.length ? "holds" : null : "gone";
    return element("li", { class: kind, "data-node": node.name },
      element("strong", {}, node.name),
      element("small", {}, node.ready ? `process ${node.pid}` : node.pid ? `process ${node.pid}, starting` : "gone"),
      element("small", { class: "carts" }, carts.length ? `holds the cart of your ${carts.join(" and ")}` : ""));
  });
  const text = shown.map((node) => node.outerHTML).join("");
  const place = one("#nodes");
  if (place.dataset.shown !== text) {
    place.dataset.shown = text;
    place.replaceChildren(...shown);
  }
}

function report(...lines) {
  const place = one("#report");
  place.hidden = false;
  place.replaceChildren(...lines);
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** Kills the node and goes on changing the session: what is seen here is what a customer would see. */
async function kill(device) {
  const victim = device.owner;
  allowKilling(false);
  devices.forEach((one) => { one.acknowledged = null; });
  report(element("p", {}, `${victim} is killed with SIGKILL. Changes go on…`));
  const killed = await ask("POST", `kill/${victim}`).catch(() => ({ ok: false, problem: "The shop does not answer." }));
  if (!killed.ok) {
    report(element("p", { class: "bad" }, killed.problem));
  } else {
    nodes = killed.list;
    showNodes();
    await experience(device, victim, device.session.cart);
  }
  allowKilling(true);
}

function allowKilling(yes) {
  killing = !yes;
  document.querySelectorAll(".kill").forEach((button) => { button.disabled = killing; });
}

/** The cart as it must be now: as it was, or as somebody here has changed it meanwhile and was told so. */
function expectedCart(device, before) {
  return devices
    .filter((other) => other === device || (other.session?.user && other.session.user === device.session.user))
    .map((other) => other.acknowledged)
    .reduce((newest, cart) => cart && cart.revision > newest.revision ? cart : newest, before);
}

async function experience(device, victim, before) {
  const began = performance.now();
  let last = 0;
  let failed = 0;
  let changes = 0;
  let longest = 0;
  let calmSince = began;
  device.changes++;
  while (performance.now() - began < LONGEST && (performance.now() - began < WATCHED || performance.now() - calmSince < CALM)) {
    const sent = performance.now();
    const beat = Date.now();
    const told = await ask("POST", `${device.name}/beat`, { beat }).catch(() => ({ ok: false }));
    const took = performance.now() - sent;
    longest = Math.max(longest, took);
    if (told.ok) {
      last = beat;
      changes++;
      device.owner = told.owner ?? device.owner;
    } else {
      failed++;
    }
    if (took > 250 || !told.ok) {
      calmSince = performance.now();
      report(element("p", {}, `Still there: ${changes} changes saved since, the longest took ${number.format(longest)} ms…`));
    }
    await pause(BEAT_PAUSE);
  }
  const after = await ask("GET", `${device.name}/session`).catch(() => ({ ok: false }));
  const expected = expectedCart(device, before);
  const items = expected.itemCount;
  const intact = after.ok && JSON.stringify(after.session.cart.items) === JSON.stringify(expected.items);
  // A change of which no answer came may have been saved all the same.
  const kept = after.ok && (after.session.attributes.beat ?? 0) >= last;
  if (after.ok) {
    device.show(after);
  }
  const good = intact && kept && failed === 0;
  report(
    element("p", { class: "big", "data-longest": Math.round(longest) }, `${number.format(longest)} ms`),
    element("p", {}, `was the longest that you waited, of ${changes} changes after ${victim} was killed. ${failed === 0 ? "None failed." : `${failed} failed.`}`),
    element("p", { class: good ? "good" : "bad", "data-intact": String(good) },
      intact ? `Your cart is as it was, ${items} ${items === 1 ? "piece" : "pieces"} in it, and now held by ${device.owner}. ` : "Your cart could not be read, or has changed. ",
      kept ? "Every change that was saved is there." : "The last change that was saved is not there!"));
}

// ------------------------------------------------------------------------------------------------

async function showGoods() {
  const { list } = await ask("GET", "products");
  one("#goods").replaceChildren(...list.map((product) => element("li", {},
    picture(product.sku), element("strong", {}, product.name), element("small", {}, product.about),
    element("div", { class: "row" }, element("span", {}, `${product.price} €`),
      element("button", { type: "button", "aria-label": `Add ${product.name}`, on: () => {
        const device = devices.find((one) => one.name === document.querySelector("[name=device]:checked").value);
        device.set(product.sku, device.quantity(product.sku) + 1);
      } }, "Add")))));
}

async function beat() {
  const told = await ask("GET", "nodes").catch(() => ({ ok: false }));
  if (told.ok) {
    nodes = told.list;
    showNodes();
  }
  await Promise.all(devices.map((device) => device.look()));
  setTimeout(beat, LOOK);
}

// Nothing can be done before there are sessions to do it in.
await Promise.all(devices.map((device) => device.look()));
await showGoods();
await beat();
