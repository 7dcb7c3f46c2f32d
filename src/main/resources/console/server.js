// Asks the server. The key is kept for this tab only, and is sent nowhere but to the server of this page.

const KEY = "holdfast-admin-key";
const PATIENCE = 5_000;

/** The server said no; `status` is 0 where it did not answer at all. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function useKey(key) {
  if (key) {
    sessionStorage.setItem(KEY, key);
  } else {
    sessionStorage.removeItem(KEY);
  }
}

export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

/** The answer's body (null if it has none) and its headers; throws Refused for anything else. */
export async function ask(method, path, more = {}) {
  const headers = { Accept: "application/json", ...more };
  const key = sessionStorage.getItem(KEY);
  if (key) {
    headers.Authorization = `Bearer ${key}`;
  }
  let response;
  let body;
  try {
    response = await fetch(path, { method, headers, signal: AbortSignal.timeout(PATIENCE) });
    const text = await response.text();
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Refused(0, "The server does not answer.");
  }
  if (!response.ok) {
    throw new Refused(response.status, body?.detail ?? body?.title ?? `The server answered ${response.status}.`);
  }
  return { body, headers: response.headers };
}
