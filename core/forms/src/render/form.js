// The form of the page: its words, its answers, and what follows from them.
const data = JSON.parse(document.getElementById("data").textContent);
// Most questions and groups that stand in rows, over the whole page: what a browser on a cheap phone still draws.
const PARTS_MAX = 5000;
let language = data.language;

// The words of a text in the language shown: its own, those without a language, or any; and whether they are its own.
const inLanguage = (words, wanted) => words[1][wanted] || words[0] || Object.values(words[1])[0] || null;
// A part of a text is a text, an expression, or `{of, b, i, h, c}`: either of them in a style.
const contentOf = (part) => (typeof part === "object" && !Array.isArray(part) ? part.of : part);
const asText = (parts, at) => (parts || []).map(contentOf).map((part) => (typeof part === "string" ? part : at ? textOf(part, at) : "")).join("");
const words = (of, at) => (of ? asText(inLanguage(of, language), at) : "");
const rawWords = (item) => item.raw || item.label;

// The answers as a tree of elements, each with the number of its node in `at`.
const placed = data.nodes.map(() => []);
const above = data.nodes.map(() => 0);
data.nodes.forEach((node, at) => node.children.forEach((child) => { above[child] = at; }));
const numbered = (has) => data.nodes.map((_, at) => at).filter((at) => has(data.nodes[at]));
const PRESET = numbered((node) => node.preset);
const TRIGGERED = numbered((node) => node.triggers && node.calculation);
const partsOf = (at) => 1 + data.nodes[at].children.reduce((sum, child) => sum + (data.nodes[child].kind === "repeat" ? 0 : partsOf(child)), 0);
let parts = 0;
let isCut = false;
let elements = 0;
const root = plant(null, 0);
function plant(parent, at) {
  const made = element(null, data.nodes[at].name);
  made.parent = parent;
  made.at = at;
  made.id = "q" + elements++;
  if (parent) insert(made);
  placed[at].push(made);
  const node = data.nodes[at];
  if (node.default !== undefined) made.text = node.default;
  if (node.kind === "start") made.text = momentText(FUNCTIONS.now());
  if (node.kind === "today") made.text = momentText(FUNCTIONS.today());
  if (node.kind === "instanceID") made.text = "uuid:" + crypto.randomUUID();
  for (const child of node.children) if (data.nodes[child].kind !== "repeat") plant(made, child);
  return made;
}
// Among the elements around it, in the order of the form.
function insert(made) {
  const { kids } = made.parent;
  const order = data.nodes[made.parent.at].children;
  const place = kids.findIndex((kid) => order.indexOf(kid.at) > order.indexOf(made.at));
  kids.splice(place < 0 ? kids.length : place, 0, made);
}
const everything = (node) => [node, ...node.kids.flatMap(everything)];
const rowsOf = (parent, repeat) => parent.kids.filter((kid) => kid.at === repeat);
const hasRoom = (repeat) => parts + partsOf(repeat) <= PARTS_MAX;
function plantRow(parent, repeat) {
  parts += partsOf(repeat);
  return plant(parent, repeat);
}
function unplantRow(row) {
  row.parent.kids.splice(row.parent.kids.indexOf(row), 1);
  for (const one of everything(row)) {
    placed[one.at].splice(placed[one.at].indexOf(one), 1);
    parts--;
  }
}

// A row that the form counts again, with the answers it had.
function replantRow(row) {
  insert(row);
  for (const one of everything(row)) {
    placed[one.at].push(one);
    parts++;
  }
}

const instances = {};
function instanceOf(name) {
  if (!(name in instances) && Object.hasOwn(data.instances, name)) instances[name] = grown(data.instances[name]);
  return instances[name];
}
function grown(from) {
  if (!Array.isArray(from)) {
    const made = element(null, from.$name, from.$text);
    for (const [name, value] of Object.entries(from.$attributes || {})) made.attrs.push({ ...element(null, name, value), parent: made });
    for (const child of from.$children || []) { const kid = grown(child); kid.parent = made; made.kids.push(kid); }
    return made;
  }
  const made = element(null, "root");
  for (const row of from) {
    const item = element(made, "item");
    item.label = row.$label;
    item.raw = row.$raw;
    for (const [name, value] of Object.entries(row)) if (!name.startsWith("$")) element(item, name, value);
    if (row.$label) element(item, "label", asText(inLanguage(rawWords(item), data.language)));
  }
  return made;
}

const world = {
  instance: instanceOf,
  choiceName(value, path, focus) {
    const nodes = new Evaluator(world).value(path, focus);
    if (!Array.isArray(nodes) || !nodes.length) return "";
    const { choices } = data.nodes[nodes[0].at] || {};
    const list = choices && !choices.items && instanceOf(choices.list);
    const item = list && list.kids.find((one) => one.label && cellOf(one, "name") === value);
    if (item) return words(rawWords(item), nodes[0]);
    const choice = offered(nodes[0]).find((one) => one.name === value);
    return choice ? choice.label : "";
  },
};
const focusOn = (node) => ({ node, current: node, position: 1, size: 1 });
function evaluated(ast, node, usual) {
  try { return new Evaluator(world).value(ast, focusOn(node)); } catch { return usual; }
}
const asBool = (ast, node, usual) => new Evaluator(world).bool(evaluated(ast, node, usual));
function textOf(ast, node) {
  const value = evaluated(ast, node, "");
  return typeof value === "number" && Number.isNaN(value) ? "" : new Evaluator(world).text(value);
}

// The choices that a question offers now; worked out once for each state of the answers.
let generation = 0;
const cellOf = (item, name) => { const kid = item.kids.find((one) => one.name === name); return kid ? kid.text : ""; };
function offered(node) {
  const { choices } = data.nodes[node.at];
  if (!choices) return [];
  const known = node.offer;
  if (known && known.language === language && (known.generation === generation || known.isFixed)) return known.all;
  const list = choices.items ? null : instanceOf(choices.list);
  const isFixed = Boolean(list) && !choices.filter && list.kids.every((item) => !item.label || (inLanguage(item.label, language) || []).every((part) => typeof contentOf(part) === "string"));
  node.offer = { language, generation, isFixed, all: choices.items ? nodesOffered(choices, node) : itemsOffered(choices, list, node) };
  return node.offer.all;
}
function passes(choices, node) {
  return (item, index, all) => {
    if (!choices.filter) return true;
    try {
      const it = new Evaluator(world);
      const value = it.value(choices.filter, { node: item, current: node, position: index + 1, size: all.length });
      return typeof value === "number" ? value === index + 1 : it.bool(value);
    } catch { return false; }
  };
}
function nodesOffered(choices, node) {
  const items = evaluated(choices.items, node, []);
  const cell = (ast, item) => { try { return new Evaluator(world).text(new Evaluator(world).value(ast, { ...focusOn(item), current: node })); } catch { return ""; } };
  const all = (Array.isArray(items) ? items : []).filter(passes(choices, node));
  return all.map((item) => { const name = cell(choices.value, item); return { name, label: cell(choices.label, item) || name }; }).filter((one) => one.name);
}
function itemsOffered(choices, list, node) {
  return (list ? list.kids : []).filter(passes(choices, node)).map((item) => {
    const name = cellOf(item, item.label ? "name" : choices.value);
    return { name, words: item.label, label: (item.label ? words(item.label, node) : cellOf(item, choices.label)) || name };
  });
}

// Everything that follows from the answers, in the order of the form's jobs, until nothing changes.
const PASSES_MAX = 12;
function compute() {
  isCut = false;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    generation++;
    let changed = false;
    for (const [kind, at] of data.jobs) {
      const node = data.nodes[at];
      for (const one of [...placed[kind === "count" ? above[at] : at]]) {
        if (kind === "relevant") {
          const asked = asBool(node.relevant, one, true);
          changed = changed || asked !== one.asked;
          one.asked = asked;
        } else if (kind === "count") changed = counted(one, at) || changed;
        else if (!node.triggers && !(node.fleeting && one.calculated !== undefined)) changed = calculate(one) || changed;
      }
    }
    for (const one of PRESET.flatMap((at) => placed[at])) {
      if (one.isPreset) continue;
      one.isPreset = true;
      if (!one.text) one.text = textOf(data.nodes[one.at].preset, one);
      changed = true;
    }
    if (!changed) break;
  }
  generation++;
}
// As many rows as the form counts, as far as the page has room.
function counted(parent, repeat) {
  const wanted = Math.max(0, Math.trunc(new Evaluator(world).number(evaluated(data.nodes[repeat].count, parent, 0))) || 0);
  const rows = rowsOf(parent, repeat);
  let changed = rows.length > wanted;
  parent.parked = parent.parked || {};
  const parked = [...rows.slice(wanted), ...(parent.parked[repeat] || [])];
  rows.slice(wanted).forEach(unplantRow);
  for (let row = rows.length; row < wanted; row++) {
    const isFull = parked.length ? parts + everything(parked[0]).length > PARTS_MAX : !hasRoom(repeat);
    if (isFull) { isCut = true; break; }
    if (parked.length) replantRow(parked.shift());
    else plantRow(parent, repeat);
    changed = true;
  }
  parent.parked[repeat] = parked;
  return changed;
}
function calculate(one) {
  const text = textOf(data.nodes[one.at].calculation, one);
  if (text === one.calculated) return false;
  one.calculated = text;
  const changed = one.text !== text;
  one.text = text;
  return changed;
}
function triggered(by) {
  for (const one of TRIGGERED.flatMap((at) => placed[at])) {
    const fires = data.nodes[one.at].triggers.some((path) => { const nodes = evaluated(path, one, []); return Array.isArray(nodes) && nodes.includes(by); });
    if (fires) { one.calculated = undefined; calculate(one); }
  }
}

const isOfItsKind = (one) => fits(data.nodes[one.at], one.text);
// What is wrong with an answer, for its person; nothing where nothing is.
function problem(one) {
  const node = data.nodes[one.at];
  if (!isAsked(one)) return "";
  if (one.text === "") return node.required && asBool(node.required, one, false) ? words(node.requiredMessage, one) || say("must") : "";
  if (!isOfItsKind(one)) return say("type");
  if (CHOSEN.includes(node.kind)) {
    const names = new Set(offered(one).map((choice) => choice.name));
    const chosen = node.kind === "select_one" ? [one.text] : tokens(one.text);
    if (!chosen.every((name) => names.has(name)) || new Set(chosen).size !== chosen.length) return say("type");
    if (node.kind === "rank" && chosen.length !== names.size) return say("type");
  }
  if (node.constraint && !asBool(node.constraint, one, true)) return words(node.constraintMessage, one) || say("not");
  return "";
}

// Whether the form has a pattern that is not matched here; what it would check is taken as it is.
function hasOtherPatterns() {
  const visit = (ast) => {
    if (!Array.isArray(ast)) return false;
    if (ast[0] === "c" && ast[1] === "regex" && ast[2][1] && ast[2][1][0] === "t") {
      try { patternOf(ast[2][1][1]); } catch { return true; }
    }
    return ast.some(visit);
  };
  const formulas = (node) => [node.relevant, node.required, node.constraint, node.calculation, node.readOnly, node.preset, node.count, (node.choices || {}).filter];
  return data.nodes.some((node) => formulas(node).some(visit));
}

function answers() {
  const found = {};
  const orders = {};
  const visit = (one, row) => {
    const node = data.nodes[one.at];
    let inside = row;
    if (node.kind === "repeat") {
      orders[node.key] = (orders[node.key] || 0) + 1;
      const id = orders[node.key].toString(16).padStart(8, "0") + crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, "0");
      if (row) found[`${node.key}/${id}/within`] = row.id;
      inside = { name: node.key, id };
    } else if (!node.unkept && one.text !== "") {
      const key = row ? `${row.name}/${row.id}/${node.key}` : node.key;
      found[key] = node.kind === "integer" && isWhole(one.text) && Number.isSafeInteger(Number(one.text)) ? Number(one.text) : one.text;
    }
    one.kids.forEach((kid) => visit(kid, inside));
  };
  root.kids.forEach((kid) => visit(kid, null));
  return { trial: true, form: data.id, version: data.version, answers: found };
}
