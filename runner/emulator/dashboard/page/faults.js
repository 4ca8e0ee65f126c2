// The rules of faults, to be seen, added and removed; and time, where it can be told to pass.

import { tell } from "./ask.js";
import { facts, h, moment, name, table } from "./elements.js";

const EXAMPLES = [
  ["503 operation=create_task_collection first=2", "the service is busy the first two times that tasks are added"],
  ["latency=40ms..200ms", "all answers are late"],
  ["429 service=blob rate=0.1 retry-after=2s", "one request in ten to storage is asked to wait"],
  ["preempt nodes=1", "a spot node is taken away"],
  ["unusable nodes=1", "a node breaks"],
  ["start-task-failure exit=1", "start tasks fail"],
  ["download-error task=*3", "resource files of some tasks cannot be brought"],
  ["resize-error=AllocationFailed", "pools get no more nodes"],
];

/** A rule as it is written after `--fault`, as the emulator takes it: JSON. Throws what is wrong. */
export function readRule(line) {
  const [fault, ...words] = line.trim().split(/\s+/);
  if (!fault) throw new Error("write a fault first, such as `503 rate=0.1`");
  const rule = { fault };
  for (const word of words) {
    const at = word.indexOf("=");
    if (at < 1) throw new Error(`\`${word}\` is no \`key=value\``);
    rule[word.slice(0, at)] = word.slice(at + 1);
  }
  return rule;
}

export function faults(again) {
  let said = "";
  let draft = "";
  let rules = { rules: [], seed: 0 };
  let time = { mode: "real", now: null };
  const attempt = async (work) => {
    try {
      await work();
      said = "";
    } catch (error) {
      said = error.message;
    }
    again();
  };
  const add = (event) => {
    event.preventDefault();
    const input = event.target.elements.rule;
    attempt(async () => {
      await tell("POST", "faults", readRule(input.value));
      input.value = "";
      draft = "";
    });
  };
  return {
    title: "Faults",
    paths: () => ["overview"],
    async before() {
      [rules, time] = await Promise.all([tell("GET", "faults"), tell("GET", "time")]);
    },
    render: () => [h("h1", {}, "Faults"),
      h("p", {}, "A fault is a rule: what happens, to what, how often. Rules that are added here strike from now on."),
      h("form", { class: "controls", key: "form", onsubmit: add },
        h("label", { class: "wide" }, "Rule ", h("input", { name: "rule", id: "rule", autocomplete: "off", spellcheck: "false", placeholder: "503 operation=create_task* rate=0.1", list: "examples", value: draft })),
        h("button", { type: "submit", class: "main" }, "Add"),
        h("datalist", { id: "examples" }, EXAMPLES.map(([rule]) => h("option", { value: rule })))),
      h("p", { role: "alert", class: said ? "bad-text notice" : "unseen" }, said),
      showRules(rules, attempt), showExamples(), showTime(time, attempt)],
  };
}

function showRules({ rules, seed }, attempt) {
  if (!rules.length) return h("p", { class: "empty" }, "No rule is in force.");
  return [table("Rules in force", ["rule", "fitted", "struck", "number", ""], rules.map((rule) => {
    const { number, chances, strikes, fault, ...keys } = rule;
    const words = [fault, ...Object.entries(keys).map(([key, value]) => `${key}=${Array.isArray(value) ? value.join(",") : value}`)].join(" ");
    return h("tr", { key: String(number) }, h("td", {}, name(words, "code")), h("td", {}, chances), h("td", {}, strikes), h("td", {}, number),
      h("td", {}, h("button", { type: "button", "aria-label": `Remove rule ${number}`, onclick: () => attempt(() => tell("DELETE", `faults/${number}`)) }, "Remove")));
  })), h("p", {}, `Seed ${seed}. `, h("button", { type: "button", onclick: () => attempt(() => tell("DELETE", "faults")) }, "Remove all"))];
}

function showExamples() {
  return h("details", {}, h("summary", {}, "Examples"), h("dl", { class: "examples" }, EXAMPLES.map(([rule, words]) =>
    h("div", {}, h("dt", {}, h("button", { type: "button", class: "plain", onclick: () => { const input = document.getElementById("rule"); input.value = rule; input.focus(); } }, h("code", {}, rule))), h("dd", {}, words)))));
}

function showTime(time, attempt) {
  const advance = (event) => {
    event.preventDefault();
    const length = event.target.elements.length.value;
    attempt(() => tell("POST", "time", { advance: length }));
  };
  return [h("h2", {}, "Time"),
    facts(["Passes", { real: "as it does", virtual: "at once, while modelled tasks run", manual: "when it is told to" }[time.mode]],
      ["For tasks it is", moment(time.now)], time.next ? ["Something happens next", moment(time.next)] : null),
    time.mode === "real" ? null : h("form", { class: "controls", key: "time", onsubmit: advance },
      h("label", {}, "Let pass ", h("input", { name: "length", value: "1h", size: 8, pattern: "[0-9.]+(ms|s|m|h|d)" })), h("button", { type: "submit" }, "Advance"))];
}
