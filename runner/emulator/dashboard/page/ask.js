// Asks the emulator, with the token; remembers what has not changed. Knows nothing of what is shown.

const KEY = "batch-run-dashboard-token";
const known = new Map();
const MOST_KNOWN = 100;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Takes the token out of the address, so that it is not left in what people copy or show. */
export function takeToken() {
  const match = /^#token=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (match) keepToken(match[1]);
  return sessionStorage.getItem(KEY) !== null;
}

export function keepToken(token) {
  // No token has other characters, and no header may have some of them.
  sessionStorage.setItem(KEY, token.replace(/[^A-Za-z0-9_-]/g, ""));
  history.replaceState(null, "", "#/");
}

function headers(more = {}) {
  return { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}`, ...more };
}

async function refuse(response) {
  let message = `${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error ?? message;
  } catch {
    // What is no JSON of ours says no more than its status.
  }
  throw new Refused(response.status, message);
}

/** The JSON at a path below the page's own, and whether it is another than before. */
export async function look(path) {
  const before = known.get(path);
  const response = await fetch(`/.emulator/dashboard/${path}`, {
    headers: headers(before ? { "If-None-Match": before.etag } : {}),
    cache: "no-store",
  });
  const now = Date.parse(response.headers.get("X-Emulator-Time") ?? "");
  if (response.status === 304) return { data: before.data, changed: false, now };
  if (!response.ok) {
    known.delete(path);
    await refuse(response);
  }
  const data = await response.json();
  const etag = response.headers.get("ETag");
  known.delete(path);
  if (etag) known.set(path, { etag, data });
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
  return { data, changed: true, now };
}

/** What the emulator can be told: `faults` and `time`. */
export async function tell(method, path, body) {
  const response = await fetch(`/.emulator/${path}`, {
    method,
    headers: headers(method === "GET" ? {} : { "Content-Type": "application/json" }),
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
  });
  if (!response.ok) await refuse(response);
  return response.json();
}

/** A piece of a file from a place on, or its end; where it begins, and how long the file is. */
export async function readPiece(base, path, start) {
  const from = start === null ? "" : `&start=${start}`;
  const response = await fetch(`/.emulator/dashboard/${base}/file?path=${path}${from}`, {
    headers: headers(),
    cache: "no-store",
  });
  if (!response.ok) await refuse(response);
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    start: Number(response.headers.get("X-File-Start")),
    size: Number(response.headers.get("X-File-Bytes")),
  };
}

/** Has the browser save a file, under the last part of its name. */
export async function save(base, path, name) {
  const response = await fetch(`/.emulator/dashboard/${base}/download?path=${path}`, {
    headers: headers(),
    cache: "no-store",
  });
  if (!response.ok) await refuse(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
