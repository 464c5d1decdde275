
// The page: asks the questions of the form in `data`, and follows its rules.
const data = JSON.parse(document.getElementById("data").textContent);
const WORDS = {
  en: { must: "An answer is required.", not: "The form does not allow this answer.", type: "This is no answer of this kind.", add: "Add", remove: "Remove", save: "Save what was tried", check: "Check", fine: "Nothing is missing or wrong.", many: "To mend:", choose: "Choose", missing: "Not on this page:", trial: "This page is a trial: what is filled in here enters no mission.", unfit: "Cannot be saved, not of their kind:", none: "No answer", media: "pictures, sounds and videos", randomize: "choices in an order by chance", absent: "The choices are in a file that is not here:", remarks: "Remarks on the form" },
  fr: { must: "Une réponse est requise.", not: "Le formulaire n'admet pas cette réponse.", type: "Ce n'est pas une réponse de ce type.", add: "Ajouter", remove: "Retirer", save: "Enregistrer l'essai", check: "Vérifier", fine: "Rien ne manque, rien n'est faux.", many: "À corriger :", choose: "Choisir", missing: "Absent de cette page :", trial: "Cette page est un essai : ce qui y est saisi n'entre dans aucune mission.", unfit: "Impossible d'enregistrer, pas du bon type :", none: "Aucune réponse", media: "images, sons et vidéos", randomize: "choix en ordre aléatoire", absent: "Les choix sont dans un fichier absent :", remarks: "Remarques sur le formulaire" },
  uk: { must: "Потрібна відповідь.", not: "Форма не допускає цієї відповіді.", type: "Це не відповідь такого типу.", add: "Додати", remove: "Вилучити", save: "Зберегти спробу", check: "Перевірити", fine: "Усе на місці.", many: "Виправити:", choose: "Оберіть", missing: "Цього на сторінці немає:", trial: "Ця сторінка лише для спроби: введене тут не потрапляє до жодної місії.", unfit: "Не можна зберегти, відповіді не того типу:", none: "Без відповіді", media: "зображення, звук і відео", randomize: "варіанти у випадковому порядку", absent: "Варіанти у файлі, якого тут немає:", remarks: "Зауваження щодо форми" },
  ar: { must: "الإجابة مطلوبة.", not: "لا يقبل النموذج هذه الإجابة.", type: "ليست إجابة من هذا النوع.", add: "إضافة", remove: "إزالة", save: "حفظ التجربة", check: "تحقق", fine: "لا شيء ناقص أو خاطئ.", many: "يلزم تصحيح:", choose: "اختر", missing: "غير متاح في هذه الصفحة:", trial: "هذه الصفحة للتجربة: ما يُكتب هنا لا يدخل أي مهمة.", unfit: "لا يمكن الحفظ، إجابات من نوع خاطئ:", none: "بلا إجابة", media: "الصور والأصوات والمقاطع", randomize: "اختيارات بترتيب عشوائي", absent: "الاختيارات في ملف غير موجود هنا:", remarks: "ملاحظات على النموذج" },
};
let language = data.language;
let rowCount = 0;
let showsAll = false;
const say = (what) => (WORDS[(data.languages[language] || {}).code] || WORDS.en)[what];

// The answers as a tree of elements, each with the number of its node in `at`.
const root = plant(null, 0);
function plant(parent, at) {
  const made = element(null, data.nodes[at].name);
  made.parent = parent;
  made.at = at;
  made.id = "q" + rowCount++;
  if (parent) {
    const order = data.nodes[parent.at].children;
    const place = parent.kids.findIndex((kid) => order.indexOf(kid.at) > order.indexOf(at));
    parent.kids.splice(place < 0 ? parent.kids.length : place, 0, made);
  }
  const node = data.nodes[at];
  if (node.default !== undefined) made.text = node.default;
  if (node.kind === "start") made.text = momentText(FUNCTIONS.now());
  if (node.kind === "today") made.text = momentText(FUNCTIONS.today());
  if (node.kind === "instance") made.text = "uuid:" + crypto.randomUUID();
  for (const child of node.children) if (data.nodes[child].kind !== "repeat") plant(made, child);
  return made;
}
function unplant(node) { node.parent.kids.splice(node.parent.kids.indexOf(node), 1); }
const everything = (node) => [node, ...node.kids.flatMap(everything)];
const rowsOf = (parent, repeat) => parent.kids.filter((kid) => kid.at === repeat);

const instances = {};
function instanceOf(name) {
  if (!(name in instances) && name in data.instances) instances[name] = grown(data.instances[name]);
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
    for (const [name, value] of Object.entries(row)) if (name !== "$label") element(item, name, value);
    if (row.$label) element(item, "label", plainText(inLanguage(row.$label, data.language)));
  }
  return made;
}
const inLanguage = (words, wanted) => words[1][wanted] || words[0] || Object.values(words[1])[0] || null;
const plainText = (text) => (text || []).filter((part) => typeof part === "string").join("");
function words(of, at) {
  if (!of) return "";
  return (inLanguage(of, language) || []).map((part) => (typeof part === "string" ? part : textOf(part, at))).join("");
}

const world = {
  instance: instanceOf,
  choiceName(value, path, focus) {
    const nodes = new Evaluator(world).value(path, focus);
    const choice = Array.isArray(nodes) && nodes.length && offered(nodes[0]).find((one) => one.name === value);
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

function offered(node) {
  const choices = data.nodes[node.at].choices;
  if (!choices) return [];
  const passes = (item, index, all) => {
    if (!choices.filter) return true;
    try {
      const focus = { node: item, current: node, position: index + 1, size: all.length };
      return new Evaluator(world).bool(new Evaluator(world).value(choices.filter, focus));
    } catch { return false; }
  };
  if (choices.items) {
    const items = evaluated(choices.items, node, []).filter(passes);
    const cell = (ast, item) => new Evaluator(world).text(new Evaluator(world).value(ast, { ...focusOn(item), current: node }));
    return items.map((item) => ({ name: cell(choices.value, item), label: cell(choices.label, item) })).filter((one) => one.name);
  }
  const list = instanceOf(choices.list);
  const cell = (item, name) => { const kid = item.kids.find((one) => one.name === name); return kid ? kid.text : ""; };
  return (list ? list.kids : []).filter(passes).map((item) => {
    const name = cell(item, item.label ? "name" : choices.value);
    return { name, label: (item.label ? words(item.label, node) : cell(item, choices.label)) || name };
  });
}

// Everything that follows from the answers, in the order of the form's jobs, until nothing changes.
function compute() {
  for (let pass = 0; pass < 12; pass++) {
    let changed = false;
    for (const [kind, at] of data.jobs) {
      const node = data.nodes[at];
      for (const one of everything(root)) {
        if (kind === "count" ? !node.count || !data.nodes[one.at].children.includes(at) : one.at !== at) continue;
        if (kind === "relevant") {
          const asked = asBool(node.relevant, one, true);
          changed = changed || asked !== one.asked;
          one.asked = asked;
        } else if (kind === "count") {
          const wanted = Math.min(1000, Math.max(0, Math.trunc(new Evaluator(world).number(evaluated(node.count, one, 0)) || 0)));
          const rows = rowsOf(one, at);
          for (let row = rows.length; row < wanted; row++) { plant(one, at); changed = true; }
          for (const row of rows.slice(wanted)) { unplant(row); changed = true; }
        } else if (!node.triggers && !(node.fleeting && one.calculated !== undefined)) {
          changed = calculate(one) || changed;
        }
      }
    }
    for (const one of everything(root)) {
      const preset = data.nodes[one.at].preset;
      if (preset && !one.isPreset) {
        one.isPreset = true;
        if (!one.text) one.text = textOf(preset, one);
        changed = true;
      }
    }
    if (!changed) return;
  }
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
  for (const one of everything(root)) {
    const { triggers, calculation } = data.nodes[one.at];
    const fires = (triggers || []).some((path) => { const nodes = evaluated(path, one, []); return Array.isArray(nodes) && nodes.includes(by); });
    if (fires && calculation) { one.calculated = undefined; calculate(one); }
  }
}

// The ends and the step of a range; without them, whole numbers from 1 to 10.
function rangeOf(node) {
  const number = (name, usual) => { const value = parseFloat((node.parameters || {})[name]); return Number.isFinite(value) ? value : usual; };
  return { start: number("start", 1), end: number("end", 10), step: number("step", 1) };
}
function isOnRange(value, { start, end, step }) {
  const steps = step === 0 ? 0 : (value - start) / step;
  return value >= Math.min(start, end) && value <= Math.max(start, end) && Math.abs(steps - Math.round(steps)) < 1e-6;
}
const DIGITS = /^[-+]?\d{1,32}(\.\d{1,32})?$/;
function isPoint(text) {
  const parts = tokens(text);
  return parts.length >= 2 && parts.length <= 4 && parts.every((part) => DIGITS.test(part)) && Math.abs(parts[0]) <= 90 && Math.abs(parts[1]) <= 180;
}
const CHOSEN = ["one", "many", "rank"];
const FITS = {
  integer: (text) => /^[-+]?\d{1,18}$/.test(text),
  decimal: (text) => DIGITS.test(text),
  range: (text, node) => DIGITS.test(text) && isOnRange(Number(text), rangeOf(node)),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && text >= "0001" && readMoment(text) !== null,
  time: (text) => readTime(text) !== null,
  datetime: (text) => text.includes("T") && text >= "0001" && readMoment(text) !== null,
  point: isPoint,
  trace: (text) => text.split(";").filter((one) => one.trim()).length >= 2 && text.split(";").filter((one) => one.trim()).every(isPoint),
  shape: (text) => { const all = text.split(";").map((one) => one.trim()).filter(Boolean); return all.length >= 4 && all.every(isPoint) && all[0] === all[all.length - 1]; },
};
const isOfItsKind = (one) => { const node = data.nodes[one.at]; return one.text === "" || !FITS[node.kind] || FITS[node.kind](one.text, node); };
function problem(one) {
  const node = data.nodes[one.at];
  if (!isAsked(one)) return "";
  if (one.text === "") return node.required && asBool(node.required, one, false) ? words(node.requiredMessage, one) || say("must") : "";
  if (!isOfItsKind(one)) return say("type");
  if (CHOSEN.includes(node.kind)) {
    const names = offered(one).map((choice) => choice.name);
    const chosen = node.kind === "one" ? [one.text] : tokens(one.text);
    if (!chosen.every((name) => names.includes(name)) || new Set(chosen).size !== chosen.length) return say("type");
    if (node.kind === "rank" && chosen.length !== names.length) return say("type");
  }
  if (node.constraint && !asBool(node.constraint, one, true)) return words(node.constraintMessage, one) || say("not");
  return "";
}

// What is on the page; each part says how it is brought up to date.
let updates = [];
function make(tag, parent, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}
const shape = () => everything(root).map((one) => one.id).join();
let shown = "";
let isUnsaved = false;
addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });
function answered(one, text) {
  if (text === one.text) return;
  one.text = text;
  one.touched = true;
  isUnsaved = true;
  triggered(one);
  refresh();
}
function refresh() {
  compute();
  if (shape() !== shown) return draw();
  updates.forEach((update) => update());
}
function draw() {
  const focused = document.activeElement && document.activeElement.dataset.id;
  compute();
  shown = shape();
  updates = [];
  const { code = "", rtl = false } = data.languages[language] || {};
  document.documentElement.lang = code;
  document.documentElement.dir = rtl ? "rtl" : "ltr";
  const main = document.getElementById("form");
  main.replaceChildren();
  drawHead(main);
  drawInside(root, main);
  drawFoot(main);
  updates.forEach((update) => update());
  const again = focused && main.querySelector(`[data-id="${focused}"]`);
  if (again) again.focus();
}
function drawHead(main) {
  const header = make("header", main);
  make("h1", header, "", data.title || data.id);
  if (data.languages.length > 1) {
    const select = make("select", header);
    select.setAttribute("aria-label", "Language");
    data.languages.forEach((one, index) => { make("option", select, "", one.name).value = String(index); });
    select.value = String(language);
    select.addEventListener("change", () => { language = Number(select.value); draw(); });
  }
  make("p", header, "", say("trial"));
  if (data.missing.length) make("p", header, "missing", `${say("missing")} ${data.missing.map((one) => say(one) || one).join(", ")}`);
  if (data.notices.length) {
    const remarks = make("details", header);
    make("summary", remarks, "", say("remarks"));
    data.notices.forEach((one) => make("p", remarks, "", one));
  }
}
const named = (one) => words(data.nodes[one.at].label, one) || data.nodes[one.at].name;
function drawFoot(main) {
  const foot = make("p", main);
  const list = make("div", main, "problem");
  list.setAttribute("role", "status");
  make("button", foot, "", say("check")).addEventListener("click", () => {
    showsAll = true;
    refresh();
    const wrong = everything(root).filter((one) => problem(one));
    list.textContent = wrong.length ? `${say("many")} ${wrong.map(named).join(" · ")}` : say("fine");
  });
  foot.append(" ");
  make("button", foot, "", say("save")).addEventListener("click", () => {
    const unfit = everything(root).filter((one) => isAsked(one) && !isOfItsKind(one));
    list.textContent = unfit.length ? `${say("unfit")} ${unfit.map(named).join(" · ")}` : "";
    if (!unfit.length) return save();
    showsAll = true;
    refresh();
  });
}
function drawInside(at, into) {
  for (const child of data.nodes[at.at].children) {
    const node = data.nodes[child];
    if (node.kind === "repeat") drawRepeat(at, child, into);
    else {
      const one = at.kids.find((kid) => kid.at === child);
      if (node.kind === "group") drawGroup(one, into);
      else drawQuestion(one, into);
    }
  }
}
function drawGroup(one, into) {
  const node = data.nodes[one.at];
  const section = make("section", into);
  const heading = node.label && make("h2", section);
  updates.push(() => { section.hidden = !one.asked; if (heading) heading.textContent = words(node.label, one); });
  drawInside(one, section);
}
function drawRepeat(parent, at, into) {
  const node = data.nodes[at];
  const box = make("div", into);
  rowsOf(parent, at).forEach((row, index) => {
    const section = make("section", box, "row");
    const heading = make("h2", section);
    updates.push(() => { section.hidden = !row.asked; heading.textContent = `${words(node.label, row) || node.name} ${index + 1}`; });
    drawInside(row, section);
    if (!node.count) make("button", section, "", say("remove")).addEventListener("click", () => { unplant(row); draw(); });
  });
  if (node.count) return;
  const add = make("button", box, "");
  updates.push(() => {
    add.textContent = `${say("add")}: ${words(node.label, parent) || node.name}`;
    // The condition belongs to rows; beside one it means the same.
    add.hidden = Boolean(node.relevant) && !asBool(node.relevant, parent.kids[0] || parent, true);
  });
  add.addEventListener("click", () => { plant(parent, at); draw(); });
}
function drawQuestion(one, into) {
  const node = data.nodes[one.at];
  if (["hidden", "start", "end", "today", "instance", "metadata"].includes(node.kind)) return;
  const box = make("div", into, node.kind === "note" ? "note" : "question");
  const isGroup = CHOSEN.includes(node.kind);
  const label = make(node.kind === "note" || isGroup ? "div" : "label", box, "label");
  label.id = `${one.id}-label`;
  if (label.tagName === "LABEL") label.htmlFor = one.id;
  const hint = make("div", box, "hint");
  const update = node.kind === "note" ? () => {} : drawInput(one, node, box);
  const wrong = make("div", box, "problem");
  wrong.setAttribute("role", "alert");
  updates.push(() => {
    box.hidden = !one.asked;
    label.textContent = words(node.label, one) || (node.kind === "note" ? "" : node.name);
    label.classList.toggle("must", Boolean(node.required) && asBool(node.required, one, false));
    hint.textContent = [words(node.hint, one), words(node.guidance, one)].filter(Boolean).join(" — ");
    hint.hidden = !hint.textContent;
    const isReadOnly = Boolean(node.readOnly) && asBool(node.readOnly, one, false);
    update(isReadOnly);
    wrong.textContent = one.touched || showsAll ? problem(one) : "";
    wrong.hidden = !wrong.textContent;
  });
}
const INPUTS = { integer: ["text", "numeric"], decimal: ["text", "decimal"], date: ["date"], time: ["time"], datetime: ["datetime-local"], file: ["file"] };
function drawInput(one, node, box) {
  if (CHOSEN.includes(node.kind)) return drawChoices(one, node, box);
  if (node.kind === "ok") return drawConfirmation(one, box);
  const isLong = node.kind === "text" && /multiline/.test(node.appearance || "");
  const input = make(isLong ? "textarea" : "input", box);
  input.id = one.id;
  input.dataset.id = one.id;
  input.dir = "auto";
  const [type, mode] = INPUTS[node.kind] || ["text"];
  if (!isLong) input.type = type;
  if (mode) input.inputMode = mode;
  if (node.kind === "range") drawEnds(input, node, box);
  if (node.kind === "point") input.placeholder = "47.1234567 8.5";
  input.addEventListener(type === "file" || type.startsWith("date") ? "change" : "input", () => {
    answered(one, type === "file" ? (input.files[0] || { name: "" }).name : input.value);
  });
  return (isReadOnly) => {
    input.disabled = isReadOnly;
    const text = type === "datetime-local" ? one.text.slice(0, 16) : one.text;
    if (type !== "file" && document.activeElement !== input && input.value !== text) input.value = text;
  };
}
function drawEnds(input, node, box) {
  const { start, end, step } = rangeOf(node);
  input.inputMode = "decimal";
  const ends = make("div", box, "hint ends", `${start} … ${end} (± ${Math.abs(step)})`);
  ends.id = `${input.id}-ends`;
  ends.dir = "ltr";
  input.setAttribute("aria-describedby", ends.id);
}
function drawChoices(one, node, box) {
  if (node.choices.absent) make("div", box, "problem", `${say("absent")} ${node.choices.absent}`);
  const list = make("div", box);
  list.setAttribute("role", node.kind === "one" ? "radiogroup" : "group");
  list.setAttribute("aria-labelledby", `${one.id}-label`);
  let last = "";
  return (isReadOnly) => {
    const all = offered(one);
    const now = JSON.stringify([all, isReadOnly]);
    const order = tokens(one.text);
    if (now !== last) {
      last = now;
      list.replaceChildren();
      if (node.kind === "one" && all.length > 12) drawSelect(one, all, list);
      else {
        all.forEach((choice, index) => drawChoice(one, node, choice, index, list));
        if (node.kind === "one" && all.length) drawChoice(one, node, { name: "", label: say("none") }, all.length, list);
      }
    }
    for (const input of list.querySelectorAll("input,select")) {
      input.disabled = isReadOnly;
      if (input.tagName === "SELECT") input.value = one.text;
      else input.checked = node.kind === "one" ? one.text === input.value : order.includes(input.value);
      if (node.kind === "rank") input.nextSibling.dataset.place = input.checked ? `${order.indexOf(input.value) + 1}. ` : "";
    }
  };
}
function drawSelect(one, all, list) {
  const select = make("select", list);
  select.id = one.id;
  select.setAttribute("aria-labelledby", `${one.id}-label`);
  select.dataset.id = one.id;
  make("option", select, "", say("choose")).value = "";
  for (const choice of all) make("option", select, "", choice.label).value = choice.name;
  select.addEventListener("change", () => answered(one, select.value));
}
function drawChoice(one, node, choice, index, list) {
  const line = make("label", list, "choice");
  const input = make("input", line);
  input.type = node.kind === "one" ? "radio" : "checkbox";
  input.name = one.id;
  input.value = choice.name;
  input.dataset.id = `${one.id}-${index}`;
  make("span", line, "", choice.label);
  input.addEventListener("change", () => {
    if (node.kind === "one") return answered(one, choice.name);
    const chosen = tokens(one.text).filter((name) => name && name !== choice.name);
    answered(one, (input.checked ? [...chosen, choice.name] : chosen).join(" "));
  });
}
function drawConfirmation(one, box) {
  const input = make("input", box);
  input.type = "checkbox";
  input.id = one.id;
  input.dataset.id = one.id;
  input.addEventListener("change", () => answered(one, input.checked ? "OK" : ""));
  return (isReadOnly) => { input.disabled = isReadOnly; input.checked = one.text === "OK"; };
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
      found[key] = node.kind === "integer" && isOfItsKind(one) && Number.isSafeInteger(Number(one.text)) ? Number(one.text) : one.text;
    }
    one.kids.forEach((kid) => visit(kid, inside));
  };
  root.kids.forEach((kid) => visit(kid, null));
  return { trial: true, form: data.id, version: data.version, answers: found };
}
function save() {
  for (const one of everything(root)) if (data.nodes[one.at].kind === "end") one.text = momentText(FUNCTIONS.now());
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(answers(), null, 2)], { type: "application/json" }));
  link.download = `${data.id}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
  isUnsaved = false;
}
draw();
