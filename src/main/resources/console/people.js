// One user or session: what they have, what happened, how it was at any point, and ending it.
import { ask } from "/console/server.js";
import { byId, cell, confirm, element, moment, number, timeOf } from "/console/page.js";

const PAGE = 500;

const path = (user, rest = "") => `/v1/admin/users/${encodeURIComponent(user)}${rest}`;
const key = () => ({ "Idempotency-Key": crypto.randomUUID() });
const say = (text) => { byId("find-result").textContent = text; };
const money = (amount) => `${amount.amount} ${amount.currency}`;

function facts(pairs) {
  return element("dl", { class: "facts" }, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value ?? "–")]));
}

function table(label, titles, lines, none) {
  const head = element("tr", {}, ...titles.map(([text, kind]) => element("th", { scope: "col", class: kind ?? null }, text)));
  const body = lines.length ? lines : [element("tr", {}, element("td", { class: "none", colspan: titles.length }, none))];
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function card(title, ...content) {
  const id = `card-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return element("section", { class: "card", "aria-labelledby": id }, element("h3", { id }, title), ...content);
}

function cart(of) {
  const lines = of.items.map((line) => element("tr", {},
    element("th", { scope: "row" }, line.name ?? line.sku), cell(line.sku, "mono"), cell(number(line.quantity), "number"),
    cell(money(line.unitPrice), "number"), cell(money(line.lineTotal), "number")));
  const totals = of.totals.map(money).join(", ");
  return [
    table("Cart, table", [["Item"], ["SKU"], ["Quantity", "number"], ["Price", "number"], ["Total", "number"]], lines, "The cart is empty."),
    ...(totals ? [element("p", {}, `Together ${totals}`)] : []),
  ];
}

function sessionLines(sessions, end) {
  return sessions.map((session) => element("tr", {},
    element("th", { scope: "row", class: "mono" }, session.id),
    cell(moment(session.createdAt)), cell(moment(session.lastSeenAt)), cell(moment(session.expiresAt)),
    element("td", {}, element("code", {}, JSON.stringify(session.attributes))),
    element("td", {}, ...(end ? [end(session)] : []))));
}

const SESSIONS = [["Session"], ["Opened"], ["Last seen"], ["Expires"], ["Attributes"], [""]];

// ------------------------------------------------------------------------------------------------
// Actions

async function act(question, method, where, done, then) {
  if (await confirm(question)) {
    try {
      const { body } = await ask(method, where, key());
      await then();
      say(done(body));
    } catch (refused) {
      say(refused.message);
    }
  }
}

function actions(user) {
  const again = () => showUser(user);
  return element("p", { class: "buttons" },
    element("button", { type: "button", class: "quiet", on: { click: () => act({
      title: `End all sessions of ${user}?`,
      text: "They are logged out everywhere, log-ins on their way included. The cart stays.",
      yes: "End all sessions",
    }, "DELETE", path(user, "/sessions"), (body) => body.ended === 1 ? "One session was ended." : `${body.ended} sessions were ended.`, again) } }, "End all sessions…"),
    element("button", { type: "button", class: "danger", on: { click: () => act({
      title: `Erase ${user}?`,
      text: "Sessions, cart and history are deleted for good. This cannot be undone.",
      yes: "Erase for good",
      word: user,
    }, "DELETE", path(user), (body) => `${user} was erased at ${moment(body.erasedAt)}. Receipt: owner ${body.owner}, revision ${body.revision}.`, async () => byId("person").replaceChildren()) } }, "Erase…"));
}

function endButton(user) {
  return (session) => element("button", { type: "button", class: "quiet", "aria-label": `End session ${session.id}`, on: { click: () => act({
    title: "End this session?",
    text: `Session ${session.id} of ${user} is logged out. Their other sessions stay.`,
    yes: "End it",
  }, "DELETE", path(user, `/sessions/${encodeURIComponent(session.id)}`), () => "The session was ended.", () => showUser(user)) } }, "End…");
}

// ------------------------------------------------------------------------------------------------
// The past

async function showThen(user, event, place, lines) {
  for (const line of lines) {
    line.toggleAttribute("data-shown", line.dataset.number === String(event.number));
  }
  try {
    const { body } = await ask("GET", path(user, `?at=${encodeURIComponent(event.at)}`));
    place.replaceChildren(
      element("p", { class: "hint" }, `After the last event at or before ${moment(event.at)}: revision ${body.revision}`),
      ...cart(body.cart),
      table("Sessions then, table", SESSIONS, sessionLines(body.sessions, null), "No session."));
  } catch (refused) {
    place.replaceChildren(element("p", { class: "problem" }, refused.message));
  }
}

function timeline(user, told) {
  const then = element("div", { id: "then", role: "status" }, element("p", { class: "hint" }, "Choose an event to see the user as they were after it."));
  const lines = told.events.toReversed().map((event) => element("li", { "data-number": event.number },
    timeOf(event.at, moment(event.at)),
    element("strong", {}, `${event.number}. ${event.type.replace(/\.v\d+$/, "")}`), " ", event.summary ?? "",
    " ", element("button", { type: "button", class: "quiet", "aria-label": `The user after event ${event.number}`, on: { click: () => showThen(user, event, then, lines) } }, "State then"),
    element("details", {}, element("summary", {}, "Data"), element("pre", {}, JSON.stringify(event.data, null, 2)))));
  const list = element("ol", { class: "timeline", tabindex: "0", "aria-label": "Events, the newest first" }, ...lines);
  return element("div", { class: "sides" },
    card("What happened", ...(told.more ? [element("p", { class: "hint" }, `The first ${told.events.length} events that are kept.`)] : []), list),
    card("How it was", then));
}

// ------------------------------------------------------------------------------------------------

async function showUser(user) {
  const { body, headers } = await ask("GET", path(user));
  const { body: told } = await ask("GET", path(user, `/history?limit=${PAGE}`));
  const owner = headers.get("Holdfast-Owner");
  byId("person").replaceChildren(
    card(`User ${body.user}`,
      facts([["Held by", owner], ["Owner key", element("code", {}, body.owner)], ["Revision", number(body.revision)], ["Last change", moment(body.changedAt)]]),
      actions(body.user)),
    card("Sessions", table("Sessions, table", SESSIONS, sessionLines(body.sessions, endButton(body.user)), "No session lives.")),
    card("Cart", ...cart(body.cart)),
    timeline(body.user, told));
  say("");
}

async function showSession(id) {
  const { body, headers } = await ask("GET", `/v1/admin/sessions/${encodeURIComponent(id)}`);
  if (body.user !== null) {
    await showUser(body.user);
    return;
  }
  byId("person").replaceChildren(
    card("A visitor, not logged in",
      facts([["Held by", headers.get("Holdfast-Owner")], ["Session", element("code", {}, body.id)], ["Revision", number(body.revision)], ["Opened", moment(body.createdAt)],
        ["Last seen", moment(body.lastSeenAt)], ["Expires", moment(body.expiresAt)], ["Attributes", element("code", {}, JSON.stringify(body.attributes))]])),
    card("Cart", ...cart(body.cart)));
  say("");
}

byId("find").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  // A user's id may begin or end with a blank, a session's may not.
  const what = form.get("by") === "user" ? form.get("what") : form.get("what").trim();
  say("Looking…");
  byId("person").replaceChildren();
  try {
    await (form.get("by") === "user" ? showUser(what) : showSession(what));
  } catch (refused) {
    say(refused.status === 404 ? `Nobody is known as ${what}.` : refused.message ?? String(refused));
  }
});
