// Which view is shown, the key, and the beat of the page. Start here.
import { refresh } from "/console/overview.js";
import "/console/people.js";
import { hasKey, Refused, useKey } from "/console/server.js";
import { byId, clock } from "/console/page.js";

const BEAT = 1_000;
const HIDDEN_BEAT = 10_000;

let lastAnswer = Date.now();

function pulse(kind, text) {
  const place = byId("pulse");
  place.className = `pulse ${kind}`;
  if (place.textContent !== text) {
    place.textContent = text;
  }
}

function askForKey(problem = "") {
  const dialog = byId("key-dialog");
  byId("key-problem").textContent = problem;
  byId("key-forget").hidden = !hasKey();
  if (!dialog.open) {
    byId("key-input").value = "";
    dialog.showModal();
  }
}

byId("key-form").addEventListener("submit", () => {
  useKey(byId("key-input").value.trim());
  beat();
});
byId("key-forget").addEventListener("click", () => {
  useKey(null);
  byId("key-dialog").close();
});
byId("change-key").addEventListener("click", () => askForKey());

function show() {
  const users = location.hash === "#users";
  byId("cluster-view").hidden = users;
  byId("users-view").hidden = !users;
  byId("to-cluster").toggleAttribute("aria-current", !users);
  byId("to-users").toggleAttribute("aria-current", users);
  for (const [id, current] of [["to-cluster", !users], ["to-users", users]]) {
    if (current) {
      byId(id).setAttribute("aria-current", "page");
    }
  }
}

let timer;

async function beat() {
  clearTimeout(timer);
  try {
    const cluster = await refresh();
    lastAnswer = Date.now();
    const up = cluster.nodes.filter((node) => node.state === "up").length;
    pulse(up === cluster.nodes.length ? "well" : "bad", `${up} of ${cluster.nodes.length} nodes up`);
  } catch (refused) {
    if (!(refused instanceof Refused)) {
      throw refused;
    }
    if (refused.status === 401) {
      pulse("bad", "A key is needed");
      if (!byId("key-dialog").open) {
        askForKey(hasKey() ? "The server does not know this key." : "");
      }
    } else {
      pulse("bad", refused.status === 0 ? `No answer since ${clock(lastAnswer)}` : refused.message);
    }
  } finally {
    timer = setTimeout(beat, document.hidden ? HIDDEN_BEAT : BEAT);
  }
}

addEventListener("hashchange", show);
addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    beat();
  }
});
show();
beat();
