// The table of tasks: order, pages, rows, and the keys that lead through them. It must not know
// which tasks are wanted, nor what their details say.

const ROWS_A_PAGE = 100;
const columns = [
  {name: "task", key: (task) => Number(task[ID])},
  {name: "item", key: (task) => task[ITEM]},
  {name: "state", key: (task) => task[STATE]},
  {name: "step", key: (task) => task[STEP], optional: true},
  {name: "attempts", key: (task) => task[BEGUN], number: true, optional: true},
  {name: "waited", key: waited, number: true, optional: true},
  {name: "ran", key: (task) => ran(last(task)), number: true},
  {name: "exit", key: (task) => task[EXIT], number: true},
  {name: "results", key: (task) => task[BYTES], number: true, optional: true},
];

/** Takes the place of the table as it is without a script; `reveal` shows a task with its details. */
function makeTable() {
  const search = makeSearch(refresh);
  const view = {tasks: data.tasks, page: 0, column: 0, descending: false};
  const table = byId("task-table");
  const body = table.tBodies[0];
  const status = make("span", {role: "status"});
  const previous = make("button", {type: "button", onclick: () => turn(-1)}, "← before");
  const next = make("button", {type: "button", onclick: () => turn(1)}, "next →");
  byId("task-pages").append(previous, next, status);
  const note = byId("tasks-note");
  if (note && data.all === data.tasks.length) note.remove();
  else if (note) note.firstChild.data = note.firstChild.data.replace(/^[\d,]+/, thousands(data.all - data.tasks.length));

  function refresh() {
    view.tasks = sorted(search.found());
    view.page = 0;
    show();
  }

  function sorted(tasks) {
    // They are in the order of their ids as they are: who types waits for no sorting.
    if (view.column === 0 && !view.descending) return tasks;
    const {key} = columns[view.column];
    const sign = view.descending ? -1 : 1;
    return tasks.map((task) => [key(task), task]).sort(([a], [b]) => {
      if (a === b) return 0;
      // What is not known comes last, whichever way.
      if (a === null) return 1;
      if (b === null) return -1;
      return a < b ? -sign : sign;
    }).map(([, task]) => task);
  }

  function sortBy(place) {
    view.descending = view.column === place ? !view.descending : columns[place].number === true;
    view.column = place;
    refresh();
    table.tHead.querySelectorAll("button")[place].focus();
  }

  function show() {
    table.tHead.rows[0].replaceChildren(...columns.map((column, place) => make("th", {
      scope: "col",
      class: `${column.number ? "number" : ""} ${column.optional ? "optional" : ""}`,
      "aria-sort": view.column === place ? (view.descending ? "descending" : "ascending") : null,
    }, make("button", {type: "button", onclick: () => sortBy(place)}, column.name))));
    const from = view.page * ROWS_A_PAGE;
    const shown = view.tasks.slice(from, from + ROWS_A_PAGE);
    body.replaceChildren(...shown.map(row));
    const total = view.tasks.length;
    status.textContent = whatIsShown(from, shown.length, total);
    previous.disabled = view.page === 0;
    next.disabled = from + ROWS_A_PAGE >= total;
  }

  function turn(by) {
    const most = Math.max(0, Math.ceil(view.tasks.length / ROWS_A_PAGE) - 1);
    const page = Math.min(most, Math.max(0, view.page + by));
    if (page === view.page) return false;
    view.page = page;
    show();
    return true;
  }

  function reveal(task) {
    if (!view.tasks.includes(task)) search.clear();
    view.page = Math.floor(view.tasks.indexOf(task) / ROWS_A_PAGE);
    show();
    const open = body.querySelector(`tr[data-task="${CSS.escape(task[ID])}"] button.task`);
    open.click();
    open.focus();
    open.scrollIntoView({block: "center"});
  }

  function walk(event) {
    if (!event.target.matches("button.task")) return;
    const buttons = [...body.querySelectorAll("button.task")];
    const steps = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (steps !== undefined) {
      event.preventDefault();
      const to = buttons[buttons.indexOf(event.target) + steps];
      if (to) to.focus();
      else if (turn(steps)) {
        const fresh = body.querySelectorAll("button.task");
        fresh[steps > 0 ? 0 : fresh.length - 1].focus();
      }
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      if (turn(event.key === "ArrowRight" ? 1 : -1)) body.querySelector("button.task").focus();
    }
  }

  body.addEventListener("keydown", walk);
  show();
  return {search, reveal};
}

function whatIsShown(from, shown, total) {
  const all = data.tasks.length;
  if (all === 0) return data.goesOn ? "no task was added yet" : "no task was added";
  if (total === 0) return "no task is like that";
  const which = `${thousands(from + 1)} to ${thousands(from + shown)} of ${thousands(total)}`;
  return total < all ? `${which} (${thousands(all)} in all)` : which;
}

function row(task) {
  const open = make("button", {type: "button", class: "task", "aria-expanded": "false"}, task[ID]);
  const line = make("tr", {"data-task": task[ID]},
    make("td", {}, open), make("td", {class: "name"}, task[ITEM]), make("td", {}, badge(task)),
    make("td", {class: "optional"}, task[STEP] < 0 ? "" : data.steps[task[STEP]]),
    make("td", {class: "number optional"}, String(task[BEGUN])),
    make("td", {class: "number optional"}, duration(waited(task))),
    make("td", {class: "number"}, duration(ran(last(task)))),
    make("td", {class: "number"}, task[EXIT] === null ? UNKNOWN : String(task[EXIT])),
    make("td", {class: "number optional"}, task[FILES] ? size(task[BYTES]) : UNKNOWN));
  open.addEventListener("click", () => toggle(line, task, open));
  return line;
}

function toggle(line, task, open) {
  const isOpen = open.getAttribute("aria-expanded") === "true";
  open.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) line.nextElementSibling.remove();
  else line.after(make("tr", {class: "details"}, make("td", {colspan: columns.length}, details(task))));
}
