// The timeline's lanes, one for each slot of each node, and the bars in them: attempts of tasks.
// Takes time in proportion to the tasks. It must not know how they are drawn.

const LANE = 13, GAP = 5;

/** `firsts` has the first lane of each node; `first` and `last` are the ends of all there is. */
function layOut() {
  const bars = [], lanes = [];
  let y = 0;
  const firsts = data.lanes.map(([slots]) => {
    const first = lanes.length;
    for (let slot = 0; slot < slots; slot++) {
      lanes.push({number: lanes.length, y, bars: []});
      y += LANE;
    }
    y += GAP;
    return first;
  });
  for (const task of data.tasks) {
    for (const attempt of task[ATTEMPTS]) {
      if (attempt[NODE] < 0 || attempt[SLOT] === null || attempt[START] === null) continue;
      const lane = lanes[firsts[attempt[NODE]] + attempt[SLOT]];
      const end = Math.max(attempt[END] ?? data.seen, attempt[START]);
      lane.bars.push(bars.length);
      bars.push({task, attempt, lane, isLast: attempt === last(task), start: attempt[START], end});
    }
  }
  for (const lane of lanes) {
    lane.bars.sort((a, b) => bars[a].start - bars[b].start);
    lane.bars.forEach((place, at) => { bars[place].at = at; });
  }
  return {bars, lanes, firsts, height: y, ...ends()};
}

function ends() {
  let first = 0, end = 1;
  for (const [, since, until] of data.lanes) {
    if (since < first) first = since;
    if (until > end) end = until;
  }
  if (data.goesOn && data.seen > end) end = data.seen;
  return {first, last: end};
}

function kindOf(bar) {
  const name = stateName(bar.task);
  if (!bar.isLast || name === "retrying") return "again";
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
