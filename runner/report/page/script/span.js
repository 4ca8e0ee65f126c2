// The part of a run's time that is in sight, and where on the timeline each moment is. It must not
// know what is there.

const LABEL = 78;

/** `width` tells how wide the timeline is, in pixels; `onChange` is called when another part is. */
function makeSpan(first, end, width, onChange) {
  const span = {from: first, to: end};

  function set(from, length) {
    span.from = Math.min(end - length, Math.max(first, from));
    span.to = span.from + length;
    onChange();
  }

  return Object.assign(span, {
    first,
    x: (ms) => LABEL + (ms - span.from) / (span.to - span.from) * (width() - LABEL),
    time: (px) => span.from + (px - LABEL) / (width() - LABEL) * (span.to - span.from),
    zoom(by, about = (span.from + span.to) / 2) {
      const length = Math.min(end - first, Math.max(1, (span.to - span.from) * by));
      set(about - length * (about - span.from) / (span.to - span.from), length);
    },
    shift: (ms) => set(span.from + ms, span.to - span.from),
  });
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5,
  72e5, 216e5, 432e5, 864e5, 6048e5, 2592e6];

function drawAxis(pen, span, right, high, colours) {
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, right, high - 3);
  const wanted = (span.to - span.from) / Math.max(2, (right - LABEL) / 110);
  const step = STEPS.find((each) => each >= wanted) ?? 2592e6;
  pen.fillStyle = colours.quiet;
  for (let ms = Math.ceil((span.from - span.first) / step) * step + span.first; ms <= span.to; ms += step) {
    const at = span.x(ms), since = ms - span.first;
    pen.fillRect(at, high - 6, 1, 3);
    const label = since === 0 ? "0" : step < 1000 ? `${(since / 1000).toFixed(step < 100 ? 2 : 1)}s` : duration(since);
    if (at + 44 < right) pen.fillText(label, at + 2, 8);
  }
}
