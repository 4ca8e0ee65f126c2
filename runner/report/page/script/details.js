// What there is to say of one task: its attempts, words, results. It must not know where it is shown.

function details(task) {
  const [message, tail, script] = data.words[task[ID]] ?? ["", "", null];
  return make("div", {},
    task[ATTEMPTS].length ? attemptsOf(task) : make("p", {class: "quiet"}, "No attempt of it was seen."),
    message ? make("p", {}, message) : null,
    tail ? make("pre", {tabindex: "0", "aria-label": "End of stderr"}, tail) : null,
    script ? make("pre", {tabindex: "0", "aria-label": "Command"}, script) : null,
    task[FILES] ? make("p", {}, resultsOf(task)) : null,
    make("ul", {class: "commands"}, ...["logs", "explain"].map((command) =>
      make("li", {}, copied(`batch-run ${command} ${task[ID]} ${data.run}`)))));
}

function attemptsOf(task) {
  const cells = (attempt) => [["number", String(attempt[NUMBER])],
    ["mono", attempt[NODE] < 0 ? UNKNOWN : data.nodes[attempt[NODE]]],
    ["short", clock(attempt[START])], ["number", duration(ran(attempt))],
    ["number", attempt[A_EXIT] === null ? UNKNOWN : String(attempt[A_EXIT])],
    ["", attempt[A_CAUSE] < 0 ? "" : data.causes[attempt[A_CAUSE]]]];
  return make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": `Attempts of task ${task[ID]}`},
    make("table", {},
      make("thead", {}, make("tr", {}, ...[["number", "attempt"], ["", "node"], ["", "began"], ["number", "took"], ["number", "exit"], ["", "cause"]]
        .map(([kind, name]) => make("th", {scope: "col", class: kind}, name)))),
      make("tbody", {}, ...task[ATTEMPTS].map((attempt) => make("tr", {},
        ...cells(attempt).map(([kind, text]) => make("td", {class: kind}, text)))))));
}

function resultsOf(task) {
  const names = task[NAMES], more = task[FILES] - names.length;
  const others = more > 0 ? `${thousands(more)}${names.length ? " more" : ""}` : "";
  return `Results: ${[names.join(", "), others].filter(Boolean).join(" and ")} (${size(task[BYTES])})`;
}
