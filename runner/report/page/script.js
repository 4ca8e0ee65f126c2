"use strict";
// Makes the page of a run one to search and look around in. What it shows are texts of strangers:
// they only ever become text of elements. Everything takes time in proportion to the tasks.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [ID, ITEM, STEP, STATE, BEGUN, ADDED, EXIT, CAUSE, FILES, BYTES, SENDING, ATTEMPTS, NAMES] = Array(13).keys();
  const [NUMBER, NODE, SLOT, START, END, A_EXIT, A_CAUSE] = Array(7).keys();
  const ROWS_A_PAGE = 100;
  const UNKNOWN = "\u2013";
  const byId = (id) => document.getElementById(id);
  const stateName = (task) => data.states[task[STATE]][0];
  const last = (task) => task[ATTEMPTS].length ? task[ATTEMPTS][task[ATTEMPTS].length - 1] : null;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((each) => each !== null));
    return element;
  }

  function duration(ms) {
    if (ms === null) return UNKNOWN;
    const seconds = ms / 1000;
    if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, "0");
    if (whole >= 86400) return `${Math.floor(whole / 86400)}d ${two(Math.floor(whole % 86400 / 3600))}h`;
    if (whole >= 3600) return `${Math.floor(whole / 3600)}h ${two(Math.floor(whole % 3600 / 60))}m`;
    if (whole >= 60) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
    return `${whole}s`;
  }

  function size(bytes) {
    let left = bytes;
    for (const unit of ["B", "kB", "MB", "GB"]) {
      if (left < 1000) return unit === "B" ? `${bytes} B` : `${left.toFixed(1)} ${unit}`;
      left /= 1000;
    }
    return `${left.toFixed(1)} TB`;
  }

  const zero = Date.parse(data.zero.replace(/(\.\d{3})\d*Z$/, "$1Z"));
  const clock = (ms) => ms === null ? UNKNOWN : new Date(zero + ms).toISOString().slice(0, 19).replace("T", " ");
  const ran = (attempt) => attempt === null || attempt[START] === null || attempt[END] === null
    ? null : Math.max(0, attempt[END] - attempt[START]);
  const waited = (task) => {
    const first = task[ATTEMPTS][0];
    if (!first || first[NUMBER] !== 1 || first[START] === null || task[ADDED] === null) return null;
    return Math.max(0, first[START] - task[ADDED]);
  };
  const thousands = (number) => number.toLocaleString("en");
  const nodeName = (place) => place < 0 ? "a node that nobody saw" : `node ${place + 1}`;

  function badge(task) {
    const [name, kind, sign] = data.states[task[STATE]];
    return make("span", {class: `badge ${kind}`}, `${sign} ${name}`);
  }

  function copied(line) {
    const code = make("code", {}, line);
    return make("span", {class: "command"}, code, copyButton(code));
  }

  function copyButton(code) {
    const button = make("button", {type: "button", "aria-label": `Copy ${code.textContent}`}, "copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
      } catch {
        // Without leave to write to the clipboard: what is selected can be copied by hand.
        getSelection().selectAllChildren(code);
        button.textContent = "selected";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1600);
    });
    return button;
  }

  // ---- the table of tasks

  const columns = [
    {name: "task", key: (task) => Number(task[ID])},
    {name: "item", key: (task) => task[ITEM]},
    {name: "state", key: (task) => task[STATE]},
    {name: "step", key: (task) => task[STEP], optional: true},
    {name: "attempts", key: (task) => task[BEGUN], number: true, optional: true},
    {name: "waited", key: waited, number: true, optional: true},
    {name: "ran", key: (task) => ran(last(task)), number: true},
    {name: "exit", key: (task) => task[EXIT], number: true},
    {name: "results", key: (task) => task[BYTES], number: true, optional: true},
  ];
  const view = {tasks: data.tasks, page: 0, column: 0, descending: false};
  const table = byId("task-table");
  const body = table.tBodies[0];
  const pages = byId("task-pages");
  const status = make("span", {role: "status"});
  const placeOf = new Map(data.tasks.map((task, place) => [task[ID], place]));
  let haystacks = null;

  function haystack(place) {
    // Made at the first search: most readers never do.
    haystacks ??= data.tasks.map((task) => {
      const node = last(task) === null || last(task)[NODE] < 0 ? "" : data.nodes[last(task)[NODE]];
      const cause = task[CAUSE] < 0 ? "" : data.causes[task[CAUSE]];
      return `${task[ID]}\n${task[ITEM]}\n${cause}\n${node}`.toLowerCase();
    });
    return haystacks[place];
  }

  function select(label, values, short = true) {
    const choice = make("select", {onchange: refilter}, make("option", {value: ""}, "all"),
      ...values.map(([value, name]) => make("option", {value}, name)));
    return [choice, make("label", {class: short ? "short" : ""}, label, choice)];
  }

  const search = make("input", {type: "search", id: "search", autocomplete: "off", spellcheck: "false",
    "aria-keyshortcuts": "/", placeholder: "item, id, cause, node", oninput: refilter});
  const present = new Set(data.tasks.map((task) => task[STATE]));
  const [byState, stateLabel] = select("State", data.states
    .map(([name], place) => [place, name]).filter(([place]) => present.has(place)));
  const [byStep, stepLabel] = select("Step", data.steps.map((name, place) => [place, name]));
  const [byNode, nodeLabel] = select("Node", data.nodes.map((name, place) =>
    [place, `${place + 1}: ${name.length > 24 ? `…${name.slice(-14)}` : name}`]));
  byId("task-controls").append(make("div", {class: "controls"},
    make("label", {}, "Search (/)", search), stateLabel,
    data.steps.length > 1 ? stepLabel : null, data.nodes.length > 1 ? nodeLabel : null,
    make("button", {type: "button", onclick: clear}, "Clear")));

  function clear() {
    search.value = byState.value = byStep.value = byNode.value = "";
    refilter();
  }

  function refilter() {
    const words = search.value.toLowerCase().trim();
    const state = byState.value, step = byStep.value, node = byNode.value;
    view.tasks = data.tasks.filter((task, place) =>
      (state === "" || task[STATE] === Number(state))
      && (step === "" || task[STEP] === Number(step))
      && (node === "" || task[ATTEMPTS].some((each) => each[NODE] === Number(node)))
      && (words === "" || haystack(place).includes(words)));
    resort();
  }

  function resort() {
    const {key} = columns[view.column];
    const sign = view.descending ? -1 : 1;
    view.tasks = view.tasks.map((task) => [key(task), task]).sort(([a], [b]) => {
      if (a === b) return 0;
      // What is not known comes last, whichever way.
      if (a === null) return 1;
      if (b === null) return -1;
      return a < b ? -sign : sign;
    }).map(([, task]) => task);
    view.page = 0;
    show();
  }

  function sortBy(place) {
    view.descending = view.column === place ? !view.descending : columns[place].number === true;
    view.column = place;
    resort();
    table.tHead.querySelectorAll("button")[place].focus();
  }

  function show() {
    table.tHead.rows[0].replaceChildren(...columns.map((column, place) => make("th", {
      scope: "col",
      class: `${column.number ? "number" : ""} ${column.optional ? "optional" : ""}`,
      "aria-sort": view.column === place ? (view.descending ? "descending" : "ascending") : null,
    }, make("button", {type: "button", onclick: () => sortBy(place)}, column.name))));
    const from = view.page * ROWS_A_PAGE;
    const shown = view.tasks.slice(from, from + ROWS_A_PAGE);
    body.replaceChildren(...shown.map(row));
    const total = view.tasks.length;
    status.textContent = total === 0 ? "no task is like that"
      : `${thousands(from + 1)} to ${thousands(from + shown.length)} of ${thousands(total)}`
        + (total < data.tasks.length ? ` (${thousands(data.tasks.length)} in all)` : "");
    previous.disabled = view.page === 0;
    next.disabled = from + ROWS_A_PAGE >= total;
  }

  function turn(by) {
    const most = Math.max(0, Math.ceil(view.tasks.length / ROWS_A_PAGE) - 1);
    const page = Math.min(most, Math.max(0, view.page + by));
    if (page === view.page) return false;
    view.page = page;
    show();
    return true;
  }

  const previous = make("button", {type: "button", onclick: () => turn(-1)}, "← before");
  const next = make("button", {type: "button", onclick: () => turn(1)}, "next →");
  pages.append(previous, next, status);
  const note = byId("tasks-note");
  if (note && data.all === data.tasks.length) note.remove();
  else if (note) note.firstChild.data = note.firstChild.data.replace(/^[\d,]+/, thousands(data.all - data.tasks.length));

  function row(task) {
    const open = make("button", {type: "button", class: "task", "aria-expanded": "false"}, task[ID]);
    const line = make("tr", {"data-task": task[ID]},
      make("td", {}, open), make("td", {class: "name"}, task[ITEM]), make("td", {}, badge(task)),
      make("td", {class: "optional"}, task[STEP] < 0 ? "" : data.steps[task[STEP]]),
      make("td", {class: "number optional"}, String(task[BEGUN])),
      make("td", {class: "number optional"}, duration(waited(task))),
      make("td", {class: "number"}, duration(ran(last(task)))),
      make("td", {class: "number"}, task[EXIT] === null ? UNKNOWN : String(task[EXIT])),
      make("td", {class: "number optional"}, task[FILES] ? size(task[BYTES]) : UNKNOWN));
    open.addEventListener("click", () => toggle(line, task, open));
    return line;
  }

  function toggle(line, task, open) {
    const isOpen = open.getAttribute("aria-expanded") === "true";
    open.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) line.nextElementSibling.remove();
    else line.after(make("tr", {class: "details"}, make("td", {colspan: columns.length}, details(task))));
  }

  function details(task) {
    const [message, tail, script] = data.words[task[ID]] ?? ["", "", null];
    const names = task[NAMES];
    const cells = (attempt) => [String(attempt[NUMBER]),
      attempt[NODE] < 0 ? UNKNOWN : data.nodes[attempt[NODE]],
      clock(attempt[START]), duration(ran(attempt)),
      attempt[A_EXIT] === null ? UNKNOWN : String(attempt[A_EXIT]),
      attempt[A_CAUSE] < 0 ? "" : data.causes[attempt[A_CAUSE]]];
    const more = task[FILES] - names.length;
    return make("div", {},
      task[ATTEMPTS].length ? make("div", {class: "scroll"}, make("table", {},
        make("thead", {}, make("tr", {}, ...["attempt", "node", "began", "took", "exit", "cause"]
          .map((name) => make("th", {scope: "col"}, name)))),
        make("tbody", {}, ...task[ATTEMPTS].map((attempt) => make("tr", {},
          ...cells(attempt).map((each) => make("td", {}, each)))))))
        : make("p", {class: "quiet"}, "No attempt of it was seen."),
      message ? make("p", {}, message) : null,
      tail ? make("pre", {tabindex: "0", "aria-label": "End of stderr"}, tail) : null,
      script ? make("pre", {tabindex: "0", "aria-label": "Command"}, script) : null,
      task[FILES] ? make("p", {}, `Results: ${names.join(", ")}${names.length && more > 0 ? " and " : ""}`
        + `${more > 0 ? `${thousands(more)}${names.length ? " more" : ""}` : ""} (${size(task[BYTES])})`) : null,
      make("ul", {class: "commands"}, ...["logs", "explain"].map((command) =>
        make("li", {}, copied(`batch-run ${command} ${task[ID]} ${data.run}`)))));
  }

  function reveal(task) {
    if (!view.tasks.includes(task)) clear();
    view.page = Math.floor(view.tasks.indexOf(task) / ROWS_A_PAGE);
    show();
    const open = body.querySelector(`tr[data-task="${CSS.escape(task[ID])}"] button.task`);
    if (open.getAttribute("aria-expanded") === "false") open.click();
    open.focus();
    open.scrollIntoView({block: "center"});
  }

  body.addEventListener("keydown", (event) => {
    if (!event.target.matches("button.task")) return;
    const buttons = [...body.querySelectorAll("button.task")];
    const place = buttons.indexOf(event.target);
    const steps = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (steps !== undefined) {
      event.preventDefault();
      const to = buttons[place + steps];
      if (to) to.focus();
      else if (turn(steps)) {
        const fresh = body.querySelectorAll("button.task");
        fresh[steps > 0 ? 0 : fresh.length - 1].focus();
      }
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      if (turn(event.key === "ArrowRight" ? 1 : -1)) body.querySelector("button.task").focus();
    }
  });

  // ---- the timeline

  const LANE = 13, GAP = 5, TOP = 22, LABEL = 78, STACK = 72, RUNNING = 40, CHART = STACK + RUNNING;
  const timeline = {bars: [], lanes: [], from: 0, to: 1, focus: -1};

  function paint(name) {
    // What a property comes to in these colours, which only an element tells.
    const probe = make("span", {hidden: true});
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function layOut() {
    let y = 0;
    const firsts = data.lanes.map(([slots]) => {
      const first = timeline.lanes.length;
      for (let slot = 0; slot < slots; slot++) {
        timeline.lanes.push({y, bars: []});
        y += LANE;
      }
      y += GAP;
      return first;
    });
    timeline.height = y;
    timeline.firsts = firsts;
    data.tasks.forEach((task, place) => task[ATTEMPTS].forEach((attempt) => {
      if (attempt[NODE] < 0 || attempt[SLOT] === null || attempt[START] === null) return;
      const isLast = attempt === last(task);
      const end = attempt[END] ?? data.seen;
      const lane = timeline.lanes[firsts[attempt[NODE]] + attempt[SLOT]];
      const bar = {task, place, attempt, isLast, start: attempt[START], end: Math.max(end, attempt[START]), lane};
      lane.bars.push(timeline.bars.length);
      timeline.bars.push(bar);
    }));
    for (const lane of timeline.lanes) lane.bars.sort((a, b) => timeline.bars[a].start - timeline.bars[b].start);
    let from = 0, to = 1;
    for (const [, since, until] of data.lanes) {
      if (since < from) from = since;
      if (until > to) to = until;
    }
    if (data.goesOn && data.seen > to) to = data.seen;
    Object.assign(timeline, {first: from, last: to, from, to});
  }

  function kindOf(bar) {
    if (!bar.isLast || stateName(bar.task) === "retrying") return "again";
    const name = stateName(bar.task);
    return name === "failed" ? "bad" : "busy";
  }

  function describe(bar) {
    const {task, attempt} = bar;
    const state = bar.isLast ? stateName(task) : "run again after this attempt";
    const wait = bar.isLast && attempt[NUMBER] === 1 && waited(task) !== null ? `, after ${duration(waited(task))} in the queue` : "";
    const sending = bar.isLast && task[SENDING] !== null && attempt[END] !== null
      ? `, uploading for ${duration(attempt[END] - task[SENDING])} of it` : "";
    return `task ${task[ID]} ${task[ITEM]}: ${state}; attempt ${attempt[NUMBER]} on ${nodeName(attempt[NODE])}`
      + ` from ${clock(attempt[START])}, ${attempt[END] === null ? "not over" : duration(ran(attempt))}${wait}${sending}`;
  }

  function buildTimeline() {
    const place = byId("timeline-place");
    if (!data.lanes.length) {
      place.append(make("p", {class: "quiet"}, "No task was seen on a node."));
      return;
    }
    layOut();
    const told = make("p", {class: "told quiet", role: "status", id: "told"},
      "Point at a task, or focus the timeline and use the arrow keys.");
    const overview = make("canvas", {height: CHART, role: "img",
      "aria-label": "How many tasks were queued, ran and had ended over time; the summary has the numbers"});
    const canvas = make("canvas", {"aria-hidden": "true"});
    const spacer = make("div", {"aria-hidden": "true"});
    const lanes = make("div", {class: "lanes", tabindex: "0", role: "application", id: "lanes",
      "aria-roledescription": "timeline", "aria-describedby": "told",
      "aria-label": "Tasks on the slots of nodes: arrow keys go from task to task, plus and minus zoom"},
      canvas, spacer);
    const tip = make("div", {id: "tip", hidden: true, "aria-hidden": "true"});
    const button = (label, name, act) => make("button", {type: "button", "aria-label": name, onclick: act}, label);
    place.append(
      make("div", {class: "controls"},
        button("+", "Zoom in", () => zoom(0.5)), button("−", "Zoom out", () => zoom(2)),
        button("all", "Zoom to all", () => zoom(Infinity)), make("span", {class: "quiet", id: "span"})),
      overview, legend(["wait", "queued"], ["busy", "running"], ["good", "succeeded"], ["bad", "failed"]),
      lanes, legend(["busy", "running"], ["send", "uploading"], ["bad", "failed"], ["again", "run again"],
        ["there", "node there"], ["coming", "node not ready"]), told);
    document.body.append(tip);
    let colours = null;
    let planned = false;

    const width = () => place.clientWidth;
    const x = (ms) => LABEL + (ms - timeline.from) / (timeline.to - timeline.from) * (width() - 2 - LABEL);
    const time = (px) => timeline.from + (px - LABEL) / (width() - 2 - LABEL) * (timeline.to - timeline.from);

    function fit(element, height) {
      const scale = devicePixelRatio || 1;
      element.width = Math.round((width() - 2) * scale);
      element.height = Math.round(height * scale);
      element.style.width = `${width() - 2}px`;
      element.style.height = `${height}px`;
      const pen = element.getContext("2d");
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.font = "11px system-ui, sans-serif";
      pen.textBaseline = "middle";
      return pen;
    }

    function redraw() {
      if (planned) return;
      planned = true;
      requestAnimationFrame(() => { planned = false; draw(); });
    }

    function draw() {
      colours ??= Object.fromEntries(["busy", "bad", "good", "again", "send", "wait", "there", "coming", "text", "quiet", "line", "ground"]
        .map((name) => [name, paint(name)]));
      drawOverview();
      drawLanes();
      byId("span").textContent = `${duration(timeline.to - timeline.from)} from ${clock(timeline.from)}`;
    }

    function drawOverview() {
      const pen = fit(overview, CHART);
      const wide = Math.max(1, Math.floor(width() - 2 - LABEL));
      // For each pixel how many tasks came to it and left it, summed up from the left.
      const counts = ["wait", "busy", "good", "bad"].map(() => new Float64Array(wide + 2));
      const pixel = (ms) => Math.min(wide, Math.max(0, Math.floor(x(ms) - LABEL)));
      const mark = (kind, from, to) => {
        if (from === null || from > timeline.to || (to !== null && to < timeline.from)) return;
        counts[kind][pixel(from)] += 1;
        if (to !== null) counts[kind][pixel(to) + (to > from ? 0 : 1)] -= 1;
      };
      for (const task of data.tasks) {
        const first = task[ATTEMPTS][0], final = last(task);
        if (!final || final[START] === null) {
          if (stateName(task) === "queued") mark(0, task[ADDED], null);
          continue;
        }
        const began = first[START] ?? final[START];
        if (task[ADDED] !== null && task[ADDED] < began) mark(0, task[ADDED], began);
        mark(1, began, final[END]);
        if (final[END] !== null) mark(stateName(task) === "failed" ? 3 : 2, final[END], null);
      }
      let most = 1;
      const sums = [0, 0, 0, 0];
      const heights = new Float64Array((wide + 1) * 4);
      for (let px = 0; px <= wide; px++) {
        let sum = 0;
        for (const kind of [2, 3, 1, 0]) {
          sums[kind] += counts[kind][px];
          sum += sums[kind];
          heights[px * 4 + kind] = sums[kind];
        }
        if (sum > most) most = sum;
      }
      const tall = STACK - 16;
      const order = [[2, "good"], [3, "bad"], [1, "busy"], [0, "wait"]];
      for (let px = 0; px <= wide; px++) {
        let y = tall + 8;
        for (const [kind, name] of order) {
          const height = heights[px * 4 + kind] / most * tall;
          if (height <= 0) continue;
          pen.fillStyle = colours[name];
          pen.fillRect(LABEL + px, y - height, 1, height);
          y -= height;
        }
      }
      pen.fillStyle = colours.quiet;
      pen.fillText(`${thousands(most)} task${most === 1 ? "" : "s"}`, 0, 12);
      pen.fillText("0", 0, tall + 6);
      let together = 1;
      for (let px = 0; px <= wide; px++) together = Math.max(together, heights[px * 4 + 1]);
      pen.fillStyle = colours.busy;
      for (let px = 0; px <= wide; px++) {
        const height = heights[px * 4 + 1] / together * (RUNNING - 8);
        pen.fillRect(LABEL + px, CHART - 1 - height, 1, height);
      }
      pen.fillStyle = colours.quiet;
      pen.fillText(`${thousands(together)} running`, 0, STACK + 8);
      pen.fillStyle = colours.line;
      pen.fillRect(LABEL, tall + 8, wide, 1);
      pen.fillRect(LABEL, CHART - 1, wide, 1);
    }

    function ticks() {
      const wanted = (timeline.to - timeline.from) / Math.max(2, (width() - LABEL) / 110);
      const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5,
        72e5, 216e5, 432e5, 864e5, 6048e5, 2592e6];
      return steps.find((step) => step >= wanted) ?? 2592e6;
    }

    function drawLanes() {
      const shown = Math.min(timeline.height + TOP, Math.max(180, innerHeight * 0.62 - 2));
      spacer.style.height = `${Math.max(0, timeline.height + TOP - shown)}px`;
      const pen = fit(canvas, shown);
      const top = lanes.scrollTop;
      const right = width() - 2;
      pen.save();
      pen.beginPath();
      pen.rect(0, TOP, right, shown - TOP);
      pen.clip();
      data.lanes.forEach(([slots, since, until, states], node) => {
        const y = timeline.lanes[timeline.firsts[node]].y + TOP - top;
        const high = slots * LANE - 1;
        if (y > shown || y + high < TOP) return;
        pen.fillStyle = colours.there;
        const left = Math.max(LABEL, x(since));
        pen.fillRect(left, y, Math.max(1, Math.min(right, x(until)) - left), high);
        for (const [state, from, to] of states) {
          if (["idle", "running"].includes(state)) continue;
          const a = Math.max(LABEL, x(from)), b = Math.min(right, x(to));
          pen.fillStyle = colours.coming;
          if (b > a) pen.fillRect(a, y, b - a, high);
        }
        pen.fillStyle = colours.quiet;
        pen.fillText(`node ${node + 1}`, 6, y + LANE / 2);
        drawBars(pen, node, slots, y, right, shown);
      });
      pen.restore();
      drawFocus(pen, top, right, shown);
      drawAxis(pen, right);
    }

    function drawBars(pen, node, slots, y, right, shown) {
      for (let slot = 0; slot < slots; slot++) {
        const at = y + slot * LANE;
        if (at > shown || at + LANE < TOP) continue;
        let drawnTo = -1, drawnKind = "";
        for (const place of timeline.lanes[timeline.firsts[node] + slot].bars) {
          const bar = timeline.bars[place];
          if (bar.end < timeline.from || bar.start > timeline.to) continue;
          const kind = kindOf(bar);
          const a = Math.max(LABEL, x(bar.start)), b = Math.min(right, Math.max(a + 1, x(bar.end)));
          // Of many tasks in a pixel one is drawn; one that failed is never left out.
          if (b <= drawnTo + 0.5 && (kind === drawnKind || kind === "busy")) continue;
          pen.fillStyle = colours[kind];
          pen.fillRect(a, at, b - a > 3 ? b - a - 1 : b - a, LANE - 2);
          if (bar.isLast && kind === "busy" && bar.task[SENDING] !== null) {
            const c = Math.max(a, x(bar.task[SENDING]));
            pen.fillStyle = colours.send;
            if (b - c > 0.5) pen.fillRect(c, at, b - c > 3 ? b - c - 1 : b - c, LANE - 2);
          }
          if (kind === "bad" && b - a > 9) {
            pen.fillStyle = colours.ground;
            pen.fillText("✗", a + 2, at + LANE / 2);
          }
          drawnTo = b;
          drawnKind = kind;
        }
      }
    }

    function drawFocus(pen, top, right, shown) {
      if (timeline.focus < 0) return;
      const bar = timeline.bars[timeline.focus];
      const y = bar.lane.y + TOP - top;
      if (y < TOP - LANE || y > shown) return;
      const a = Math.max(LABEL, x(bar.start)), b = Math.min(right, Math.max(a + 2, x(bar.end)));
      if (bar.attempt[NUMBER] === 1 && bar.task[ADDED] !== null && bar.task[ADDED] < bar.start) {
        // How long it was in the queue, drawn for it alone: in the queue no node is its own yet.
        pen.fillStyle = colours.text;
        const from = Math.max(LABEL, x(bar.task[ADDED]));
        pen.fillRect(from, y + LANE / 2 - 1, Math.max(0, a - from), 1.5);
      }
      pen.strokeStyle = colours.text;
      pen.lineWidth = 2;
      pen.strokeRect(a - 1, y - 1, b - a + 2, LANE);
    }

    function drawAxis(pen, right) {
      pen.fillStyle = colours.ground;
      pen.fillRect(0, 0, right, TOP - 3);
      const step = ticks();
      pen.fillStyle = colours.quiet;
      for (let ms = Math.ceil((timeline.from - timeline.first) / step) * step + timeline.first; ms <= timeline.to; ms += step) {
        const at = x(ms);
        pen.fillRect(at, TOP - 6, 1, 3);
        const label = ms === timeline.first ? "0" : step < 1000 ? `${((ms - timeline.first) / 1000).toFixed(step < 100 ? 2 : 1)}s` : duration(ms - timeline.first);
        if (at + 44 < right) pen.fillText(label, at + 2, 8);
      }
    }

    function zoom(by, about = (timeline.from + timeline.to) / 2) {
      const whole = timeline.last - timeline.first;
      const span = Math.min(whole, Math.max(1, (timeline.to - timeline.from) * by));
      const share = (about - timeline.from) / (timeline.to - timeline.from);
      const from = Math.min(timeline.last - span, Math.max(timeline.first, about - span * share));
      Object.assign(timeline, {from, to: from + span});
      redraw();
    }

    function shift(ms) {
      const span = timeline.to - timeline.from;
      const from = Math.min(timeline.last - span, Math.max(timeline.first, timeline.from + ms));
      Object.assign(timeline, {from, to: from + span});
      redraw();
    }

    function barAt(event) {
      const box = canvas.getBoundingClientRect();
      const ms = time(event.clientX - box.left), y = event.clientY - box.top - TOP + lanes.scrollTop;
      if (event.clientX - box.left < LABEL || event.clientY - box.top < TOP) return -1;
      const lane = timeline.lanes.find((each) => y >= each.y && y < each.y + LANE);
      if (!lane) return -1;
      const near = (timeline.to - timeline.from) / (width() - LABEL) * 3;
      let found = -1;
      for (const place of lane.bars) {
        const bar = timeline.bars[place];
        if (bar.start - near <= ms && ms <= bar.end + near) found = place;
        if (bar.start > ms + near) break;
      }
      return found;
    }

    function focusOn(place) {
      timeline.focus = place;
      const bar = timeline.bars[place];
      told.textContent = describe(bar);
      if (bar.end < timeline.from || bar.start > timeline.to) {
        shift((bar.start + bar.end) / 2 - (timeline.from + timeline.to) / 2);
      }
      const y = bar.lane.y;
      if (y < lanes.scrollTop) lanes.scrollTop = y;
      const most = canvas.clientHeight - TOP - LANE;
      if (y > lanes.scrollTop + most) lanes.scrollTop = y - most;
      redraw();
    }

    function move(key) {
      if (!timeline.bars.length) return;
      if (timeline.focus < 0) {
        focusOn(timeline.lanes.find((lane) => lane.bars.length).bars[0]);
        return;
      }
      const bar = timeline.bars[timeline.focus];
      const row = bar.lane.bars, place = row.indexOf(timeline.focus);
      if (key === "ArrowLeft" || key === "ArrowRight") {
        const to = row[place + (key === "ArrowRight" ? 1 : -1)];
        if (to !== undefined) focusOn(to);
        return;
      }
      const by = key === "ArrowDown" ? 1 : -1;
      let lane = timeline.lanes.indexOf(bar.lane) + by;
      while (timeline.lanes[lane] && !timeline.lanes[lane].bars.length) lane += by;
      if (!timeline.lanes[lane]) return;
      const distance = (each) => Math.abs(timeline.bars[each].start - bar.start);
      focusOn(timeline.lanes[lane].bars.reduce((a, b) => distance(b) < distance(a) ? b : a));
    }

    lanes.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key.startsWith("Arrow")) move(event.key);
      else if (event.key === "+" || event.key === "=") zoom(0.5, focusTime());
      else if (event.key === "-") zoom(2, focusTime());
      else if (event.key === "0") zoom(Infinity);
      else if (event.key === "Enter" && timeline.focus >= 0) reveal(timeline.bars[timeline.focus].task);
      else return;
      event.preventDefault();
    });
    function focusTime() {
      const middle = (timeline.from + timeline.to) / 2;
      if (timeline.focus < 0) return middle;
      return Math.min(timeline.to, Math.max(timeline.from, timeline.bars[timeline.focus].start));
    }
    let drag = null;
    lanes.addEventListener("pointerdown", (event) => { drag = {x: event.clientX, moved: false}; });
    addEventListener("pointerup", () => { drag = null; });
    lanes.addEventListener("pointermove", (event) => {
      if (drag && event.buttons === 1) {
        const by = drag.x - event.clientX;
        if (Math.abs(by) > 2 || drag.moved) {
          shift(by / (width() - LABEL) * (timeline.to - timeline.from));
          Object.assign(drag, {x: event.clientX, moved: true});
          tip.hidden = true;
          return;
        }
      }
      const place = barAt(event);
      tip.hidden = place < 0;
      if (place < 0) return;
      tip.textContent = describe(timeline.bars[place]);
      tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
      tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
    });
    lanes.addEventListener("pointerleave", () => { tip.hidden = true; });
    lanes.addEventListener("click", (event) => {
      const place = barAt(event);
      if (place >= 0) focusOn(place);
    });
    lanes.addEventListener("dblclick", (event) => {
      const place = barAt(event);
      if (place >= 0) reveal(timeline.bars[place].task);
    });
    lanes.addEventListener("wheel", (event) => {
      // With a key held: without one it scrolls, as everywhere.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event.clientX - canvas.getBoundingClientRect().left));
    }, {passive: false});
    lanes.addEventListener("scroll", redraw);
    addEventListener("resize", redraw);
    const repaint = () => { colours = null; redraw(); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    document.addEventListener("themechange", repaint);
    for (const name of ["beforeprint", "afterprint"]) {
      addEventListener(name, () => { colours = null; draw(); });
    }
    draw();
  }

  function legend(...entries) {
    return make("ul", {class: "legend"}, ...entries.map(([kind, name]) =>
      make("li", {}, make("span", {class: `swatch fill-${kind}`}), name)));
  }

  // ---- the page as a whole

  const THEMES = ["auto", "light", "dark"];
  const theme = byId("theme");

  function dress(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = {auto: "◐", light: "○", dark: "●"}[name];
    theme.setAttribute("aria-label", `Colours: ${name === "auto" ? "as the system has them" : name}`);
    document.dispatchEvent(new Event("themechange"));
  }

  function kept() {
    try {
      return localStorage.getItem("batch-run-theme");
    } catch {
      // A browser that keeps nothing for pages of the disk: it is asked anew each time.
      return null;
    }
  }

  theme.addEventListener("click", () => {
    const name = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % THEMES.length];
    dress(name);
    try {
      localStorage.setItem("batch-run-theme", name);
    } catch {
      return; // as above
    }
  });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  for (const each of document.querySelectorAll("[data-script]")) each.hidden = false;
  for (const link of document.querySelectorAll("[data-open]")) {
    link.addEventListener("click", (event) => {
      const task = data.tasks[placeOf.get(link.dataset.open)];
      if (!task) return;
      event.preventDefault();
      reveal(task);
    });
  }
  for (const code of document.querySelectorAll(".command > code")) code.after(copyButton(code));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === search) search.blur();
    if (event.target.matches("input, select, textarea")) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
      search.scrollIntoView({block: "center"});
    } else if (event.key === "?" && !byId("help").open) {
      byId("help").showModal();
    }
  });
  const worn = kept();
  if (THEMES.includes(worn) && worn !== "auto") dress(worn);
  buildTimeline();
  show();
  document.documentElement.dataset.ready = "";
})();
