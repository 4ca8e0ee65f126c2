// The run: its data, and what follows from them. It must not know how anything is shown.

const data = JSON.parse(document.getElementById("data").textContent);
// What stands where in a task, and in an attempt.
const [ID, ITEM, STEP, STATE, BEGUN, ADDED, EXIT, CAUSE, FILES, BYTES, SENDING, ATTEMPTS, NAMES] = Array(13).keys();
const [NUMBER, NODE, SLOT, START, END, A_EXIT, A_CAUSE] = Array(7).keys();

const tasksById = new Map(data.tasks.map((task) => [task[ID], task]));

function stateName(task) {
  return data.states[task[STATE]][0];
}

function last(task) {
  return task[ATTEMPTS].length ? task[ATTEMPTS][task[ATTEMPTS].length - 1] : null;
}

/** How long an attempt took, in milliseconds; null where that is not known. */
function ran(attempt) {
  if (attempt === null || attempt[START] === null || attempt[END] === null) return null;
  return Math.max(0, attempt[END] - attempt[START]);
}

/** How long a task was in the queue before its first attempt; null where that is not known. */
function waited(task) {
  const first = task[ATTEMPTS][0];
  if (!first || first[NUMBER] !== 1 || first[START] === null || task[ADDED] === null) return null;
  return Math.max(0, first[START] - task[ADDED]);
}
