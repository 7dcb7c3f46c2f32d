// Small things for building pages. Text is only ever set as text, so nothing that the server tells becomes markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a child that is no element is text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) {
        made.addEventListener(event, listener);
      }
    } else if (value !== null && value !== false) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children);
  return made;
}

export const cell = (text, kind = null) => element("td", { class: kind }, text);

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const number = (value) => value === null || value === undefined ? "–" : whole.format(value);
export const rate = (value) => value === null ? "–" : value < 10 ? one.format(value) : whole.format(value);
export const millis = (seconds) => seconds === null ? "–" : `${seconds < 0.01 ? one.format(seconds * 1000) : whole.format(seconds * 1000)} ms`;
export const bytes = (value) => value >= 1 << 30 ? `${one.format(value / (1 << 30))} GiB` : `${whole.format(value / (1 << 20))} MiB`;

export function span(millis) {
  const seconds = Math.floor(millis / 1000);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  for (const [size, name] of parts) {
    if (seconds >= size || size === 1) {
      return `${Math.floor(seconds / size)} ${name}`;
    }
  }
}

/** The milliseconds of an ISO 8601 duration such as PT1.234S. */
export function durationMillis(text) {
  const found = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(text);
  return found ? ((Number(found[1] ?? 0) * 60 + Number(found[2] ?? 0)) * 60 + Number(found[3] ?? 0)) * 1000 : null;
}

export const clock = (when) => new Date(when).toLocaleTimeString("en-GB");
export const moment = (when) => when ? new Date(when).toLocaleString("en-GB") : "–";
export const timeOf = (when, text = clock(when)) => element("time", { datetime: new Date(when).toISOString() }, text);

/** Asks before something that cannot be undone; with `word`, this has to be typed. Resolves to whether to go on. */
export function confirm({ title, text, yes, word = null }) {
  const dialog = byId("confirm");
  const input = byId("confirm-input");
  const go = byId("confirm-yes");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-word").hidden = word === null;
  byId("confirm-label").textContent = `Type ${word} to go on`;
  go.textContent = yes;
  input.value = "";
  const check = () => { go.disabled = word !== null && input.value !== word; };
  check();
  return new Promise((resolve) => {
    const done = new AbortController();
    const on = { signal: done.signal };
    input.addEventListener("input", check, on);
    byId("confirm-no").addEventListener("click", () => dialog.close("no"), on);
    byId("confirm-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!go.disabled) {
        dialog.close("yes");
      }
    }, on);
    dialog.addEventListener("close", () => {
      done.abort();
      resolve(dialog.returnValue === "yes");
    }, on);
    dialog.returnValue = "no";
    dialog.showModal();
  });
}
