// All nodes of a large pool at once, each a small square: drawn, since so many elements would take
// a browser longer than the page takes to ask again.

import { count, h } from "./elements.js";
import { stateOf } from "./nodes.js";

/** More nodes than that are drawn so, and come in pages: as many as the emulator gives at once. */
export const MOST_CELLS = 1000;
const FIRST_KIND = 33;
const HIGHEST = 360, LARGEST = 12, SMALLEST = 2;

export class WholeMap {
  /** `onPick` is called with the place of a node that somebody points at and clicks. */
  constructor(onPick) {
    this.element = h("canvas", { class: "whole", role: "img", onclick: (event) => this.pick(event, onPick), onmousemove: (event) => this.tell(event) });
    this.resized = new ResizeObserver(() => requestAnimationFrame(() => this.draw()));
  }

  /** `page` is marked, where one is shown more closely. */
  show(place, map, page = null) {
    if (place && this.element.parentNode !== place) {
      place.replaceChildren(this.element);
      this.resized.disconnect();
      this.resized.observe(place);
    }
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    if (this.map === map && this.page === page && this.isDark === isDark) return;
    Object.assign(this, { map, page, isDark });
    this.element.setAttribute("aria-label", `All ${count(map.cells.length, "node")}; how many are in which state stands below`);
    this.draw();
  }

  draw() {
    const wide = this.element.parentNode?.clientWidth ?? 0;
    if (!this.map || !wide) return;
    const total = this.map.cells.length;
    const side = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(Math.sqrt((wide * HIGHEST) / total))));
    const columns = Math.max(1, Math.floor(wide / side));
    const high = Math.ceil(total / columns) * side;
    Object.assign(this, { side, columns });
    const scale = devicePixelRatio || 1;
    Object.assign(this.element, { width: Math.round(wide * scale), height: Math.round(high * scale) });
    Object.assign(this.element.style, { width: `${wide}px`, height: `${high}px` });
    const pen = this.element.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    // Of a node that runs tasks the more is seen the more of its slots are busy.
    const paints = this.map.kinds.map(([state, , quarters]) => [colour(stateOf(state)[2]), state === "running" ? 0.2 + 0.2 * quarters : 1]);
    const inner = side > SMALLEST ? side - 1 : side;
    for (let place = 0; place < total; place += 1) {
      [pen.fillStyle, pen.globalAlpha] = paints[this.map.cells.charCodeAt(place) - FIRST_KIND];
      pen.fillRect((place % columns) * side, Math.floor(place / columns) * side, inner, inner);
    }
    pen.globalAlpha = 1;
    if (this.page !== null) this.mark(pen, colour("text"));
  }

  /** A line around the rows that have nodes of the page. */
  mark(pen, colour) {
    const first = this.page * MOST_CELLS, end = Math.min(this.map.cells.length, first + MOST_CELLS);
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    const top = Math.floor(first / this.columns) * this.side, bottom = Math.ceil(end / this.columns) * this.side;
    pen.strokeRect(1, top + 1, this.columns * this.side - 2, bottom - top - 2);
  }

  placeAt(event) {
    const box = this.element.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.side), row = Math.floor((event.clientY - box.top) / this.side);
    const place = row * this.columns + column;
    return column < this.columns && place < this.map.cells.length ? place : null;
  }

  pick(event, onPick) {
    const place = this.placeAt(event);
    if (place !== null) onPick(place);
  }

  tell(event) {
    const place = this.placeAt(event);
    if (place === null) {
      this.element.title = "";
      return;
    }
    const [state, dedicated, quarters] = this.map.kinds[this.map.cells.charCodeAt(place) - FIRST_KIND];
    const busy = state === "running" ? `, ${["none", "a quarter", "half", "three quarters", "all"][quarters]} of its slots busy` : "";
    this.element.title = `${stateOf(state)[0]}${busy}${dedicated ? "" : ", spot"}`;
  }
}
