// The charts above the lanes: how many tasks were queued, ran and had ended, and how many ran at a
// time. It must not know of nodes.

const STACK = 72, RUNNING = 40, CHART = STACK + RUNNING;
// From the bottom up, as they are drawn.
const LAYERS = [[2, "good"], [3, "bad"], [1, "busy"], [0, "wait"]];

function drawOverview(pen, span, right, colours) {
  const wide = Math.max(1, Math.floor(right - LABEL));
  const heights = countByPixel(span, wide);
  let most = 1, together = 1;
  for (let px = 0; px <= wide; px++) {
    most = Math.max(most, heights[px * 4] + heights[px * 4 + 1] + heights[px * 4 + 2] + heights[px * 4 + 3]);
    together = Math.max(together, heights[px * 4 + 1]);
  }
  const tall = STACK - 16;
  for (let px = 0; px <= wide; px++) {
    let y = tall + 8;
    for (const [kind, name] of LAYERS) {
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

/** For each pixel how many tasks are waiting, running, good and bad there, one behind the other. */
function countByPixel(span, wide) {
  // How many came to it and left it, summed up from the left.
  const counts = [0, 1, 2, 3].map(() => new Float64Array(wide + 2));
  const pixel = (ms) => Math.min(wide, Math.max(0, Math.floor(span.x(ms) - LABEL)));
  const mark = (kind, from, to) => {
    if (from === null || from > span.to || (to !== null && to < span.from)) return;
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
  const heights = new Float64Array((wide + 1) * 4);
  const sums = [0, 0, 0, 0];
  for (let px = 0; px <= wide; px++) {
    for (let kind = 0; kind < 4; kind++) {
      sums[kind] += counts[kind][px];
      heights[px * 4 + kind] = sums[kind];
    }
  }
  return heights;
}
