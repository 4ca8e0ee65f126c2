// The page: which part of it is looked at, and asking again as long as somebody looks.

import { Refused, keepToken, look, takeToken } from "./ask.js";
import { h, morph } from "./elements.js";
import { faults } from "./faults.js";
import { job, task } from "./job.js";
import { overview } from "./overview.js";
import { node, pool } from "./pool.js";
import { requests } from "./requests.js";
import { accounts, blob, blobs, containers } from "./storage.js";

const PACE = 1500, LONGEST_PACE = 20_000;
const main = document.getElementById("main");
const status = document.getElementById("status");
const pause = document.getElementById("pause");

let view = null;
let shown = null;
let paused = false;
let timer = 0;
let round = 0;

function find(parts) {
  const [kind, account, id, below, last, folder] = parts;
  if (kind === "storage" && below) return blob(account, id, below);
  if (kind === "storage" && id) return blobs(account, id, again, soon);
  if (kind === "storage" && account) return containers(account, again);
  if (kind === "storage") return accounts();
  if (kind === "requests") return requests(again);
  if (kind === "faults") return faults(again);
  if (kind === "pool" && below === "node") return node(account, id, last, folder);
  if (kind === "pool" && id) return pool(account, id, again);
  if (kind === "job" && below === "task") return task(account, id, last);
  if (kind === "job" && id) return job(account, id, again, soon);
  return overview();
}

function route() {
  if (/^#token=/.test(location.hash)) takeToken();
  let parts = [];
  try {
    parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    // A broken address is that of no part: the overview is shown.
  }
  const first = view === null;
  view = find(parts);
  shown = null;
  document.title = `${view.title} · Azure Batch emulator`;
  const section = `#/${["storage", "requests", "faults"].includes(parts[0]) ? parts[0] : ""}`;
  for (const each of document.querySelectorAll("header nav a")) {
    if (each.getAttribute("href") === section) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  if (!first) {
    main.replaceChildren();
    main.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  again();
}

/** Asks now, and shows what comes. */
function again() {
  clearTimeout(timer);
  round += 1;
  refresh(round, view);
}

/** The same once nobody has typed for a moment: a search may have to look at all there is. */
function soon() {
  clearTimeout(timer);
  timer = setTimeout(again, 150);
}

async function refresh(own, of) {
  const began = performance.now();
  let late = 0;
  try {
    const [before, answers] = await Promise.all([of.before?.(), ask(of)]);
    if (own !== round) return;
    void before;
    show(of, answers);
    await of.tick?.();
    say(paused ? "paused" : "live", paused ? "" : "good");
  } catch (error) {
    if (own !== round) return;
    late = refuse(error);
  }
  // Who looks must not keep the emulator busy: it rests ten times as long as it took.
  if (own === round) plan(Math.max(PACE, late, Math.min(LONGEST_PACE, 10 * (performance.now() - began))));
}

async function ask(of) {
  const paths = of.paths();
  const found = await Promise.allSettled(paths.map((path) => look(path)));
  const answers = {};
  found.forEach((each, at) => {
    if (each.status === "fulfilled") answers[paths[at]] = each.value;
    else if (at === 0 || !of.optional || each.reason.status !== 404) throw each.reason;
  });
  return answers;
}

function show(of, answers) {
  const now = Object.values(answers)[0].now;
  const data = Object.fromEntries(Object.entries(answers).map(([path, answer]) => [path, answer.data]));
  morph(main, h("main", { id: "main", tabindex: -1 }, of.render(data, now)));
  of.mount?.(main);
  // A view may want more once it knows what there is.
  if (shown !== of) {
    shown = of;
    if (of.paths().some((path) => !(path in data))) setTimeout(again, 0);
  }
  const all = data.overview;
  if (all) document.getElementById("fault-count").textContent = all.faults ? ` (${all.faults})` : "";
}

function refuse(error) {
  if (!(error instanceof Refused)) {
    // `fetch` says no more than that; all else is a bug, and is shown to who looks for it.
    if (!(error instanceof TypeError && /fetch|network|load failed/i.test(error.message))) console.error(error);
    say("no answer; trying again", "bad");
    return 3000;
  }
  if (error.status === 401) {
    askForToken();
    return Infinity;
  }
  say("live", "good");
  main.replaceChildren(h("h1", {}, "Not there"), h("p", { class: "empty" }, `${error.message}. It may have been deleted meanwhile. `, h("a", { href: "#/" }, "To the overview")));
  return 0;
}

function askForToken() {
  say("locked", "bad");
  const enter = (event) => {
    event.preventDefault();
    const given = event.target.elements.token.value.trim();
    keepToken(given.replace(/^.*#token=/, ""));
    route();
  };
  main.replaceChildren(h("h1", {}, "Locked"),
    h("p", {}, "What the emulator holds is shown to who has its token. Open the address that it printed when it started, or paste that here. With ", h("code", {}, "--data DIR"), " it is in the file ", h("code", {}, "DIR/dashboard"), " too."),
    h("form", { class: "controls", onsubmit: enter }, h("label", { class: "wide" }, "Address or token ", h("input", { name: "token", type: "password", autocomplete: "off" })), h("button", { type: "submit", class: "main" }, "Open")));
}

function plan(milliseconds) {
  clearTimeout(timer);
  if (paused || document.hidden || milliseconds === Infinity) return;
  timer = setTimeout(again, milliseconds);
}

function say(text, kind) {
  if (status.textContent !== text) status.textContent = text;
  status.className = kind;
}

pause.onclick = () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  if (paused) {
    clearTimeout(timer);
    say("paused", "");
  } else again();
};
document.getElementById("skip").onclick = (event) => {
  event.preventDefault();
  main.focus();
};
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!paused) again();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
  const search = document.getElementById("search");
  if (search) {
    event.preventDefault();
    search.focus();
  }
});
window.addEventListener("hashchange", route);
document.getElementById("zone").textContent = `this browser's time zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
takeToken();
route();
