// A job with its tasks, and one of them more closely.

import { facts, h, json, length, link, moment, name, printable, readable, table, trail } from "./elements.js";
import { Files } from "./files.js";
import { JOB_KINDS, badge, progress } from "./overview.js";

const pathOf = (...parts) => parts.map(encodeURIComponent).join("/");
const FILTERS = [["all", "All"], ["active", "Waiting"], ["running", "Running"], ["succeeded", "Succeeded"], ["failed", "Failed"]];
const SORTS = [["id", "by id"], ["newest", "last change first"], ["longest", "longest first"]];

/** What is looked for stays while the job is looked at, and when one comes back to it. */
const choices = new Map();

export function job(account, id, again, soon) {
  const base = `batch/${pathOf(account)}/jobs/${pathOf(id)}/tasks`;
  if (!choices.has(base)) choices.set(base, { state: "all", search: "", sort: "id", starts: [""] });
  const choice = choices.get(base);
  const choose = (change, then = again) => {
    Object.assign(choice, { starts: [""] }, change);
    then();
  };
  const path = () => `${base}?${new URLSearchParams({ state: choice.state, search: choice.search, sort: choice.sort, start: choice.starts.at(-1) })}`;
  return {
    title: `Job ${id}`,
    paths: () => [path()],
    render(answers, now) {
      const { job, tasks, next, document } = answers[path()] ?? Object.values(answers)[0];
      return [trail([account], [id]), h("h1", {}, "Job ", name(job.name ?? job.id)), showJob(account, job, document),
        showControls(choice, choose, job, soon), showTasks(account, id, tasks, now, choice),
        showPages(choice, choose, next), json("All properties", document)];
    },
  };
}

function showJob(account, job, document) {
  return [facts(
    ["State", h("span", {}, badge(job.state, JOB_KINDS[job.state] ?? "quiet"), job.terminate_reason ? ` ${job.terminate_reason}` : "")],
    ["Tasks", progress(job.tasks)],
    ["Pool", job.pool ? h("a", { href: link("pool", account, job.pool) }, name(job.pool)) : null],
    ["Made", moment(job.created)],
    job.ended ? ["Ended", moment(job.ended)] : null,
    document.priority ? ["Priority", String(document.priority)] : null),
  job.error ? h("p", { class: "bad-text notice" }, h("strong", {}, job.error.code), ` ${job.error.message}`) : null];
}

function showControls(choice, choose, job, soon) {
  const counts = { all: job.tasks.active + job.tasks.running + job.tasks.completed, active: job.tasks.active, running: job.tasks.running, succeeded: job.tasks.succeeded, failed: job.tasks.failed };
  return h("div", { class: "controls", key: "controls" },
    h("div", { class: "choices", role: "group", "aria-label": "Which tasks" }, FILTERS.map(([state, words]) =>
      h("button", { type: "button", key: state, "aria-pressed": String(choice.state === state), onclick: () => choose({ state }) }, `${words} ${counts[state].toLocaleString("en")}`))),
    h("label", {}, "Search ", h("input", { type: "search", id: "search", placeholder: "id or name", value: choice.search, oninput: (event) => choose({ search: event.target.value }, soon) })),
    h("label", {}, "Order ", h("select", { onchange: (event) => choose({ sort: event.target.value }) },
      SORTS.map(([sort, words]) => h("option", { value: sort, selected: choice.sort === sort }, words)))));
}

function showTasks(account, id, tasks, now, choice) {
  if (!tasks.length) {
    const some = choice.search || choice.state !== "all";
    return h("p", { class: "empty" }, some ? "No task is like that now." : "No task yet: a client adds them to the job.");
  }
  return table("Tasks", ["task", "state", "exit code", "took", "attempts", "changed", "node"], tasks.map((task) => h("tr", { key: task.id },
    h("td", {}, h("a", { href: link("job", account, id, "task", task.id) }, name(task.id)), task.name && task.name !== task.id ? [" ", h("span", { class: task.name.length > 80 ? "aside long" : "aside", title: printable(task.name) }, name(task.name))] : null),
    h("td", {}, stateBadge(task), task.code && task.code !== "FailureExitCode" ? h("span", { class: "bad-text" }, ` ${task.code}`) : null),
    h("td", {}, task.exit_code ?? "–"),
    h("td", { class: "short" }, length(task.started, task.ended, now)),
    h("td", {}, task.attempts || "–"),
    h("td", {}, moment(task.changed)),
    h("td", { class: "short" }, task.node ? h("a", { href: link("pool", account, task.pool, "node", task.node), title: task.node }, name(task.node.length > 12 ? `${task.node.slice(0, 12)}…` : task.node)) : "–"))));
}

export function stateBadge(task) {
  if (task.failed) return badge("failed", "bad");
  const [words, kind] = { active: ["waiting", "quiet"], preparing: ["preparing", "coming"], running: ["running", "busy"], completed: ["succeeded", "good"] }[task.state] ?? [task.state, "quiet"];
  return badge(words, kind);
}

function showPages(choice, choose, next) {
  if (choice.starts.length === 1 && !next) return null;
  return h("p", { class: "pages" },
    h("button", { type: "button", key: "previous", disabled: choice.starts.length === 1, onclick: () => choose({ starts: choice.starts.slice(0, -1) }) }, "Previous"),
    ` page ${choice.starts.length} `,
    h("button", { type: "button", key: "next", disabled: !next, onclick: () => choose({ starts: [...choice.starts, next] }) }, "Next"));
}

export function task(account, jobId, id) {
  const path = `batch/${pathOf(account)}/jobs/${pathOf(jobId)}/tasks/${pathOf(id)}`;
  const files = new Files(path, ["stdout.txt", "stderr.txt"]);
  let began = false;
  return {
    title: `Task ${id}`,
    paths: () => [path],
    tick: () => files.tick(),
    mount: (main) => files.mount(main),
    render(answers, now) {
      const { task, attempts, subtasks, document } = answers[path];
      if (!began) {
        began = true;
        // What a task that failed wrote last says more.
        const first = task.failed ? "stderr.txt" : "stdout.txt";
        files.open(first, first);
      }
      return [trail([account], [jobId, link("job", account, jobId)], [id]),
        h("h1", {}, "Task ", name(id), task.name && task.name !== id ? [" ", h("span", { class: "aside" }, name(task.name))] : null),
        showTask(account, task, now), showAttempts(account, task, attempts, now), showSubtasks(account, subtasks, now), showCommand(document),
        task.node ? [h("h2", {}, "Files"), h("div", { key: "files", "data-own": true })] : h("p", { class: "empty" }, "It has run on no node yet, and so has no files."),
        json("All properties", document)];
    },
  };
}

function showTask(account, task, now) {
  return [facts(["State", h("span", {}, stateBadge(task))],
    task.exit_code === null ? null : ["Exit code", String(task.exit_code)],
    ["Took", length(task.started, task.ended, now)],
    ["Attempts", task.attempts ? String(task.attempts) : "none yet"],
    ["Added", moment(task.created)], ["Started", moment(task.started)], ["Ended", moment(task.ended)],
    ["Node", task.node ? h("a", { href: link("pool", account, task.pool, "node", task.node) }, name(task.node)) : null]),
  task.code ? h("p", { class: "bad-text notice" }, h("strong", {}, task.code), ` ${readable(task.message ?? "")}`) : null];
}

function showAttempts(account, task, attempts, now) {
  if (!attempts.length) return null;
  return [h("h2", {}, "Attempts that have ended ", h("span", { class: "aside" }, attempts.length)),
    showRuns("Attempts", ["began"], account, attempts, now, (each) => [h("td", {}, moment(each.started))]),
    attempts.length < task.attempts - (task.state === "running" ? 1 : 0) ? h("p", { class: "empty" }, `It was begun ${task.attempts} times. A node remembers what ended there last, as long as it is there.`) : null];
}

function showSubtasks(account, subtasks, now) {
  if (!subtasks.length) return null;
  return [h("h2", {}, "Subtasks ", h("span", { class: "aside" }, subtasks.length)),
    showRuns("Subtasks", ["subtask", "state"], account, subtasks, now, (each) => [
      h("td", {}, `${each.number} `, h("a", { href: link("pool", account, each.pool, "node", each.node, each.folder), "aria-label": `files of subtask ${each.number}` }, "files")),
      h("td", {}, stateBadge(each))])];
}

function showRuns(label, heads, account, runs, now, first) {
  return table(label, [...heads, "took", "exit code", "why", "node"], runs.map((each) => h("tr", {}, first(each),
    h("td", { class: "short" }, length(each.started, each.ended, now)),
    h("td", {}, each.exit_code ?? "–"),
    h("td", { class: each.code ? "bad-text" : null }, each.code ? `${each.code}${each.message ? `: ${each.message}` : ""}` : "–"),
    h("td", { class: "short" }, h("a", { href: link("pool", account, each.pool, "node", each.node), title: each.node }, name(each.node.length > 12 ? `${each.node.slice(0, 12)}…` : each.node))))));
}

function showCommand(document) {
  const names = (document.environmentSettings ?? []).map((each) => each.name);
  const inputs = document.resourceFiles ?? [];
  return [h("h2", {}, "Command"), h("pre", { tabindex: 0, "aria-label": "Command line" }, readable(document.commandLine ?? "")),
    names.length ? h("p", {}, "Environment (values are not shown): ", names.map((each, at) => [at ? ", " : "", name(each, "code")])) : null,
    inputs.length ? h("details", {}, h("summary", {}, `Resource files (${inputs.length})`), h("ul", {}, inputs.map((each) =>
      h("li", {}, name(each.filePath ?? ""), " ← ", name(each.httpUrl ?? each.storageContainerUrl ?? each.autoStorageContainerName ?? ""))))) : null];
}
