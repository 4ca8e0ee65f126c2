// The main path through @azure/batch, as a program.
//
// Arguments: the folder of its node_modules, the URL, name and key of an account, and a file for
// the exchanges, one line of JSON each. It ends with 0 if all went as it should. The URL must have
// no path: the client would put its own in its place.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const { createRequire } = require("node:module");
const path = require("node:path");

const [folder, url, account, key, record] = process.argv.slice(2);
const load = createRequire(path.join(folder, "package.json"));
const { BatchServiceClient, BatchSharedKeyCredentials } = load("@azure/batch");
const { DefaultHttpClient } = load("@azure/ms-rest-js");

const DEADLINE_MS = 60_000;

class Watching extends DefaultHttpClient {
  async sendRequest(request) {
    const response = await super.sendRequest(request);
    const content = response.bodyAsText;
    const line = {
      method: request.method,
      url: request.url,
      asked: request.headers.toJson(),
      status: response.status,
      headers: response.headers.toJson(),
      content: typeof content === "string" ? Buffer.from(content).toString("base64") : null,
    };
    fs.appendFileSync(record, JSON.stringify(line) + "\n");
    return response;
  }
}

// Names below `localhost` are this machine's, but not every system finds them.
const lookup = (_name, options, found) =>
  options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);
const agent = new http.Agent({ lookup });

const credentials = new BatchSharedKeyCredentials(account, key);
const client = new BatchServiceClient(credentials, url, {
  httpClient: new Watching(),
  noRetryPolicy: true,
  agentSettings: { http: agent, https: agent },
});

async function waitUntil(look) {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const answer = await look();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it did not happen in time");
}

async function refused(ask, status, code) {
  await assert.rejects(ask, (error) => {
    assert.deepEqual([error.statusCode, error.code ?? error.body?.code], [status, code]);
    return true;
  });
}

async function all(list, listNext, ...where) {
  let page = await list(...where);
  const found = [...page];
  while (page.odatanextLink) {
    page = await listNext(page.odatanextLink);
    found.push(...page);
  }
  return found;
}

async function text(response) {
  const chunks = [];
  for await (const chunk of response.readableStreamBody) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function pools() {
  await client.pool.add({
    id: "js",
    vmSize: "standard_d2s_v5",
    virtualMachineConfiguration: {
      imageReference: { publisher: "canonical", offer: "ubuntu-24_04-lts", sku: "server" },
      nodeAgentSKUId: "batch.node.ubuntu 24.04",
    },
    targetDedicatedNodes: 1,
    taskSlotsPerNode: 4,
  });
  await waitUntil(async () => (await client.pool.get("js")).allocationState === "steady");
  await client.pool.resize("js", { targetDedicatedNodes: 2 });
  const nodes = await waitUntil(async () => {
    const found = await client.computeNode.list("js");
    return found.length === 2 && found.every((node) => node.state === "idle") && found;
  });
  const names = (await client.file.listFromComputeNode("js", nodes[0].id)).map((file) => file.name);
  assert(names.includes("shared"), names.join());
  await client.pool.patch("js", { metadata: [{ name: "a", value: "b" }] });
  assert.equal((await client.pool.get("js")).metadata[0].value, "b");
  await refused(() => client.pool.get("none"), 404, "PoolNotFound");
}

async function tasks() {
  const job = { id: "js", poolInfo: { poolId: "js" } };
  await client.job.add(job);
  await refused(() => client.job.add(job), 409, "JobExists");
  const added = [];
  for (let number = 0; number < 100; number++) {
    const commandLine = `/bin/bash -c 'echo ${number}; exit $((${number} % 2))'`;
    added.push({ id: String(number).padStart(3, "0"), commandLine });
  }
  const result = await client.task.addCollection("js", added);
  assert(result.value.every((entry) => entry.status.toLowerCase() === "success"));
  await waitUntil(async () => {
    const counts = await client.job.getTaskCounts("js");
    return (counts.taskCounts ?? counts).completed === 100;
  });
  const list = (...where) => client.task.list(...where);
  const next = (link) => client.task.listNext(link);
  const listed = await all(list, next, "js", { taskListOptions: { maxResults: 30 } });
  assert.deepEqual(
    listed.map((task) => [task.id, task.executionInfo.exitCode]),
    added.map((task, number) => [task.id, number % 2]),
  );
  const filtered = await client.task.list("js", {
    taskListOptions: { filter: "executionInfo/exitCode eq 1 and startswith(id,'00')", select: "id" },
  });
  assert.deepEqual(
    filtered.map((task) => task.id),
    ["001", "003", "005", "007", "009"],
  );
  assert.equal(await text(await client.file.getFromTask("js", "042", "stdout.txt")), "42\n");
  const properties = await client.file.getPropertiesFromTask("js", "042", "stdout.txt");
  assert.equal(properties.contentLength, 3);
  await client.task.deleteMethod("js", "000");
  await refused(() => client.task.get("js", "000"), 404, "TaskNotFound");
}

async function schedules() {
  await client.jobSchedule.add({
    id: "js-s",
    schedule: { recurrenceInterval: "P1D" },
    jobSpecification: { poolInfo: { poolId: "js" } },
  });
  const [job] = await waitUntil(async () => {
    const found = await client.job.listFromJobSchedule("js-s");
    return found.length && found;
  });
  assert.equal(job.id, "js-s:job-1");
  assert.equal((await client.job.get("js-s:job-1")).state, "active");
  await client.jobSchedule.disable("js-s");
  await client.jobSchedule.deleteMethod("js-s");
}

async function ends() {
  await client.job.terminate("js", { jobTerminateParameter: undefined, terminateReason: "enough" });
  const ended = await waitUntil(async () => {
    const job = await client.job.get("js");
    return job.state === "completed" && job;
  });
  assert.equal(ended.executionInfo.terminateReason, "enough");
  await client.job.deleteMethod("js");
  await client.pool.deleteMethod("js");
  await waitUntil(async () => !(await client.pool.exists("js")).body);
}

async function main() {
  const images = await client.account.listSupportedImages();
  assert(images.some((image) => image.osType === "linux"));
  for (const step of [pools, tasks, schedules, ends]) await step();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
