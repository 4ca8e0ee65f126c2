// The files of a task or a node, folder by folder.

import { look } from "./ask.js";
import { Content } from "./content.js";
import { bytes, h, moment, morph, name, table } from "./elements.js";

export class Files {
  /** `tabs` are files that are always at hand, `folder` is listed first. */
  constructor(base, tabs = [], folder = "") {
    Object.assign(this, { base, tabs, folder: encodeURIComponent(folder), listing: null, trouble: null, content: new Content(base) });
    this.element = h("div", { class: "files" }, h("div"), this.content.element, h("div"));
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
    if (!this.element.isConnected) return;
    this.wanted = true;
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.wanted) {
        this.wanted = false;
        await Promise.all([this.list(), this.content.readOn()]);
      }
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
    this.content.open(path, title);
  }

  show() {
    const [tabs, , folder] = this.element.children;
    morph(tabs, h("div", {}, this.showTabs()));
    morph(folder, h("div", {}, this.showFolder()));
    this.content.show();
  }

  showTabs() {
    if (!this.tabs.length) return null;
    return h("p", { class: "steps" }, this.tabs.map((each) => h("button", {
      type: "button",
      key: each,
      "aria-pressed": String(this.content.shown?.path === encodeURIComponent(each)),
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
        h("td", { class: "short" }, file.is_directory ? "–" : bytes(file.bytes)),
        h("td", {}, moment(file.modified)),
        h("td", {}, file.is_directory ? null : h("button", { type: "button", "aria-label": `Download ${last}`, onclick: () => this.content.download(file.path, last) }, "Download")));
    })), total > files.length ? h("p", {}, `The first ${files.length} of ${total}.`) : null];
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
