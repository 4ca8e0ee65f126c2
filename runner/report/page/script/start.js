// Puts the parts to work, and has the keys and links of the whole page lead to them.

offerThemes();
const {search, reveal} = makeTable();
buildTimeline(reveal);
byId("help-open").addEventListener("click", () => byId("help").showModal());
for (const each of document.querySelectorAll("[data-script]")) each.hidden = false;
for (const link of document.querySelectorAll("[data-open]")) {
  link.addEventListener("click", (event) => {
    const task = tasksById.get(link.dataset.open);
    if (!task) return;
    event.preventDefault();
    reveal(task);
  });
}
for (const code of document.querySelectorAll(".command > code")) {
  if (!code.nextElementSibling) code.after(copyButton(code));
}
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target === search.words) search.words.blur();
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "/") {
    event.preventDefault();
    search.focus();
  } else if (event.key === "?" && !byId("help").open) {
    byId("help").showModal();
  }
});
document.documentElement.dataset.ready = "";
