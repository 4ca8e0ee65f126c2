// Which of the tasks are wanted: by words, state, step and node. It must not know how they are shown.

/** The controls, at the place for them; `onChange` is called when others are wanted. */
function makeSearch(onChange) {
  const words = make("input", {type: "search", id: "search", autocomplete: "off", spellcheck: "false",
    "aria-keyshortcuts": "/", placeholder: "item, id, cause, node", oninput: onChange});
  const present = new Set(data.tasks.map((task) => task[STATE]));
  const [byState, stateLabel] = select("State", data.states
    .map(([name], place) => [place, name]).filter(([place]) => present.has(place)));
  const [byStep, stepLabel] = select("Step", data.steps.map((name, place) => [place, name]));
  const [byNode, nodeLabel] = select("Node", data.nodes.map((name, place) =>
    [place, `${place + 1}: ${name.length > 24 ? `…${name.slice(-14)}` : name}`]));
  byId("task-controls").append(make("div", {class: "controls"},
    make("label", {}, "Search (/)", words), stateLabel,
    data.steps.length > 1 ? stepLabel : null, data.nodes.length > 1 ? nodeLabel : null,
    make("button", {type: "button", onclick: clear}, "Clear")));
  let haystacks = null;

  function select(label, values) {
    const choice = make("select", {onchange: onChange}, make("option", {value: ""}, "all"),
      ...values.map(([value, name]) => make("option", {value}, name)));
    return [choice, make("label", {class: "short"}, label, choice)];
  }

  function haystack(place) {
    // Made at the first search: most readers never do.
    haystacks ??= data.tasks.map((task) => {
      const node = last(task) === null || last(task)[NODE] < 0 ? "" : data.nodes[last(task)[NODE]];
      const cause = task[CAUSE] < 0 ? "" : data.causes[task[CAUSE]];
      return `${task[ID]}\n${task[ITEM]}\n${cause}\n${node}`.toLowerCase();
    });
    return haystacks[place];
  }

  function clear() {
    words.value = byState.value = byStep.value = byNode.value = "";
    onChange();
  }

  function found() {
    const sought = words.value.toLowerCase().trim();
    const state = byState.value, step = byStep.value, node = byNode.value;
    return data.tasks.filter((task, place) =>
      (state === "" || task[STATE] === Number(state))
      && (step === "" || task[STEP] === Number(step))
      && (node === "" || task[ATTEMPTS].some((each) => each[NODE] === Number(node)))
      && (sought === "" || haystack(place).includes(sought)));
  }

  function focus() {
    words.focus();
    words.scrollIntoView({block: "center"});
  }

  return {words, clear, found, focus};
}
