// Numbers and times as people read them. It must not know what they are of.

const UNKNOWN = "\u2013";
const zero = Date.parse(data.zero.replace(/(\.\d{3})\d*Z$/, "$1Z"));

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

/** A moment, given in milliseconds since the run began. */
function clock(ms) {
  return ms === null ? UNKNOWN : `${new Date(zero + ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function thousands(number) {
  return number.toLocaleString("en");
}

function nodeName(place) {
  return place < 0 ? "a node that nobody saw" : `node ${place + 1}`;
}
