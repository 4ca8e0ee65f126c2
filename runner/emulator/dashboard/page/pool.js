// A pool more closely, and one of its nodes.

import { count, facts, h, json, length, link, moment, name, readable, table, trail } from "./elements.js";
import { Files } from "./files.js";
import { badge } from "./overview.js";
import { MOST_CELLS, WholeMap } from "./map.js";
import { heatMap, legend, sizes, stateOf } from "./nodes.js";

const pathOf = (...parts) => parts.map(encodeURIComponent).join("/");

export function pool(account, id, again) {
  const path = `batch/${pathOf(account)}/pools/${pathOf(id)}`;
  const all = `${path}/map`;
  let starts = [""], page = 0, isLarge = false;
  const own = () => (page ? `${path}?start=${pathOf(starts[page])}` : path);
  const turn = (to) => {
    page = to;
    again();
  };
  const whole = new WholeMap((place) => turn(Math.floor(place / MOST_CELLS)));
  let drawn = null;
  return {
    title: `Pool ${id}`,
    paths: () => (isLarge ? [own(), all] : [own()]),
    optional: true,
    mount: (main) => (drawn ? whole.show(main.querySelector('[data-key="whole"]'), drawn, page) : null),
    render(answers) {
      const { pool, nodes, nodes_total: total, jobs, document } = answers[own()] ?? Object.values(answers)[0];
      isLarge = total > MOST_CELLS;
      drawn = isLarge ? answers[all] ?? null : null;
      starts = drawn?.starts ?? starts;
      page = isLarge ? Math.min(page, starts.length - 1) : 0;
      return [trail([account], [id]),
        h("h1", {}, "Pool ", name(pool.name ?? pool.id)),
        showState(pool, document),
        jobs.length ? h("p", {}, "Jobs: ", jobs.map((job, at) => [at ? ", " : "", h("a", { href: link("job", account, job) }, name(job))])) : null,
        h("h2", {}, "Nodes ", h("span", { class: "aside" }, total.toLocaleString("en"))),
        drawn ? h("div", { key: "whole", "data-own": true }) : null,
        isLarge ? showTurning(page, starts.length, nodes.length, turn) : null,
        nodes.length ? heatMap(account, id, nodes) : h("p", { class: "empty" }, "No nodes now: the pool has none as its target, or they are on their way."),
        legend(pool.node_states, pool.spot.current),
        showTroubles(account, id, nodes), showScaling(document), json("All properties", document)];
    },
  };
}

function showTurning(page, pages, shown, turn) {
  const first = page * MOST_CELLS;
  return h("p", { class: "pages", key: "turning" },
    h("button", { type: "button", key: "previous", disabled: page === 0, onclick: () => turn(page - 1) }, "Previous"),
    ` nodes ${(first + 1).toLocaleString("en")} to ${(first + shown).toLocaleString("en")}, in the order of their ids `,
    h("button", { type: "button", key: "next", disabled: page + 1 >= pages, onclick: () => turn(page + 1) }, "Next"));
}

function showState(pool, document) {
  return [facts(
    ["State", h("span", {}, badge(pool.state === "active" ? pool.allocation : pool.state, pool.allocation === "steady" ? "quiet" : "coming"))],
    ["Nodes", sizes(pool)],
    ["VM size", pool.vm_size],
    ["Slots a node", String(pool.slots_per_node)],
    ["Since", moment(document.allocationStateTransitionTime)],
    ["Made", moment(pool.created)]),
  pool.resize_errors.map((error) => h("p", { class: "bad-text notice" }, h("strong", {}, error.code), ` ${error.message}`))];
}

function showTroubles(account, id, nodes) {
  const troubled = nodes.filter((node) => node.errors.length || stateOf(node.state)[2] === "bad").slice(0, 50);
  if (!troubled.length) return null;
  return [h("h2", {}, "Nodes in trouble"), table("Nodes in trouble", ["node", "state", "why", "since"], troubled.map((node) =>
    h("tr", { key: node.id },
      h("td", {}, h("a", { href: link("pool", account, id, "node", node.id) }, name(node.id))),
      h("td", {}, stateOf(node.state)[0]),
      h("td", {}, explain(node)),
      h("td", {}, moment(node.since)))))];
}

function explain(node) {
  const errors = node.errors.map((error) => `${error.code}: ${error.message}`);
  const start = node.start_task;
  if (start?.failure) errors.push(`${start.failure}${start.exit_code === null ? "" : `, exit code ${start.exit_code}`}; its files have what it wrote`);
  return errors.join("; ") || "–";
}

function showScaling(document) {
  if (!document.enableAutoScale) return null;
  const run = document.autoScaleRun;
  return [h("h2", {}, "Automatic scaling"),
    h("pre", { tabindex: 0, "aria-label": "Formula" }, readable(document.autoScaleFormula ?? "")),
    run ? facts(["Last evaluation", moment(run.timestamp)],
      ["Came to", name(run.results ?? "", "code")],
      run.error ? ["Error", h("span", { class: "bad-text" }, `${run.error.code}: ${(run.error.values ?? []).map((each) => each.value).join(" ") || run.error.message}`)] : null)
      : h("p", { class: "empty" }, "It has not been evaluated yet.")];
}

/** `folder` is the first of its folders to be listed. */
export function node(account, poolId, id, folder = "") {
  const path = `batch/${pathOf(account)}/pools/${pathOf(poolId)}`;
  const own = `${path}/nodes/${pathOf(id)}`;
  const files = new Files(own, [], folder);
  let began = false;
  return {
    title: `Node ${id}`,
    paths: () => [own, path],
    optional: true,
    tick: () => files.tick(),
    mount: (main) => files.mount(main),
    render(answers, now) {
      const { node, running, recent, has_files: hasFiles, document } = answers[own];
      const nodes = answers[path]?.nodes ?? [];
      if (!began && !folder && document.startTaskInfo) {
        began = true;
        const first = document.startTaskInfo.result === "failure" ? "startup/stderr.txt" : "startup/stdout.txt";
        files.open(encodeURIComponent(first), first);
      }
      return [trail([account], [poolId, link("pool", account, poolId)], [id]),
        h("h1", {}, "Node ", name(id)),
        nodes.length > 1 && nodes.some((each) => each.id === id) ? heatMap(account, poolId, nodes, id) : null,
        facts(["State", h("span", {}, badge(stateOf(node.state)[0], stateOf(node.state)[2]), ` for ${length(node.since, null, now)}`)],
          ["Slots", `${node.busy} of ${node.slots} busy`], ["Kind", node.dedicated ? "dedicated" : "spot"], ["Takes tasks", node.takes_tasks ? "yes" : "no"],
          ["Tasks run", `${document.totalTasksRun}, ${document.totalTasksSucceeded} of them with success`]),
        node.errors.map((error) => h("p", { class: "bad-text notice" }, h("strong", {}, error.code), ` ${error.message}`)),
        showStart(document, now),
        running.length ? [h("h2", {}, "Runs now"), h("ul", {}, running.map((each) => h("li", { key: `${each.job}/${each.task}` }, h("a", { href: link("job", account, each.job, "task", each.task) }, name(`${each.job} / ${each.task}`)), ` ${count(each.slots, "slot")}`)))] : null,
        recent.length ? [h("h2", {}, "Ran last"), table("Tasks that ended here", ["task", "end", "took", "exit code"], recent.map((each) =>
          h("tr", {}, h("td", {}, h("a", { href: link("job", account, each.job, "task", each.task) }, name(`${each.job} / ${each.task}`))), h("td", {}, moment(each.ended)), h("td", { class: "short" }, length(each.started, each.ended, now)),
            h("td", { class: each.failure ? "bad-text" : null }, each.failure ? `${each.exit_code ?? "none"} (${each.failure})` : String(each.exit_code)))))] : null,
        hasFiles ? [h("h2", {}, "Files"), h("div", { key: "files", "data-own": true })] : h("p", { class: "empty" }, "It has no machine now, and so no files."),
        json("All properties", document)];
    },
  };
}

function showStart(document, now) {
  const info = document.startTaskInfo;
  if (!document.startTask) return null;
  return [h("h2", {}, "Start task"), facts(
    ["State", info ? h("span", {}, badge(info.result === "failure" ? "failed" : info.state, info.result === "failure" ? "bad" : info.state === "running" ? "busy" : "quiet")) : "not begun"],
    info ? ["Took", length(info.startTime, info.endTime, now)] : null,
    info?.exitCode !== undefined ? ["Exit code", String(info.exitCode)] : null,
    info?.failureInfo ? ["Failure", `${info.failureInfo.code}: ${info.failureInfo.message}`] : null),
  h("pre", { tabindex: 0, "aria-label": "Command line of the start task" }, readable(document.startTask.commandLine))];
}
