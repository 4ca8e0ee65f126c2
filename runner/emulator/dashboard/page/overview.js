// All accounts at once: their pools as maps, their jobs with how far they are.

import { count, h, link, moment, name, table } from "./elements.js";
import { MOST_CELLS, WholeMap } from "./map.js";
import { heatMap, legend, sizes } from "./nodes.js";

const MAPS = 8;

function isLarge(pool) {
  return pool.dedicated.current + pool.spot.current > MOST_CELLS;
}

/** Where the map of a pool is to be had. */
function mapOf(account, pool) {
  return `batch/${encodeURIComponent(account)}/pools/${encodeURIComponent(pool.id)}${isLarge(pool) ? "/map" : ""}`;
}

export function overview() {
  let wanted = ["overview"];
  let found = {};
  const large = new Map();
  return {
    title: "Overview",
    paths: () => wanted,
    optional: true,
    mount(main) {
      for (const place of main.querySelectorAll("[data-pool]")) {
        const path = place.dataset.key;
        if (!large.has(path)) large.set(path, new WholeMap(() => { location.hash = place.dataset.pool; }));
        if (found[path]?.cells) large.get(path).show(place, found[path]);
      }
    },
    render(answers) {
      const all = answers.overview;
      found = answers;
      wanted = ["overview", ...all.batch.flatMap((batch) => batch.pools.slice(0, MAPS).map((pool) => mapOf(batch.account, pool)))];
      return [h("h1", { class: "unseen" }, "Overview"), all.batch.map((batch) => showBatch(batch, answers, all)), showStorage(all)];
    },
  };
}

function showBatch(batch, answers, all) {
  const quiet = batch.pools_total === 0 && batch.jobs_total === 0;
  return h("section", { key: batch.account, "aria-label": `Batch account ${batch.account}` },
    h("h2", {}, "Batch account ", name(batch.account), " ", h("span", { class: "aside" }, batch.endpoint)),
    quiet ? showFirstSteps(batch, all) : [showPools(batch, answers), showJobs(batch)]);
}

function showFirstSteps(batch) {
  return h("div", { class: "empty" },
    h("p", {}, h("strong", {}, "Nothing here yet. "), "Pools and jobs show up as soon as a client makes them. In a shell that has read what the emulator printed (", h("code", {}, ". ./emulator.env"), "):"),
    h("pre", { tabindex: 0, "aria-label": "First steps" },
      "batch-run workloads/topwords.yaml --target azure     # a run of batch-run\n" +
      "az batch pool list                                   # the Azure CLI\n\n" +
      "# azure-batch 15 for Python\n" +
      "key = AzureNamedKeyCredential(os.environ[\"AZURE_BATCH_ACCOUNT\"], os.environ[\"AZURE_BATCH_ACCESS_KEY\"])\n" +
      `client = BatchClient("${batch.endpoint}", key)`));
}

function showPools(batch, answers) {
  return [h("h3", {}, "Pools ", h("span", { class: "aside" }, batch.pools_total)),
    batch.pools_total === 0 ? h("p", { class: "empty" }, "No pool: jobs wait until there is the one that they name.") : null,
    h("div", { class: "cards" }, batch.pools.slice(0, MAPS).map((pool) => showPool(batch, pool, answers))),
    batch.pools_total > MAPS ? table("Further pools", ["pool", "nodes", "state"],
      batch.pools.slice(MAPS).map((pool) => h("tr", { key: pool.id }, h("td", {}, h("a", { href: link("pool", batch.account, pool.id) }, name(pool.id))), h("td", {}, sizes(pool)), h("td", {}, pool.allocation)))) : null,
    batch.pools_total > batch.pools.length ? h("p", {}, `The ${batch.pools.length} newest of ${batch.pools_total}.`) : null];
}

function showPool(batch, pool, answers) {
  const path = mapOf(batch.account, pool), closely = answers[path];
  return h("article", { class: "card", key: pool.id },
    h("h4", {}, h("a", { href: link("pool", batch.account, pool.id) }, name(pool.name ?? pool.id))),
    h("p", { class: "line" }, `${sizes(pool)} · ${pool.vm_size}${pool.slots_per_node > 1 ? ` · ${pool.slots_per_node} slots a node` : ""}${pool.scales_itself ? " · scales itself" : ""}`,
      " ", badge(pool.state === "active" ? pool.allocation : pool.state, pool.allocation === "steady" && pool.state === "active" ? "quiet" : "coming")),
    pool.resize_errors.map((error) => h("p", { class: "bad-text" }, `resize: ${error.code}: ${error.message}`)),
    isLarge(pool) ? h("div", { key: path, "data-own": true, "data-pool": link("pool", batch.account, pool.id) })
      : closely?.nodes?.length ? heatMap(batch.account, pool.id, closely.nodes) : null,
    legend(pool.node_states, pool.spot.current));
}

export function badge(text, kind) {
  return h("span", { class: `badge ${kind}` }, text);
}

export const JOB_KINDS = { active: "busy", completed: "quiet", deleting: "gone", terminating: "gone", disabled: "gone", disabling: "gone", enabling: "coming" };

function showJobs(batch) {
  return [h("h3", {}, "Jobs ", h("span", { class: "aside" }, batch.jobs_total)),
    batch.jobs_total === 0 ? h("p", { class: "empty" }, "No job. One names a pool, and has tasks.")
      : table(`Jobs of ${batch.account}`, ["job", "state", "tasks", "pool", "created"], batch.jobs.map((job) => showJob(batch, job))),
    batch.jobs_total > batch.jobs.length ? h("p", {}, `The ${batch.jobs.length} newest of ${batch.jobs_total}.`) : null];
}

function showJob(batch, job) {
  return h("tr", { key: job.id },
    h("td", {}, h("a", { href: link("job", batch.account, job.id) }, name(job.name ?? job.id))),
    h("td", {}, badge(job.state, JOB_KINDS[job.state] ?? "quiet"), job.error ? h("span", { class: "bad-text" }, ` ${job.error.code}`) : null),
    h("td", {}, progress(job.tasks)),
    h("td", {}, job.pool ? h("a", { href: link("pool", batch.account, job.pool) }, name(job.pool)) : "–"),
    h("td", {}, moment(job.created)));
}

/** How many tasks are in which state: a bar, and the same in words. */
export function progress(tasks) {
  const parts = [["succeeded", tasks.succeeded], ["failed", tasks.failed], ["running", tasks.running], ["waiting", tasks.active]];
  const total = tasks.active + tasks.running + tasks.completed;
  const words = parts.filter(([, number]) => number).map(([state, number]) => h("span", { class: `of-${state}` }, `${number.toLocaleString("en")} ${state}`));
  if (total === 0) return "no tasks";
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, parts.filter(([, number]) => number).map(([state, number]) => {
    const part = h("span", { key: state, class: state });
    part.style.flexGrow = String(number);
    return part;
  }));
  return h("span", { class: "progress" }, bar, h("span", { class: "words" }, words.flatMap((word, at) => at ? [", ", word] : [word])));
}

function showStorage(all) {
  return h("section", { key: "storage", "aria-label": "Storage" }, h("h2", {}, "Storage"),
    h("ul", {}, all.blob.map((blob) => h("li", { key: blob.account },
      h("a", { href: link("storage", blob.account) }, name(blob.account)), ` ${count(blob.containers, "container")} `, h("span", { class: "aside" }, blob.endpoint)))));
}
