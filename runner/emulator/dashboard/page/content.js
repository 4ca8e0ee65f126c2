// The content of a file or a blob as text: its end, and what is added to it.

import { readPiece, save } from "./ask.js";
import { bytes, h, morph, name, printable, readable } from "./elements.js";

const MOST_CHARACTERS = 1024 * 1024;

export class Content {
  constructor(base) {
    Object.assign(this, { base, shown: null, unsaved: "" });
    this.element = h("div");
  }

  /** Another one, or the same from the beginning; `path` is percent-encoded. */
  open(path, title) {
    this.shown = { path, title, decoder: new TextDecoder(), end: null, start: 0, text: "", follow: true, trouble: null, binary: false };
    this.element.replaceChildren();
  }

  /** Asks for what has come since. */
  async readOn() {
    const shown = this.shown;
    if (!shown || (shown.end !== null && !shown.follow) || shown.binary) return;
    try {
      const piece = await readPiece(this.base, shown.path, shown.end);
      if (shown !== this.shown) return;
      if (shown.end !== null && piece.size < shown.end) {
        // It was written anew.
        this.open(shown.path, shown.title);
        return;
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

  /** Has the browser save all of it. */
  async download(path, title) {
    this.unsaved = "";
    try {
      await save(this.base, path, title);
    } catch (error) {
      this.unsaved = `${title} cannot be downloaded: ${error.message}`;
    }
    this.show();
  }

  show() {
    const { shown, element } = this;
    if (!shown) {
      element.replaceChildren(...(this.unsaved ? [h("p", { class: "bad-text", role: "alert" }, printable(this.unsaved))] : []));
      return;
    }
    if (!shown.pre) {
      shown.pre = h("pre", { class: "content", tabindex: 0, "aria-label": `Content of ${shown.title}` });
      shown.head = h("p", { class: "steps" });
      shown.note = h("p", { class: "empty" });
      element.replaceChildren(shown.head, shown.note, shown.pre);
    }
    morph(shown.head, h("p", { class: "steps" }, h("strong", {}, name(shown.title)), ` ${bytes(shown.size ?? 0)} `,
      h("label", {}, h("input", { type: "checkbox", checked: shown.follow, onchange: (event) => { shown.follow = event.target.checked; } }), " follow")));
    shown.note.textContent = printable(this.unsaved) || (shown.trouble ?? (shown.binary ? "This is no text; download it."
      : shown.start > 0 || shown.cut ? "Its beginning is not shown; download it to have all."
        : shown.size === 0 ? "It is empty." : ""));
    shown.note.hidden = !shown.note.textContent;
    const { pre } = shown;
    const text = shown.binary ? "" : readable(shown.text);
    pre.hidden = text === "";
    if (pre.textContent === text) return;
    const atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 30;
    pre.textContent = text;
    if (atEnd && shown.follow) pre.scrollTop = pre.scrollHeight;
  }
}
