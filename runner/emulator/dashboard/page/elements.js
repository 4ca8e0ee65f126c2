// Makes elements, and changes those that are there into others. Text is only ever set as text.

/** An element; `on...` are handlers, `key` says which it is among its siblings. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element[name] = value;
    else if (name === "key") element.dataset.key = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const HANDLERS = ["onclick", "oninput", "onchange", "onsubmit", "onkeydown"];

/** Has `old` become as `wanted`, with as few changes as may be: focus, scrolling and input stay. */
export function morph(old, wanted) {
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    // The policy of the page lets no attribute have a style; properties may.
    if (name === "style") old.style.cssText = wanted.style.cssText;
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of HANDLERS) {
    if (old[name] !== wanted[name]) old[name] = wanted[name];
  }
  if (old.dataset.own === undefined) morphChildren(old, wanted);
}

function morphChildren(old, wanted) {
  const keyed = new Map();
  for (const child of old.children) {
    if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  }
  let place = old.firstChild;
  for (const child of [...wanted.childNodes]) {
    const key = child.dataset?.key;
    const found = key === undefined ? place : keyed.get(key);
    if (found && isLike(found, child)) {
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
      if (child.nodeType !== Node.TEXT_NODE) morph(found, child);
      else if (found.data !== child.data) found.data = child.data;
    } else {
      old.insertBefore(child, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function isLike(one, other) {
  return one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;
}

// Controls, and what changes the direction of text or cannot be seen.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A name as it may be shown: what cannot be seen is written out. */
export function printable(text) {
  return String(text).replace(HIDDEN, (each) => `\\u{${each.charCodeAt(0).toString(16)}}`);
}

/** A name, apart from the direction of what stands around it. */
export function name(text, tag = "bdi") {
  return h(tag, { class: "name" }, printable(text));
}

/** A file's content: lines stay, other controls are written out. */
export function readable(text) {
  return text.replace(/\r\n/g, "\n").replace(HIDDEN, (each) =>
    each === "\n" || each === "\t" ? each : `\\u{${each.charCodeAt(0).toString(16)}}`);
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function bytes(number) {
  if (number === null || number === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (number >= 1024 && unit < units.length - 1) {
    number /= 1024;
    unit += 1;
  }
  return `${unit === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`;
}

export function moment(text) {
  if (!text) return "–";
  const date = new Date(text);
  const two = (number) => String(number).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const shown = date.toDateString() === new Date().toDateString() ? time : `${day} ${time}`;
  return h("time", { datetime: text, title: text }, shown);
}

/** How long it took, or has taken by now where it has not ended. */
export function length(start, end, now) {
  if (!start) return "–";
  const seconds = Math.max(0, ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000);
  if (seconds < 0.95) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A list of what there is to say: pairs of a name and what it is; null is left out. */
export function facts(...pairs) {
  return h("dl", { class: "facts" }, pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined)
    .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

export function link(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function json(title, document) {
  return h("details", { class: "document" }, h("summary", {}, title),
    h("pre", { tabindex: 0, "aria-label": title }, readable(JSON.stringify(document, null, 2))));
}

/** A table that scrolls by itself where it is too wide. */
export function table(label, heads, rows, more = {}) {
  return h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": label },
    h("table", more, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows)));
}

export function trail(...steps) {
  return h("nav", { class: "trail", "aria-label": "Where this is" },
    h("a", { href: "#/" }, "Overview"),
    steps.map(([text, target]) => [h("span", { "aria-hidden": "true" }, " / "),
      target ? h("a", { href: target }, name(text)) : name(text)]));
}
