// The files of a task or a node: folders, and the end of a file as it grows.

import { readPiece, look, save } from "./ask.js";
import { bytes, h, moment, morph, name, readable, table } from "./elements.js";

const MOST_CHARACTERS = 1024 * 1024;

export class Files {
  constructor(base, tabs = []) {
    Object.assign(this, { base, tabs, folder: "", listing: null, trouble: null, shown: null });
    this.element = h("div", { class: "files" }, h("div"), h("div"), h("div"));
  }

  mount(main) {
    const place = main.querySelector('[data-key="files"]');
    if (place && this.element.parentNode !== place) {
      place.replaceChildren(this.element);
      this.tick();
    }
  }

  /** Asks for what may have changed. */
  async tick() {
    if (!this.element.isConnected || this.asking) return;
    this.asking = true;
    try {
      await Promise.all([this.list(), this.readOn()]);
    } finally {
      this.asking = false;
    }
    this.show();
  }

  async list() {
    try {
      const { data } = await look(`${this.base}/files?path=${this.folder}`);
      Object.assign(this, { listing: data, trouble: null });
    } catch (error) {
      this.trouble = error.message;
    }
  }

  open(path, title) {
    this.shown = { path, title, decoder: new TextDecoder(), end: null, start: 0, text: "", follow: true, trouble: null, binary: false };
    this.element.children[1].replaceChildren();
  }

  async readOn() {
    const shown = this.shown;
    if (!shown || (shown.end !== null && !shown.follow) || shown.binary) return;
    try {
      const piece = await readPiece(this.base, shown.path, shown.end);
      if (shown.end !== null && piece.size < shown.end) {
        // It was written anew.
        return this.open(shown.path, shown.title);
      }
      if (shown.end === null) shown.start = piece.start;
      shown.end = piece.start + piece.bytes.length;
      shown.size = piece.size;
      shown.binary = piece.bytes.includes(0);
      shown.text += shown.decoder.decode(piece.bytes, { stream: true });
      if (shown.text.length > MOST_CHARACTERS) {
        shown.cut = true;
        shown.text = shown.text.slice(-MOST_CHARACTERS);
      }
      shown.trouble = null;
    } catch (error) {
      shown.trouble = error.message;
    }
  }

  show() {
    const [tabs, content, folder] = this.element.children;
    morph(tabs, h("div", {}, this.showTabs()));
    morph(folder, h("div", {}, this.showFolder()));
    this.showContent(content);
  }

  showTabs() {
    if (!this.tabs.length) return null;
    return h("p", { class: "steps" }, this.tabs.map((each) => h("button", {
      type: "button",
      key: each,
      "aria-pressed": String(this.shown?.path === encodeURIComponent(each)),
      onclick: () => {
        this.open(encodeURIComponent(each), each);
        this.tick();
      },
    }, each)));
  }

  showFolder() {
    const steps = decodeParts(this.folder);
    const go = (path) => () => {
      this.folder = path;
      this.tick();
    };
    return [
      h("p", { class: "steps" },
        h("span", {}, "Folder: ", h("button", { type: "button", class: "plain", onclick: go("") }, "top"),
          steps.map((step, at) => [" / ", h("button", { type: "button", class: "plain", onclick: go(steps.slice(0, at + 1).map((each) => each.path).join("%2F")) }, name(step.name))]))),
      this.trouble ? h("p", { class: "empty" }, this.trouble) : null,
      this.listing && !this.trouble ? this.showListing(go) : null];
  }

  showListing(go) {
    const { files, total } = this.listing;
    if (!files.length) return h("p", { class: "empty" }, "The folder is empty.");
    return [table("Files", ["file", "size", "changed", ""], files.map((file) => {
      const last = file.name.slice(file.name.lastIndexOf("/") + 1);
      return h("tr", { key: file.path },
        h("td", {}, h("button", { type: "button", class: "plain", onclick: file.is_directory ? go(file.path) : () => { this.open(file.path, file.name); this.tick(); } }, name(file.is_directory ? `${last}/` : last))),
        h("td", {}, file.is_directory ? "–" : bytes(file.bytes)),
        h("td", {}, moment(file.modified)),
        h("td", {}, file.is_directory ? null : h("button", { type: "button", "aria-label": `Download ${last}`, onclick: () => this.download(file.path, last) }, "Download")));
    })), total > files.length ? h("p", {}, `The first ${files.length} of ${total}.`) : null];
  }

  async download(path, title) {
    try {
      await save(this.base, path, title);
    } catch (error) {
      this.trouble = error.message;
      this.show();
    }
  }

  showContent(place) {
    const shown = this.shown;
    if (!shown) return place.replaceChildren();
    if (!place.firstChild) {
      shown.pre = h("pre", { class: "content", tabindex: 0, "aria-label": `Content of ${shown.title}` });
      shown.head = h("p", { class: "steps" });
      shown.note = h("p", { class: "empty" });
      place.replaceChildren(shown.head, shown.note, shown.pre);
    }
    const { pre } = shown;
    morph(shown.head, h("p", { class: "steps" }, h("strong", {}, name(shown.title)), ` ${bytes(shown.size ?? 0)} `,
      h("label", {}, h("input", { type: "checkbox", checked: shown.follow, onchange: (event) => { shown.follow = event.target.checked; } }), " follow")));
    shown.note.textContent = shown.trouble ?? (shown.binary ? "This is no text; download it."
      : shown.start > 0 || shown.cut ? "Its beginning is not shown; download it to have all."
        : shown.size === 0 ? "It is empty." : "");
    shown.note.hidden = !shown.note.textContent;
    const text = shown.binary ? "" : readable(shown.text);
    pre.hidden = text === "";
    if (pre.textContent === text) return undefined;
    const atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 30;
    pre.textContent = text;
    if (atEnd && shown.follow) pre.scrollTop = pre.scrollHeight;
    return undefined;
  }
}

function decodeParts(path) {
  return path.split("%2F").filter(Boolean).map((part) => {
    let shown = part;
    try {
      shown = decodeURIComponent(part);
    } catch {
      // Bytes that are not UTF-8 are shown as they are asked for.
    }
    return { name: shown, path: part };
  });
}
