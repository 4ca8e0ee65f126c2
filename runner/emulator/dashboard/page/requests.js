// The last requests to the accounts, as they come.

import { h, moment, name, table } from "./elements.js";

const KEPT = 1000;
const SHOWN = 200;

export function requests(again) {
  let after = 0;
  let kept = [];
  let search = "";
  let trouble = false;
  const path = () => `requests?after=${after}`;
  return {
    title: "Requests",
    paths: () => [path()],
    render(answers) {
      const found = Object.values(answers)[0];
      if (found.passed < after) {
        // The emulator was started anew, and counts from the beginning.
        kept = [];
        after = 0;
      } else if (found.passed > after) {
        kept = [...kept, ...found.requests.filter((each) => each.number > after)].slice(-KEPT);
        after = found.passed;
      }
      const fits = kept.filter((each) => (!trouble || each.status === null || each.status >= 400 || each.faults.length)
        && (!search || text(each).includes(search.toLowerCase())));
      return [h("h1", {}, "Requests ", h("span", { class: "aside" }, after.toLocaleString("en"))),
        h("div", { class: "controls" },
          h("label", {}, "Search ", h("input", { type: "search", id: "search", placeholder: "path, method, status", value: search, oninput: (event) => { search = event.target.value; again(); } })),
          h("label", {}, h("input", { type: "checkbox", checked: trouble, onchange: (event) => { trouble = event.target.checked; again(); } }), " only those that failed or were struck by a fault")),
        fits.length ? table("Requests, the latest first", ["time", "method", "path", "status", "ms", "faults"], fits.slice(-SHOWN).reverse().map(show))
          : h("p", { class: "empty" }, kept.length ? "No request is like that." : "Nobody has asked for anything yet. What nodes fetch from and send to storage of this emulator goes without requests."),
        fits.length > SHOWN ? h("p", {}, `The last ${SHOWN} of ${fits.length}; the emulator remembers ${KEPT}. \`--record FILE\` keeps all.`) : null];
    },
  };
}

function text(request) {
  return `${request.method} ${request.path} ${shown(request.query)} ${request.status ?? "none"} ${request.faults.join(" ")}`.toLowerCase();
}

function shown(query) {
  const pairs = Object.entries(query).map(([key, value]) => (value ? `${key}=${value}` : key));
  return pairs.length ? `?${pairs.join("&")}` : "";
}

function show(request) {
  const bad = request.status === null || request.status >= 400;
  return h("tr", { key: String(request.number) },
    h("td", {}, moment(request.time)), h("td", {}, request.method),
    h("td", { class: "path" }, name(request.path), h("span", { class: "aside" }, name(shown(request.query)))),
    h("td", { class: bad ? "bad-text" : null }, request.status ?? "no answer"),
    h("td", { class: "number" }, request.milliseconds.toFixed(1)),
    h("td", {}, request.faults.join(", ") || "–"));
}
