// The choices of a question on the page: all of them, a list to choose from, or a list that is searched.
const ALL_SHOWN_MAX = 12;
const LISTED_MAX = 200;
function drawChoices(one, node, box) {
  if (node.choices.absent) make("div", box, "problem absent", `${say("absent")} ${node.choices.absent}`);
  const list = make("div", box);
  list.setAttribute("role", node.kind === "select_one" ? "radiogroup" : "group");
  list.setAttribute("aria-labelledby", `${one.id}-label`);
  let last = null;
  return (isReadOnly) => {
    const all = offered(one);
    if (!sameChoices(all, last)) {
      last = all;
      list.replaceChildren();
      list.dataset.shown = "";
      if (all.length > LISTED_MAX) drawSearched(one, node, all, list);
      else drawSome(one, node, all, list);
    }
    const order = tokens(one.text);
    for (const input of list.querySelectorAll("input[value],select")) {
      input.disabled = isReadOnly;
      if (input.tagName === "SELECT") input.value = one.text;
      else input.checked = node.kind === "select_one" ? one.text === input.value : order.includes(input.value);
      if (node.kind === "rank") input.nextSibling.dataset.place = input.checked ? `${order.indexOf(input.value) + 1}. ` : "";
    }
  };
}
const sameChoices = (all, last) => all === last || (last !== null && all.length === last.length && all.every(({ name, label }, at) => name === last[at].name && label === last[at].label));
function drawSome(one, node, some, list) {
  if (node.kind === "select_one" && some.length > ALL_SHOWN_MAX) return drawSelect(one, some, list);
  some.forEach((choice, index) => drawChoice(one, node, choice, index, list));
  if (node.kind === "select_one" && some.length) drawChoice(one, node, { name: "", label: say("none") }, some.length, list);
}
function drawSelect(one, some, list) {
  const select = make("select", list);
  select.id = one.id;
  select.setAttribute("aria-labelledby", `${one.id}-label`);
  select.dataset.id = one.id;
  make("option", select, "", say("choose")).value = "";
  for (const choice of some) make("option", select, "", choice.label).value = choice.name;
  select.addEventListener("change", () => answered(one, select.value));
}
// Those that are chosen, and of the others as many that match as a person looks through.
function drawSearched(one, node, all, list) {
  const search = make("input", list, "search");
  search.type = "search";
  search.dir = "auto";
  search.dataset.id = `${one.id}-search`;
  search.setAttribute("aria-label", `${say("look")}: ${named(one)}`);
  search.placeholder = say("look");
  const found = make("div", list, "found");
  const count = make("div", list, "hint");
  count.setAttribute("aria-live", "polite");
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  let keys = null;
  const look = () => {
    const wanted = folded(search.value).split(/\s+/).filter(Boolean);
    keys = keys || (wanted.length ? all.map(({ name, label }) => folded(`${label} ${name}`)) : null);
    const chosen = new Set(node.kind === "select_one" ? [one.text] : tokens(one.text));
    const some = [];
    let matching = 0;
    all.forEach((choice, at) => {
      const matches = wanted.every((word) => keys[at].includes(word));
      if (matches) matching++;
      if (chosen.has(choice.name) || (matches && some.length < LISTED_MAX)) some.push(choice);
    });
    found.replaceChildren();
    drawSome(one, node, some, found);
    count.textContent = `${Math.min(some.length, matching)} ${say("shown")} ${matching}`;
    updates.forEach((update) => update());
  };
  search.addEventListener("input", look);
  // The first list is drawn with the page, whose updates follow.
  const first = all.slice(0, LISTED_MAX);
  const chosen = all.filter(({ name }) => tokens(one.text).includes(name) && !first.some((other) => other.name === name));
  drawSome(one, node, [...first, ...chosen], found);
  count.textContent = `${first.length} ${say("shown")} ${all.length}`;
}
function drawChoice(one, node, choice, index, list) {
  const line = make("label", list, "choice");
  const input = make("input", line);
  input.type = node.kind === "select_one" ? "radio" : "checkbox";
  input.name = one.id;
  input.value = choice.name;
  input.dataset.id = `${one.id}-${index}`;
  const label = make("span", line);
  if (choice.words && words(choice.words, one)) show(label, choice.words, one);
  else {
    const text = make("bdi", label, "", choice.label);
    text.dir = directionOf(choice.label) || (isRightToLeft() ? "rtl" : "ltr");
  }
  input.addEventListener("change", () => {
    if (node.kind === "select_one") return answered(one, choice.name);
    const others = tokens(one.text).filter((name) => name !== choice.name);
    const chosen = input.checked ? [...others, choice.name] : others;
    answered(one, (node.kind === "rank" ? chosen : inFormOrder(one, chosen)).join(" "));
  });
}
// Two who chose the same have the same answer.
function inFormOrder(one, chosen) {
  const order = new Map(offered(one).map(({ name }, at) => [name, at]));
  return chosen.sort((a, b) => (order.get(a) ?? Infinity) - (order.get(b) ?? Infinity));
}
