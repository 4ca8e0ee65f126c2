// Light, dark, or as the system has it; what the colours come to. It must not know what has them.

const THEMES = ["auto", "light", "dark"];
const COLOURS = ["busy", "bad", "good", "again", "send", "wait", "there", "coming", "text", "quiet", "line", "ground"];

/** What the style's properties come to just now, which only an element tells. */
function readColours() {
  const probe = make("span", {hidden: true});
  document.body.append(probe);
  const found = Object.fromEntries(COLOURS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
  return found;
}

function offerThemes() {
  const theme = byId("theme");

  function dress(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = {auto: "◐", light: "○", dark: "●"}[name];
    theme.setAttribute("aria-label", `Colours: ${name === "auto" ? "as the system has them" : name}`);
    document.dispatchEvent(new Event("themechange"));
  }

  theme.addEventListener("click", () => {
    const name = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % THEMES.length];
    dress(name);
    keepTheme(name);
  });
  const worn = keptTheme();
  if (THEMES.includes(worn) && worn !== "auto") dress(worn);
}

// A browser may keep nothing for pages of the disk: then it is asked anew each time.
function keptTheme() {
  try {
    return localStorage.getItem("batch-run-theme");
  } catch {
    return null;
  }
}

function keepTheme(name) {
  try {
    localStorage.setItem("batch-run-theme", name);
  } catch {
    return;
  }
}
