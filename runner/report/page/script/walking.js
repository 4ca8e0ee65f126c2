// Ways through the timeline: keys, pointer, wheel. It must not know how anything is drawn.

function walkByKeys(lanes, plan, span, chosen) {
  function move(key) {
    if (!plan.bars.length) return;
    const {bar} = chosen;
    if (bar === null) {
      chosen.focusOn(plan.bars[plan.lanes.find((lane) => lane.bars.length).bars[0]]);
      return;
    }
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const to = bar.lane.bars[bar.at + (key === "ArrowRight" ? 1 : -1)];
      if (to !== undefined) chosen.focusOn(plan.bars[to]);
      return;
    }
    const by = key === "ArrowDown" ? 1 : -1;
    let number = bar.lane.number + by;
    while (plan.lanes[number] && !plan.lanes[number].bars.length) number += by;
    if (!plan.lanes[number]) return;
    const distance = (each) => Math.abs(plan.bars[each].start - bar.start);
    chosen.focusOn(plan.bars[plan.lanes[number].bars.reduce((a, b) => distance(b) < distance(a) ? b : a)]);
  }

  function about() {
    if (chosen.bar === null) return (span.from + span.to) / 2;
    return Math.min(span.to, Math.max(span.from, chosen.bar.start));
  }

  lanes.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) move(event.key);
    else if (event.key === "+" || event.key === "=") span.zoom(0.5, about());
    else if (event.key === "-") span.zoom(2, about());
    else if (event.key === "0") span.zoom(Infinity);
    else if (event.key === "Enter" && chosen.bar !== null) chosen.open(chosen.bar);
    else return;
    event.preventDefault();
  });
}

function pointAt({lanes, canvas, tip}, plan, span, width, chosen) {
  let drag = null;

  function barAt(event) {
    const box = canvas.getBoundingClientRect();
    const px = event.clientX - box.left, high = event.clientY - box.top;
    if (px < LABEL || high < TOP) return null;
    const y = high - TOP + lanes.scrollTop, ms = span.time(px);
    const lane = plan.lanes.find((each) => y >= each.y && y < each.y + LANE);
    if (!lane) return null;
    const near = (span.to - span.from) / (width() - LABEL) * 3;
    let found = null;
    for (const place of lane.bars) {
      const bar = plan.bars[place];
      if (bar.start - near <= ms && ms <= bar.end + near) found = bar;
      if (bar.start > ms + near) break;
    }
    return found;
  }

  lanes.addEventListener("pointerdown", (event) => { drag = {x: event.clientX, moved: false}; });
  addEventListener("pointerup", () => { drag = null; });
  lanes.addEventListener("pointermove", (event) => {
    if (drag && event.buttons === 1) {
      const by = drag.x - event.clientX;
      if (Math.abs(by) > 2 || drag.moved) {
        span.shift(by / (width() - LABEL) * (span.to - span.from));
        drag = {x: event.clientX, moved: true};
        tip.hidden = true;
        return;
      }
    }
    const bar = barAt(event);
    tip.hidden = bar === null;
    if (bar === null) return;
    tip.textContent = describe(bar);
    tip.style.left = `${Math.max(0, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
  });
  lanes.addEventListener("pointerleave", () => { tip.hidden = true; });
  lanes.addEventListener("click", (event) => {
    const bar = barAt(event);
    if (bar !== null) chosen.focusOn(bar);
  });
  lanes.addEventListener("dblclick", (event) => {
    const bar = barAt(event);
    if (bar !== null) chosen.open(bar);
  });
  lanes.addEventListener("wheel", (event) => {
    // With a key held: without one it scrolls, as everywhere.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    span.zoom(event.deltaY > 0 ? 1.25 : 0.8, span.time(event.clientX - canvas.getBoundingClientRect().left));
  }, {passive: false});
}
