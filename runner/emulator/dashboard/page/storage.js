// Storage accounts, their containers, the blobs of one, and one of these more closely.

import { Content } from "./content.js";
import { bytes, count, facts, h, link, moment, name, printable, table, trail } from "./elements.js";

const pathOf = encodeURIComponent;

/** All accounts. */
export function accounts() {
  return {
    title: "Storage",
    paths: () => ["overview"],
    render(answers) {
      return [h("h1", {}, "Storage"), table("Storage accounts", ["account", "containers", "endpoint"], answers.overview.blob.map((blob) =>
        h("tr", { key: blob.account }, h("td", {}, h("a", { href: link("storage", blob.account) }, name(blob.account))), h("td", {}, blob.containers), h("td", {}, blob.endpoint))))];
    },
  };
}

export function containers(account, again) {
  const pages = new Pages(again);
  const path = () => `blob/${pathOf(account)}/containers?start=${pathOf(pages.start)}`;
  return {
    title: `Containers of ${account}`,
    paths: () => [path()],
    render(answers) {
      const shown = answers[path()] ?? Object.values(answers)[0];
      return [trail(["Storage", "#/storage"], [account]), h("h1", {}, "Containers of ", name(account), " ", h("span", { class: "aside" }, shown.total)),
        shown.containers.length ? table("Containers", ["container", "blobs", "size", "access", "changed"], shown.containers.map((each) => h("tr", { key: each.name },
          h("td", {}, h("a", { href: link("storage", account, each.name) }, name(each.name))), h("td", {}, each.blobs.toLocaleString("en")), h("td", { class: "short" }, bytes(each.bytes)), h("td", {}, each.access), h("td", {}, moment(each.modified)))))
          : h("div", { class: "empty" }, h("p", {}, "No container. In a shell that has read what the emulator printed:"), h("pre", { tabindex: 0, "aria-label": "First steps" }, "az storage container create --name texts")),
        pages.show(shown.next)];
    },
  };
}

export function blobs(account, container, again, soon) {
  let prefix = "";
  const pages = new Pages(again);
  const path = () => `blob/${pathOf(account)}/containers/${pathOf(container)}/blobs?prefix=${pathOf(prefix)}&start=${pathOf(pages.start)}`;
  return {
    title: `Blobs of ${container}`,
    paths: () => [path()],
    render(answers) {
      const shown = answers[path()] ?? Object.values(answers)[0];
      return [trail(["Storage", "#/storage"], [account, link("storage", account)], [container]),
        h("h1", {}, "Container ", name(container)),
        h("p", {}, `${count(shown.container.blobs, "blob")}, ${bytes(shown.container.bytes)}, ${shown.container.access}`),
        h("div", { class: "controls" }, h("label", {}, "Begins with ", h("input", { type: "search", id: "search", value: prefix, oninput: (event) => { prefix = event.target.value; pages.reset(); soon(); } }))),
        shown.blobs.length ? table("Blobs", ["blob", "size", "type", "changed"], shown.blobs.map((blob) => h("tr", { key: blob.name },
          h("td", {}, h("a", { href: link("storage", account, container, blob.name) }, name(blob.name))), h("td", { class: "short" }, bytes(blob.bytes)), h("td", { class: "word" }, printable(blob.type)), h("td", {}, moment(blob.modified)))))
          : h("p", { class: "empty" }, prefix ? "No blob begins so." : "The container is empty."),
        pages.show(shown.next)];
    },
  };
}

export function blob(account, container, id) {
  const base = `blob/${pathOf(account)}/containers/${pathOf(container)}`;
  const path = `${base}/blob?path=${pathOf(id)}`;
  const content = new Content(base);
  const title = id.slice(id.lastIndexOf("/") + 1) || id;
  let version = null;
  return {
    title: `Blob ${id}`,
    paths: () => [path],
    async tick() {
      await content.readOn();
      content.show();
    },
    mount(main) {
      const place = main.querySelector('[data-key="content"]');
      if (place && content.element.parentNode !== place) place.replaceChildren(content.element);
    },
    render(answers) {
      const found = answers[path];
      // One that only grows is read on; any other is another content with each version.
      if (version === null || (found.kind !== "AppendBlob" && version !== found.etag)) content.open(pathOf(id), title);
      version = found.etag;
      return [trail(["Storage", "#/storage"], [account, link("storage", account)], [container, link("storage", account, container)], [id]),
        h("h1", {}, "Blob ", name(id)),
        facts(["Size", bytes(found.bytes)], ["Type", name(found.type)], found.encoding ? ["Encoding", name(found.encoding)] : null,
          ["Kind", found.kind], ["Changed", moment(found.modified)], ["Made", moment(found.created)],
          found.tier ? ["Tier", found.tier] : null, found.leased ? ["Lease", "somebody has, or had, one"] : null,
          found.md5 ? ["MD5", h("code", {}, found.md5)] : null,
          ...showPairs("Metadata", found.metadata), ...showPairs("Tags", found.tags)),
        h("p", {}, h("button", { type: "button", "aria-label": `Download ${title}`, onclick: () => content.download(pathOf(id), title) }, "Download")),
        h("h2", {}, "Content"), h("div", { key: "content", "data-own": true })];
    },
  };
}

function showPairs(term, pairs) {
  const found = Object.entries(pairs);
  return found.length ? [[term, found.map(([key, value], at) => [at ? ", " : "", name(`${key}=${value}`, "code")])]] : [];
}

class Pages {
  constructor(again) {
    Object.assign(this, { again, starts: [""] });
  }

  get start() {
    return this.starts.at(-1);
  }

  reset() {
    this.starts = [""];
  }

  show(next) {
    if (this.starts.length === 1 && !next) return null;
    return h("p", { class: "pages" },
      h("button", { type: "button", key: "previous", disabled: this.starts.length === 1, onclick: () => { this.starts.pop(); this.again(); } }, "Previous"),
      ` page ${this.starts.length} `,
      h("button", { type: "button", key: "next", disabled: !next, onclick: () => { this.starts.push(next); this.again(); } }, "Next"));
  }
}
