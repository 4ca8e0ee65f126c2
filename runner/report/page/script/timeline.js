// The timeline: its place on the page, and what is in sight and chosen in it. It must not know what
// becomes of a task that is opened from it.

const ON_PAPER = 3000;

/** `open` is called with a task that somebody wants to see more closely. */
function buildTimeline(open) {
  const place = byId("timeline-place");
  if (!place) return; // no task was seen on a node
  const plan = layOut();
  const width = () => place.clientWidth - 2;
  const span = makeSpan(plan.first, plan.last, width, redraw);
  const parts = timelineParts(span);
  const {overview, canvas, spacer, lanes, told} = parts;
  place.append(parts.controls, overview, parts.charted, lanes, parts.drawn, told);
  document.body.append(parts.tip);
  let colours = null, planned = false, focused = null;

  function redraw() {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => { planned = false; draw(); });
  }

  function repaint() {
    colours = null;
    redraw();
  }

  /** On paper nobody scrolls: there it has as many lanes as fit on some sheets. */
  function draw(onPaper = false) {
    colours ??= readColours();
    const right = width();
    drawOverview(fit(overview, right, CHART), span, right, colours);
    const whole = plan.height + TOP;
    const shown = Math.min(whole, onPaper ? ON_PAPER : Math.max(180, innerHeight * 0.62 - 2));
    spacer.style.height = onPaper ? "0" : `${Math.max(0, whole - shown)}px`;
    const top = onPaper ? 0 : lanes.scrollTop;
    drawLanes(fit(canvas, right, shown), plan, span, {top, right, shown, focused, colours});
    byId("span").textContent = `${duration(span.to - span.from)} from ${clock(span.from)}`;
  }

  function focusOn(bar) {
    focused = bar;
    told.textContent = describe(bar);
    if (bar.end < span.from || bar.start > span.to) {
      span.shift((bar.start + bar.end) / 2 - (span.from + span.to) / 2);
    }
    const {y} = bar.lane;
    if (y < lanes.scrollTop) lanes.scrollTop = y;
    const most = canvas.clientHeight - TOP - LANE;
    if (y > lanes.scrollTop + most) lanes.scrollTop = y - most;
    redraw();
  }

  const chosen = {
    get bar() { return focused; },
    focusOn,
    open: (bar) => open(bar.task),
  };
  walkByKeys(lanes, plan, span, chosen);
  pointAt(parts, plan, span, width, chosen);
  lanes.addEventListener("scroll", redraw);
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  document.addEventListener("themechange", repaint);
  for (const name of ["beforeprint", "afterprint"]) {
    addEventListener(name, () => {
      colours = null;
      draw(name === "beforeprint");
    });
  }
  draw();
}

function timelineParts(span) {
  const button = (label, name, act) => make("button", {type: "button", "aria-label": name, onclick: act}, label);
  const canvas = make("canvas", {"aria-hidden": "true"});
  const spacer = make("div", {"aria-hidden": "true"});
  return {
    canvas, spacer,
    controls: make("div", {class: "controls"},
      button("+", "Zoom in", () => span.zoom(0.5)), button("−", "Zoom out", () => span.zoom(2)),
      button("all", "Zoom to all", () => span.zoom(Infinity)), make("span", {class: "quiet", id: "span"})),
    overview: make("canvas", {height: CHART, role: "img",
      "aria-label": "How many tasks were queued, ran and had ended over time; the summary has the numbers"}),
    charted: legend(["wait", "queued"], ["busy", "running"], ["good", "succeeded"], ["bad", "failed"]),
    lanes: make("div", {class: "lanes", tabindex: "0", role: "application", id: "lanes",
      "aria-roledescription": "timeline", "aria-describedby": "told",
      "aria-label": "Tasks on the slots of nodes: arrow keys go from task to task, plus and minus zoom"},
    canvas, spacer),
    drawn: legend(["busy", "running"], ["send", "uploading"], ["bad", "failed"], ["again", "run again"],
      ["there", "node there"], ["coming", "node not ready"]),
    told: make("p", {class: "told quiet", role: "status", id: "told"},
      "Point at a task, or focus the timeline and use the arrow keys."),
    tip: make("div", {id: "tip", hidden: true, "aria-hidden": "true"}),
  };
}

/** A canvas as large as wanted, in the pixels of this screen; what draws on it. */
function fit(element, wide, high) {
  const scale = devicePixelRatio || 1;
  element.width = Math.round(wide * scale);
  element.height = Math.round(high * scale);
  element.style.width = `${wide}px`;
  element.style.height = `${high}px`;
  const pen = element.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  return pen;
}
