// What is on the page; each part says how it is brought up to date.
let showsAll = false;
let updates = [];
let shown = "";
let isUnsaved = false;
addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });
function make(tag, parent, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}
function press(parent, text, act) {
  const button = make("button", parent, "", text);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}
const isRightToLeft = () => Boolean((data.languages[language] || {}).rtl);
// A text without a letter of the page's direction runs in its own: `5–10 km` between Arabic words stays in order.
function directionOf(text) {
  const hasRight = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(text);
  if (isRightToLeft()) return hasRight ? "" : "ltr";
  return hasRight && !/\p{Script=Latin}|\p{Script=Cyrillic}/u.test(text) ? "rtl" : "";
}
// Puts a text into an element, each part in its style, and each answer apart from the direction around it.
function show(into, of, at) {
  const parts = (of && inLanguage(of, language)) || [];
  const now = parts.map((part) => { const content = contentOf(part); return typeof content === "string" ? content : textOf(content, at); });
  const key = `${language} ${JSON.stringify(now)}`;
  if (into.dataset.now === key) return now.join("");
  into.dataset.now = key;
  into.replaceChildren();
  const line = make("bdi", into);
  const direction = directionOf(now.join(""));
  if (direction) line.dir = direction;
  parts.forEach((part, index) => {
    const isStyled = part !== contentOf(part);
    const piece = make(typeof contentOf(part) === "string" ? "span" : "bdi", line, "", now[index]);
    if (!isStyled) return;
    for (const [mark, name] of [["b", "strong"], ["i", "emphasis"], ["h", "heading"]]) if (part[mark]) piece.classList.add(name);
    if (part.c) { piece.classList.add("coloured"); piece.style.setProperty("--colour", part.c); }
  });
  return now.join("");
}
const shape = () => everything(root).map((one) => one.id).join();
function answered(one, typed) {
  const text = kept(data.nodes[one.at].kind, typed);
  if (text === one.text) { one.touched = true; return refresh(); }
  one.text = text;
  one.touched = true;
  isUnsaved = true;
  compute();
  triggered(one);
  refresh();
}
function refresh() {
  compute();
  if (shape() !== shown) return draw();
  updates.forEach((update) => update());
}
function draw(focus) {
  const focused = focus || (document.activeElement && document.activeElement.dataset.id);
  compute();
  shown = shape();
  updates = [];
  document.documentElement.lang = (data.languages[language] || {}).code || "";
  document.documentElement.dir = isRightToLeft() ? "rtl" : "ltr";
  const main = document.getElementById("form");
  main.replaceChildren();
  drawHead(main);
  drawInside(root, main, 2);
  drawFoot(main);
  updates.forEach((update) => update());
  const again = focused && main.querySelector(`[data-id="${focused}"]`);
  if (again) again.focus();
}
function drawHead(main) {
  const header = make("header", main);
  const title = make("bdi", make("h1", header), "", data.title || data.id);
  title.dir = "auto";
  drawLanguages(header);
  make("p", header, "", say("trial"));
  const legend = make("p", header);
  make("span", legend, "star", "* ");
  legend.append(say("must"));
  if (missing.length) make("p", header, "missing", `${say("missing")} ${missing.map((one) => say(one) || one).join(", ")}`);
  if (data.notices.length) {
    const remarks = make("details", header);
    make("summary", remarks, "", say("remarks"));
    data.notices.forEach((one) => { make("p", remarks, "", one).dir = "auto"; });
  }
  const cut = make("p", header, "problem cut", `${say("cut")} ${PARTS_MAX}`);
  cut.setAttribute("aria-live", "polite");
  updates.push(() => { cut.hidden = !isCut; });
}
function drawLanguages(header) {
  const hasNone = data.language === null;
  if (data.languages.length + hasNone < 2) return;
  const select = make("select", header);
  select.setAttribute("aria-label", say("language"));
  select.dataset.id = "language";
  if (hasNone) make("option", select, "", "—").value = "";
  data.languages.forEach((one, index) => {
    const option = make("option", select, "", one.name);
    option.value = String(index);
    option.lang = one.code;
  });
  select.value = language === null ? "" : String(language);
  select.addEventListener("change", () => { language = select.value === "" ? null : Number(select.value); draw(); });
}
const named = (one) => words(data.nodes[one.at].label, one) || data.nodes[one.at].name;
function drawFoot(main) {
  const foot = make("p", main, "foot");
  const list = make("div", main, "problem");
  list.setAttribute("role", "status");
  // Each that is named leads to its question.
  const name = (lead, all) => {
    list.replaceChildren(`${lead} `);
    all.forEach((one, index) => {
      if (index) list.append(" · ");
      press(list, named(one), () => reach(one)).className = "way";
    });
  };
  press(foot, say("check"), () => {
    showsAll = true;
    refresh();
    const wrong = everything(root).filter((one) => problem(one));
    if (wrong.length) name(say("many"), wrong);
    else list.textContent = say("fine");
  });
  foot.append(" ");
  press(foot, say("save"), () => {
    const unfit = everything(root).filter((one) => isAsked(one) && !isOfItsKind(one));
    list.textContent = "";
    if (!unfit.length) return save();
    name(say("unfit"), unfit);
    showsAll = true;
    refresh();
  });
}
function reach(one) {
  const box = document.getElementById(`${one.id}-box`);
  if (!box) return;
  const input = box.querySelector("input:not(:disabled),select,textarea");
  if (input) input.focus();
  box.scrollIntoView({ block: "center" });
}
function drawInside(at, into, level) {
  for (const child of data.nodes[at.at].children) {
    const node = data.nodes[child];
    if (node.kind === "repeat") drawRepeat(at, child, into, level);
    else {
      const one = at.kids.find((kid) => kid.at === child);
      if (node.kind === "group") drawGroup(one, into, level);
      else drawQuestion(one, into);
    }
  }
}
const inside = (level) => Math.min(6, level + 1);
function drawGroup(one, into, level) {
  const node = data.nodes[one.at];
  const section = make("section", into);
  const heading = node.label && make(`h${level}`, section);
  if (heading) {
    heading.id = `${one.id}-label`;
    section.setAttribute("aria-labelledby", heading.id);
  }
  updates.push(() => { section.hidden = !one.asked; if (heading) show(heading, node.label, one); });
  drawInside(one, section, heading ? inside(level) : level);
}
function drawRepeat(parent, at, into, level) {
  const node = data.nodes[at];
  const box = make("div", into);
  rowsOf(parent, at).forEach((row, index) => {
    const section = make("section", box, "row");
    const heading = make(`h${level}`, section);
    const name = make("span", heading, "", node.name);
    heading.append(` ${index + 1}`);
    heading.id = `${row.id}-label`;
    section.setAttribute("role", "group");
    section.setAttribute("aria-labelledby", heading.id);
    updates.push(() => { section.hidden = !row.asked; if (node.label) show(name, node.label, row); });
    drawInside(row, section, inside(level));
    if (!node.count) drawRemoval(row, `${parent.id}-${at}`, heading, section);
  });
  if (node.count) return;
  const add = press(box, "", () => {
    const row = plantRow(parent, at);
    isUnsaved = true;
    draw();
    reach(everything(row).find((one) => document.querySelector(`[data-id="${one.id}"],[data-id="${one.id}-0"]`)) || row);
  });
  add.dataset.id = `${parent.id}-${at}`;
  const full = make("p", box, "problem", `${say("cut")} ${PARTS_MAX}`);
  updates.push(() => {
    add.textContent = `${say("add")}: ${words(node.label, parent) || node.name}`;
    // The condition belongs to rows; beside one it means the same.
    add.hidden = Boolean(node.relevant) && !asBool(node.relevant, parent.kids[0] || parent, true);
    add.disabled = !hasRoom(at);
    full.hidden = hasRoom(at);
  });
}
// What holds answers is removed after a second word only.
function drawRemoval(row, next, heading, section) {
  const line = make("p", section, "removal");
  const gone = () => { unplantRow(row); isUnsaved = true; draw(next); };
  const ask = () => {
    const first = press(line, say("remove"), () => {
      if (!everything(row).some((one) => one.touched && one.text !== "")) return gone();
      line.replaceChildren(make("span", null, "", `${say("sure")} `));
      press(line, say("remove"), gone).setAttribute("aria-describedby", heading.id);
      line.append(" ");
      press(line, say("keep"), () => { line.replaceChildren(); ask().focus(); });
      line.querySelector("button").focus();
    });
    first.setAttribute("aria-describedby", heading.id);
    return first;
  };
  ask();
}
const UNSEEN = ["hidden", "start", "end", "today", "instanceID", "deviceid", "username", "email", "phonenumber", "start-geopoint", "audit"];
function drawQuestion(one, into) {
  const node = data.nodes[one.at];
  if (UNSEEN.includes(node.kind)) return;
  const isNote = node.kind === "note";
  const box = make("div", into, isNote ? "note" : "question");
  box.id = `${one.id}-box`;
  const label = make(isNote || CHOSEN.includes(node.kind) ? "div" : "label", box, isNote ? "" : "label");
  label.id = `${one.id}-label`;
  if (label.tagName === "LABEL") label.htmlFor = one.id;
  const hint = make("div", box, "hint");
  hint.id = `${one.id}-hint`;
  const guidance = make("div", box, "hint");
  guidance.id = `${one.id}-guidance`;
  const update = isNote ? () => {} : drawInput(one, node, box);
  const wrong = make("div", box, "problem");
  wrong.id = `${one.id}-problem`;
  wrong.setAttribute("aria-live", "polite");
  const ends = box.querySelector(".ends");
  updates.push(() => {
    box.hidden = !one.asked;
    if (!show(label, node.label, one)) label.textContent = isNote ? "" : node.name;
    const must = Boolean(node.required) && asBool(node.required, one, false);
    label.classList.toggle("must", must);
    hint.hidden = !show(hint, node.hint, one);
    guidance.hidden = !show(guidance, node.guidance, one);
    update(Boolean(node.readOnly) && asBool(node.readOnly, one, false));
    wrong.textContent = one.touched || showsAll ? problem(one) : "";
    wrong.hidden = !wrong.textContent;
    const told = [hint, guidance, ends, wrong].filter((part) => part && !part.hidden).map((part) => part.id).join(" ");
    for (const answer of box.querySelectorAll(`#${one.id},[role=radiogroup],[role=group]`)) {
      if (told) answer.setAttribute("aria-describedby", told);
      else answer.removeAttribute("aria-describedby");
      if (answer.getAttribute("role") !== "group") {
        answer.setAttribute("aria-required", String(must));
        answer.setAttribute("aria-invalid", String(!wrong.hidden));
      }
    }
  });
}
const INPUTS = { integer: ["text", "numeric"], decimal: ["text", "decimal"], range: ["text", "decimal"], date: ["date"], time: ["time"], dateTime: ["datetime-local"], ...Object.fromEntries(FILES.map((kind) => [kind, ["file"]])) };
const NUMERIC = ["integer", "decimal", "range", ...PLACED];
function drawInput(one, node, box) {
  if (CHOSEN.includes(node.kind)) return drawChoices(one, node, box);
  if (node.kind === "acknowledge") return drawConfirmation(one, box);
  const isLong = node.kind === "text" && /multiline/.test(node.appearance || "");
  const input = make(isLong ? "textarea" : "input", box);
  input.id = one.id;
  input.dataset.id = one.id;
  input.dir = NUMERIC.includes(node.kind) ? "ltr" : "auto";
  input.autocomplete = "off";
  const [type, mode] = INPUTS[node.kind] || ["text"];
  if (!isLong) input.type = type;
  if (mode) input.inputMode = mode;
  if (type === "date") [input.min, input.max] = ["0001-01-01", "9999-12-31"];
  if (type === "datetime-local") [input.min, input.max] = ["0001-01-01T00:00", "9999-12-31T23:59"];
  if (type === "time") input.step = "any";
  // A browser writes days in its own way; 03/02 is one day here and another there.
  const read = ["date", "time", "datetime-local"].includes(type) ? make("div", box, "hint") : null;
  if (read) read.dir = "ltr";
  if (node.kind === "range") drawEnds(input, node, box);
  if (PLACED.includes(node.kind)) {
    const ends = make("div", box, "hint ends", say("place"));
    ends.id = `${input.id}-ends`;
    input.placeholder = node.kind === "geopoint" ? "47.1234567 8.5" : "47.12 8.5; 47.13 8.6";
  }
  input.addEventListener(type === "file" || type.startsWith("date") ? "change" : "input", () => {
    answered(one, type === "file" ? (input.files[0] || { name: "" }).name : input.value);
  });
  // What was taken is shown as it is kept, once the person goes on.
  input.addEventListener("blur", () => { if (type !== "file" && isOfItsKind(one)) input.value = valueOf(one, type); });
  return (isReadOnly) => {
    input.disabled = isReadOnly;
    if (read) read.textContent = one.text.replace("T", " ");
    if (type !== "file" && document.activeElement !== input && input.value !== valueOf(one, type)) input.value = valueOf(one, type);
  };
}
function valueOf(one, type) {
  if (type === "datetime-local") return one.text.slice(0, 16);
  return type === "time" ? one.text.replace(/(Z|[+-]\d\d:?(\d\d)?)$/, "").replace(/^(\d\d:\d\d):00$/, "$1") : one.text;
}
function drawEnds(input, node, box) {
  const { start, end, step } = rangeOf(node);
  const ends = make("div", box, "hint ends", `${start} … ${end} (± ${Math.abs(step)})`);
  ends.id = `${input.id}-ends`;
  ends.dir = "ltr";
}
function drawConfirmation(one, box) {
  const input = make("input", box);
  input.type = "checkbox";
  input.id = one.id;
  input.dataset.id = one.id;
  input.addEventListener("change", () => answered(one, input.checked ? "OK" : ""));
  return (isReadOnly) => { input.disabled = isReadOnly; input.checked = one.text === "OK"; };
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
const missing = [...data.missing, ...(hasOtherPatterns() ? ["pattern"] : [])];
draw();
