// Draws the lanes that are in sight, with their bars. It must not know who looks at which of them.

const TOP = 22;

/** `top` is how far the lanes are scrolled, `shown` how high they are seen. */
function drawLanes(pen, plan, span, {top, right, shown, focused, colours}) {
  pen.save();
  pen.beginPath();
  pen.rect(0, TOP, right, shown - TOP);
  pen.clip();
  data.lanes.forEach(([slots, since, until, states], node) => {
    const y = plan.lanes[plan.firsts[node]].y + TOP - top;
    const high = slots * LANE - 1;
    if (y > shown || y + high < TOP) return;
    const left = Math.max(LABEL, span.x(since));
    pen.fillStyle = colours.there;
    pen.fillRect(left, y, Math.max(1, Math.min(right, span.x(until)) - left), high);
    for (const [state, from, to] of states) {
      if (["idle", "running"].includes(state)) continue;
      const a = Math.max(LABEL, span.x(from)), b = Math.min(right, span.x(to));
      pen.fillStyle = colours.coming;
      if (b > a) pen.fillRect(a, y, b - a, high);
    }
    pen.fillStyle = colours.quiet;
    pen.fillText(`node ${node + 1}`, 6, y + LANE / 2);
    for (let slot = 0; slot < slots; slot++) {
      const at = y + slot * LANE;
      if (at <= shown && at + LANE >= TOP) drawBars(pen, plan, plan.lanes[plan.firsts[node] + slot], span, at, right, colours);
    }
  });
  pen.restore();
  if (focused !== null) drawFocus(pen, focused, span, focused.lane.y + TOP - top, right, shown, colours);
  drawAxis(pen, span, right, TOP, colours);
}

function drawBars(pen, plan, lane, span, at, right, colours) {
  let drawnTo = -1, drawnKind = "";
  for (const place of lane.bars) {
    const bar = plan.bars[place];
    if (bar.end < span.from || bar.start > span.to) continue;
    const kind = kindOf(bar);
    const a = Math.max(LABEL, span.x(bar.start)), b = Math.min(right, Math.max(a + 1, span.x(bar.end)));
    // Of many tasks in a pixel one is drawn; one that failed is never left out.
    if (b <= drawnTo + 0.5 && (kind === drawnKind || kind === "busy")) continue;
    pen.fillStyle = colours[kind];
    pen.fillRect(a, at, b - a > 3 ? b - a - 1 : b - a, LANE - 2);
    if (bar.isLast && kind === "busy" && bar.task[SENDING] !== null) {
      const c = Math.max(a, span.x(bar.task[SENDING]));
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

function drawFocus(pen, bar, span, y, right, shown, colours) {
  if (y < TOP - LANE || y > shown || bar.end < span.from || bar.start > span.to) return;
  const a = Math.max(LABEL, span.x(bar.start)), b = Math.min(right, Math.max(a + 2, span.x(bar.end)));
  if (bar.attempt[NUMBER] === 1 && bar.task[ADDED] !== null && bar.task[ADDED] < bar.start) {
    // How long it was in the queue, drawn for it alone: in the queue no node is its own yet.
    pen.fillStyle = colours.text;
    const from = Math.max(LABEL, span.x(bar.task[ADDED]));
    pen.fillRect(from, y + LANE / 2 - 1, Math.max(0, a - from), 1.5);
  }
  pen.strokeStyle = colours.text;
  pen.lineWidth = 2;
  pen.strokeRect(a - 1, y - 1, b - a + 2, LANE);
}
