// The nodes of a pool as a map: a cell a node, its state by colour and by a sign.

import { count, h, link } from "./elements.js";

/** Each state: how it is called, its sign, and the kind that has a colour. */
export const STATES = {
  running: ["running", "▸", "busy"],
  idle: ["idle", "·", "idle"],
  creating: ["creating", "+", "coming"],
  starting: ["starting", "↑", "coming"],
  waitingforstarttask: ["waiting for its start task", "S", "coming"],
  rebooting: ["rebooting", "↻", "coming"],
  reimaging: ["reimaging", "↻", "coming"],
  upgradingos: ["upgrading its system", "U", "coming"],
  starttaskfailed: ["start task failed", "!", "bad"],
  unusable: ["unusable", "×", "bad"],
  unknown: ["unknown", "?", "bad"],
  preempted: ["preempted", "P", "gone"],
  offline: ["offline", "‖", "gone"],
  leavingpool: ["leaving", "−", "gone"],
  deallocating: ["deallocating", "0", "gone"],
  deallocated: ["deallocated", "0", "gone"],
};

export function stateOf(state) {
  return STATES[state] ?? [state, "?", "bad"];
}

/** What is said of a node in words. */
export function describe(node) {
  const kind = node.dedicated ? "" : ", spot";
  const slots = node.slots > 1 || node.busy ? `, ${node.busy} of ${count(node.slots, "slot")} busy` : "";
  return `${stateOf(node.state)[0]}${slots}${kind}`;
}

export function heatMap(account, pool, nodes, chosen = null) {
  // In the order in which they came, whatever their ids are drawn as.
  nodes = [...nodes].sort((one, other) => other.dedicated - one.dedicated || one.number - other.number);
  const focused = document.activeElement?.dataset?.key;
  const stop = nodes.some((node) => `node-${node.id}` === focused) ? focused
    : `node-${chosen ?? nodes[0]?.id}`;
  return h("div", { class: "map", role: "group", "aria-label": `Nodes of the pool ${pool}; arrow keys move`, onkeydown: move },
    nodes.map((node) => cell(account, pool, node, stop, chosen)));
}

function cell(account, pool, node, stop, chosen) {
  const [, sign, kind] = stateOf(node.state);
  const busy = node.state === "running" ? ` b${Math.max(1, Math.ceil((4 * node.busy) / node.slots))}` : "";
  const key = `node-${node.id}`;
  const text = `${node.id}: ${describe(node)}`;
  return h("a", {
    key,
    class: `cell ${kind}${busy}${node.dedicated ? "" : " spot"}`,
    href: link("pool", account, pool, "node", node.id),
    title: text,
    "aria-label": text,
    "aria-current": node.id === chosen ? "true" : null,
    tabindex: key === stop ? 0 : -1,
  }, node.state === "running" && node.slots > 1 ? String(node.busy) : sign);
}

// One stop for the Tab key, arrows from there on: a pool may have a thousand nodes.
function move(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down", Home: "home", End: "end" }[event.key];
  const cells = [...event.currentTarget.children];
  const at = cells.indexOf(event.target);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  const top = cells[0].offsetTop;
  const wide = Math.max(1, cells.findIndex((each) => each.offsetTop > top) + 1 ? cells.findIndex((each) => each.offsetTop > top) : cells.length);
  const to = step === "home" ? 0 : step === "end" ? cells.length - 1
    : at + (step === "up" ? -wide : step === "down" ? wide : step);
  const next = cells[Math.min(cells.length - 1, Math.max(0, to))];
  for (const each of cells) each.tabIndex = each === next ? 0 : -1;
  next.focus();
}

/** Which states there are, and how many nodes are in each. */
export function legend(states, spot = 0) {
  const order = Object.keys(STATES);
  const known = Object.entries(states).sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
  return h("ul", { class: "legend" }, known.map(([state, number]) => {
    const [words, sign, kind] = stateOf(state);
    return h("li", { key: state }, h("span", { class: `cell ${kind}${state === "running" ? " b4" : ""}`, "aria-hidden": "true" }, sign), ` ${number.toLocaleString("en")} ${words}`);
  }), spot ? h("li", { key: "spot" }, h("span", { class: "cell spot", "aria-hidden": "true" }), ` ${spot.toLocaleString("en")} of them spot`) : null);
}

/** How many nodes there are, and how many there are to be. */
export function sizes(pool) {
  const kinds = [["dedicated", pool.dedicated], ["spot", pool.spot]];
  const shown = kinds.filter(([, kind]) => kind.current || kind.target).map(([words, kind]) =>
    kind.current === kind.target ? `${kind.current.toLocaleString("en")} ${words}` : `${kind.current.toLocaleString("en")} of ${kind.target.toLocaleString("en")} ${words}`);
  return shown.join(", ") || "no nodes";
}
