// Elements: texts of strangers only ever become text of them. It must not know what they are for.

function byId(id) {
  return document.getElementById(id);
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((each) => each !== null));
  return element;
}

function badge(task) {
  const [name, kind, sign] = data.states[task[STATE]];
  return make("span", {class: `badge ${kind}`}, `${sign} ${name}`);
}

function legend(...entries) {
  return make("ul", {class: "legend"}, ...entries.map(([kind, name]) =>
    make("li", {}, make("span", {class: `swatch fill-${kind}`}), name)));
}

/** A command line to be copied. */
function copied(line) {
  const code = make("code", {}, line);
  return make("span", {class: "command"}, code, copyButton(code));
}

function copyButton(code) {
  const button = make("button", {type: "button", "aria-label": `Copy ${code.textContent}`}, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      // Without leave to write to the clipboard: what is selected can be copied by hand.
      getSelection().selectAllChildren(code);
      button.textContent = "selected";
    }
    setTimeout(() => { button.textContent = "copy"; }, 1600);
  });
  return button;
}
