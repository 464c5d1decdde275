// Expressions of forms, as core/forms evaluates them. An element is {name, parent, kids, text, asked, attrs}.
const STEPS_MAX = 2000000;
class Moment { constructor(ms, offset) { this.ms = ms; this.offset = offset; } }
const DAY = 86400000;
const two = (number) => String(number).padStart(2, "0");
const here = (ms) => -new Date(ms).getTimezoneOffset();
const local = (moment) => new Date(moment.ms + moment.offset * 60000);
function element(parent, name, text) {
  const made = { name, parent, kids: [], text: text || "", asked: true, attrs: [] };
  if (parent) parent.kids.push(made);
  return made;
}
function isAsked(node) {
  for (let at = node; at; at = at.parent) if (!at.asked) return false;
  return true;
}
function gather(node) { return node.asked ? node.text + node.kids.map(gather).join("") : ""; }
const nodeText = (node) => (isAsked(node) ? gather(node) : "");
const rootOf = (node) => { while (node.parent) node = node.parent; return node; };
function way(node) {
  const steps = [];
  for (let at = node; at.parent; at = at.parent) steps.push(at.parent.kids.indexOf(at));
  return steps.reverse();
}
function inOrder(nodes) {
  const keyed = [...new Set(nodes)].map((node) => [way(node), node]);
  const compare = ([a], [b]) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  };
  return keyed.sort(compare).map(([, node]) => node);
}
const localName = (name) => name.slice(name.lastIndexOf(":") + 1);
const sameName = (wanted, name) => wanted === name || localName(wanted) === localName(name) || wanted.endsWith(":*");

function readMoment(text) {
  const day = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:T(.+))?$/.exec(text);
  if (!day) return null;
  const date = new Date(0);
  date.setUTCFullYear(+day[1], day[2] - 1, +day[3]);
  if (date.getUTCMonth() !== day[2] - 1 || date.getUTCDate() !== +day[3]) return null;
  const midnight = date.getTime();
  if (day[4] === undefined) {
    const offset = -new Date(+day[1], day[2] - 1, +day[3]).getTimezoneOffset();
    return new Moment(midnight - offset * 60000, offset);
  }
  const time = readTime(day[4]);
  if (!time) return null;
  const offset = time.offset === null ? here(midnight) : time.offset;
  return new Moment(midnight + time.ms - offset * 60000, offset);
}
function readTime(text) {
  const time = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/.exec(text);
  if (!time || time[1] > 23 || time[2] > 59 || (time[3] || 0) > 59) return null;
  const ms = (time[1] * 60 + +time[2]) * 60000 + (time[3] || 0) * 1000 + Math.floor(Number("0." + (time[4] || "0")) * 1000);
  let offset = null;
  if (time[5]) {
    const zone = /^([+-])(\d{2}):?(\d{2})?$/.exec(time[5]);
    offset = zone ? (zone[1] === "-" ? -1 : 1) * (zone[2] * 60 + +(zone[3] || 0)) : 0;
  }
  return { ms, offset };
}
const zone = (minutes) => (minutes < 0 ? "-" : "+") + two(Math.floor(Math.abs(minutes) / 60)) + ":" + two(Math.abs(minutes) % 60);
function momentText(moment) {
  const at = local(moment).toISOString();
  return at.slice(11, 23) === "00:00:00.000" ? at.slice(0, 10) : at.slice(0, 23) + zone(moment.offset);
}
const momentDays = (moment) => moment.ms / DAY;
function numberText(number) {
  if (Number.isNaN(number) || !Number.isFinite(number)) return String(number);
  const text = String(number);
  if (!/e/.test(text)) return Object.is(number, -0) ? "0" : text;
  return BigInt(Math.trunc(number)) == number ? BigInt(number).toString() : number.toFixed(20).replace(/0+$/, "");
}
function textNumber(text) {
  const trimmed = text.trim();
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(trimmed)) return Number(trimmed);
  const moment = readMoment(trimmed);
  return moment ? momentDays(moment) : NaN;
}

class Evaluator {
  constructor(world) { this.world = world; this.steps = 0; }
  spend(steps) { this.steps += steps; if (this.steps > STEPS_MAX) throw new Error("too many steps"); }
  text(value) {
    if (Array.isArray(value)) return value.length ? nodeText(value[0]) : "";
    if (value instanceof Moment) return momentText(value);
    if (value === null) return "";
    return typeof value === "number" ? numberText(value) : String(value);
  }
  bool(value) {
    if (Array.isArray(value)) return value.length > 0;
    if (value instanceof Moment) return true;
    return Boolean(value);
  }
  number(value) {
    if (typeof value === "number") return value;
    if (typeof value === "boolean") return value ? 1 : 0;
    if (value instanceof Moment) return momentDays(value);
    return value === null ? NaN : textNumber(this.text(value));
  }
  value(ast, focus) {
    this.spend(1);
    switch (ast[0]) {
      case "n": return ast[1] === null ? Infinity : ast[1];
      case "t": return ast[1];
      case "-": return -this.number(this.value(ast[1], focus));
      case "o": return ast[2].reduce((left, [sign, right]) => this.operate(sign, left, right, focus), this.value(ast[1], focus));
      case "c": return this.call(ast[1], ast[2], focus);
      default: return this.path(ast, focus).filter(isAsked);
    }
  }
  operate(sign, left, ast, focus) {
    if (sign === "or") return this.bool(left) || this.bool(this.value(ast, focus));
    if (sign === "and") return this.bool(left) && this.bool(this.value(ast, focus));
    const right = this.value(ast, focus);
    if (sign === "|") return inOrder([...left, ...right]);
    if (sign === "=" || sign === "!=") return this.equal(sign === "=", left, right);
    const [a, b] = [this.number(left), this.number(right)];
    switch (sign) {
      case "+": return a + b;
      case "-": return a - b;
      case "*": return a * b;
      case "div": return a / b;
      case "mod": return a % b;
      default: return this.ordered(sign, left, right);
    }
  }
  equal(wanted, left, right) {
    if (typeof left === "boolean" || typeof right === "boolean") return (this.bool(left) === this.bool(right)) === wanted;
    const all = (value) => (Array.isArray(value) ? value.map(nodeText) : [value]);
    const rights = all(right);
    this.spend(rights.length);
    return all(left).some((a) => rights.some((b) => this.same(a, b) === wanted));
  }
  same(a, b) {
    if (typeof a !== "string" || typeof b !== "string") return this.number(a) === this.number(b);
    if (a === b) return true;
    const [one, other] = [readMoment(a), readMoment(b)];
    return Boolean(one && other && one.ms === other.ms);
  }
  ordered(sign, left, right) {
    const all = (value) => (Array.isArray(value) ? value.map((node) => textNumber(nodeText(node))) : [this.number(value)]);
    const holds = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b }[sign];
    const rights = all(right);
    return all(left).some((a) => rights.some((b) => holds(a, b)));
  }
  path([, start, steps], focus) {
    let nodes;
    let rest = steps;
    if (start === ".") nodes = [focus.node];
    else if (start === "/") [nodes, rest] = this.fromRoot(steps, focus);
    else {
      nodes = this.value(start[0], focus);
      if (!Array.isArray(nodes)) throw new Error("no path");
      for (const predicate of start[1]) nodes = this.filter(nodes, predicate, focus);
    }
    for (const step of rest) nodes = this.step(nodes, step, focus);
    return nodes;
  }
  fromRoot(steps, focus) {
    const root = rootOf(focus.current);
    if (!steps.length) return [[root], steps];
    const [[axis, test, predicates], ...after] = steps;
    if (axis !== "child") {
      let nodes = this.reached(root, "descendant-or-self").filter((node) => this.passes(node, test));
      for (const predicate of predicates) nodes = this.filter(nodes, predicate, focus);
      if (after.length && after[0][0] === "child") {
        nodes = nodes.filter((node) => this.passes(node, after[0][1]));
        for (const predicate of after[0][2]) nodes = this.filter(nodes, predicate, focus);
        return [nodes, after.slice(1)];
      }
      return [nodes, after];
    }
    let nodes = this.passes(root, test) ? [root] : [];
    for (const predicate of predicates) nodes = this.filter(nodes, predicate, focus);
    let rest = after;
    if (focus.own !== false && !predicates.length && nodes.length) {
      const own = [];
      for (let at = focus.current; at.parent; at = at.parent) own.unshift(at);
      while (own.length && rest.length > 1) {
        const [stepAxis, stepTest, stepPredicates] = rest[0];
        if (stepAxis !== "child" || stepPredicates.length || !sameName(stepTest, own[0].name)) break;
        nodes = [own.shift()];
        rest = rest.slice(1);
      }
    }
    return [nodes, rest];
  }
  step(nodes, [axis, test, predicates], focus) {
    const found = [];
    for (const node of nodes) {
      // There are no text nodes: an element's text stands for it.
      const near = axis === "child" && test === "text()" ? [node] : this.reached(node, axis);
      let reached = near.filter((other) => this.passes(other, test));
      for (const predicate of predicates) reached = this.filter(reached, predicate, focus);
      found.push(...reached);
    }
    return axis === "child" || axis === "self" || axis === "attribute" ? found : inOrder(found);
  }
  filter(nodes, predicate, focus) {
    return nodes.filter((node, index) => {
      const value = this.value(predicate, { ...focus, node, position: index + 1, size: nodes.length });
      return typeof value === "number" ? value === index + 1 : this.bool(value);
    });
  }
  reached(node, axis) {
    const above = (from) => (from ? [from, ...above(from.parent)] : []);
    const below = (from) => [from, ...from.kids.flatMap(below)];
    const beside = (from, after) => {
      if (!from.parent) return [];
      const at = from.parent.kids.indexOf(from);
      return after ? from.parent.kids.slice(at + 1) : from.parent.kids.slice(0, at).reverse();
    };
    const nodes = {
      child: () => node.kids,
      self: () => [node],
      parent: () => (node.parent ? [node.parent] : []),
      attribute: () => node.attrs,
      ancestor: () => above(node.parent),
      "ancestor-or-self": () => above(node),
      descendant: () => below(node).slice(1),
      "descendant-or-self": () => below(node),
      "following-sibling": () => beside(node, true),
      "preceding-sibling": () => beside(node, false),
      following: () => inOrder(above(node).flatMap((from) => beside(from, true)).flatMap(below)),
      preceding: () => inOrder(above(node).flatMap((from) => beside(from, false)).flatMap(below)).reverse(),
    }[axis]();
    this.spend(nodes.length);
    return nodes;
  }
  passes(node, test) {
    if (test === "*" || test === "node()") return true;
    if (test === "text()") return node.text !== "";
    return test !== "!" && sameName(test, node.name);
  }
  call(name, args, focus) {
    const made = FUNCTIONS[name];
    if (!made) throw new Error(name + " is not worked out here");
    const call = {
      it: this, focus, args, count: args.length,
      value: (at) => (at < args.length ? this.value(args[at], focus) : []),
      here: (at) => (args.length ? call.value(at) : [focus.node]),
      text: (at) => this.text(call.here(at)),
      number: (at) => this.number(call.here(at)),
      bool: (at) => this.bool(call.value(at)),
      nodes: (at) => { const value = call.value(at); if (!Array.isArray(value)) throw new Error("no path"); return value; },
      one: (at) => { const value = call.value(at); return Array.isArray(value) ? this.text(value) : value; },
      all: (from) => args.slice(from).flatMap((ast) => { const value = this.value(ast, focus); return Array.isArray(value) ? value.map(nodeText) : [value]; }),
      numbers: (from) => call.all(from).map((value) => this.number(value)),
    };
    return made(call);
  }
}

function momentOf(call, at) {
  const value = call.value(at);
  const ofDays = (days) => (Number.isFinite(days) && Math.abs(days) < 3e6 ? new Moment(days * DAY, here(days * DAY)) : null);
  if (value instanceof Moment || value === null) return value;
  if (typeof value === "number") return ofDays(value);
  if (typeof value === "boolean") return null;
  const text = call.it.text(value).trim();
  return readMoment(text) || (/^-?\d+(\.\d+)?$/.test(text) ? ofDays(Math.trunc(Number(text))) : null);
}
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
function formatDate(call) {
  const moment = momentOf(call, 0);
  if (!moment) return "";
  const at = local(moment);
  const parts = {
    Y: () => String(at.getUTCFullYear()).padStart(4, "0"), y: () => two(at.getUTCFullYear() % 100),
    m: () => two(at.getUTCMonth() + 1), n: () => at.getUTCMonth() + 1, b: () => MONTHS[at.getUTCMonth()],
    d: () => two(at.getUTCDate()), e: () => at.getUTCDate(), H: () => two(at.getUTCHours()), h: () => at.getUTCHours(),
    M: () => two(at.getUTCMinutes()), S: () => two(at.getUTCSeconds()), 3: () => String(at.getUTCMilliseconds()).padStart(3, "0"),
    a: () => DAYS[at.getUTCDay()], "%": () => "%",
  };
  return call.text(1).replace(/%(.)/g, (all, part) => (parts[part] ? String(parts[part]()) : all));
}
function round(call) {
  const [number, digits] = [call.number(0), call.count > 1 ? Math.trunc(call.number(1)) : 0];
  if (Number.isNaN(digits)) return NaN;
  if (!Number.isFinite(number) || Math.abs(digits) > 300) return number;
  const away = (value) => Math.sign(value) * Math.round(Math.abs(value));
  const power = 10 ** Math.abs(digits);
  return digits > 0 ? away(number * power) / power : away(number / power) * power;
}
const extreme = (call, of) => { const all = call.numbers(0); return all.length && !all.some(Number.isNaN) ? of(...all) : NaN; };
const isYes = (value) => (typeof value === "string" ? value.trim() !== "" : Boolean(value));
const within = (call, count) => {
  const [least, most] = [call.number(0), call.number(1)];
  return (least < 0 || count >= least) && (most < 0 || count <= most);
};
const tokens = (text) => text.trim().split(/\s+/).filter(Boolean);
function shuffle(call) {
  const nodes = [...call.nodes(0)];
  let state = null;
  if (call.count > 1) {
    state = Math.trunc(call.number(1)) % 2147483647;
    if (state <= 0) state += 2147483646;
  }
  const next = () => {
    if (state === null) return Math.random();
    state = Number((BigInt(state) * 16807n) % 2147483647n);
    return (state - 1) / 2147483646;
  };
  for (let i = nodes.length - 1; i > 0; i--) {
    const at = Math.floor(next() * (i + 1));
    [nodes[i], nodes[at]] = [nodes[at], nodes[i]];
  }
  return nodes;
}
function withoutEnd(text) {
  let end = text.length;
  while (end > 0 && "; ".includes(text[end - 1])) end--;
  return text.slice(0, end);
}
function points(call) {
  const texts = call.all(0).flatMap((value) => withoutEnd(call.it.text(value)).split(";"));
  const all = texts.map((text) => {
    const [lat, lon] = tokens(text).map(Number);
    return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat * Math.PI / 180, lon * Math.PI / 180] : null;
  });
  return all.length && all.every(Boolean) ? all : null;
}
const EARTH = 6378100;
const cents = (number) => Math.round(number * 100) / 100;
function area(call) {
  const all = points(call);
  if (!all) return NaN;
  if (all.length < 3) return 0;
  const sum = all.reduce((total, a, i) => {
    const b = all[(i + 1) % all.length];
    return total + (b[1] - a[1]) * (2 + Math.sin(a[0]) + Math.sin(b[0]));
  }, 0);
  return cents(Math.abs(sum * EARTH * EARTH / 2));
}
function distance(call) {
  const all = points(call);
  if (!all) return NaN;
  let total = 0;
  for (let i = 1; i < all.length; i++) {
    const [a, b] = [all[i - 1], all[i]];
    const cos = Math.sin(a[0]) * Math.sin(b[0]) + Math.cos(a[0]) * Math.cos(b[0]) * Math.cos(b[1] - a[1]);
    total += Math.acos(Math.min(1, Math.max(-1, cos))) * EARTH;
  }
  return cents(total);
}
function indexedRepeat(call) {
  const everywhere = { ...call.focus, own: false };
  const all = (at) => call.it.value(call.args[at], everywhere);
  const position = (node) => node.parent.kids.filter((other) => other.name === node.name).indexOf(node) + 1;
  let targets = all(0);
  for (let pair = 1; pair < call.count; pair += 2) {
    const [rows, index] = [all(pair), call.number(pair + 1)];
    targets = targets.filter((target) => {
      for (let at = target; at; at = at.parent) if (rows.includes(at)) return position(at) === index;
      return false;
    });
  }
  return targets;
}
const one = (of) => (call) => of(call.number(0));
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FUNCTIONS = {
  today: () => { const now = Date.now(); const at = new Date(now); return new Moment(new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime(), here(now)); },
  now: () => new Moment(Date.now(), here(Date.now())),
  date: (call) => momentOf(call, 0), "date-time": (call) => momentOf(call, 0),
  "decimal-date-time": (call) => { const moment = momentOf(call, 0); return moment ? momentDays(moment) : NaN; },
  "decimal-time": (call) => { const time = readTime(call.text(0).trim()); if (!time) return NaN;
    const ms = time.offset === null ? time.ms : time.ms + (here(Date.now()) - time.offset) * 60000;
    return (((ms % DAY) + DAY) % DAY) / DAY;
  },
  "format-date": formatDate, "format-date-time": formatDate,
  area, "enclosed-area": area, distance,
  count: (call) => call.nodes(0).length,
  "count-non-empty": (call) => call.nodes(0).filter((node) => nodeText(node) !== "").length,
  position: (call) => {
    if (!call.count) return call.focus.position;
    // A row keeps its place also while it is not asked.
    const [node] = call.args[0][0] === "p" ? call.it.path(call.args[0], call.focus) : call.nodes(0);
    return node.parent ? node.parent.kids.filter((other) => other.name === node.name).indexOf(node) + 1 : 1;
  },
  last: (call) => call.focus.size,
  current: (call) => [call.focus.current],
  instance: (call) => { const root = call.it.world.instance(call.text(0)); if (!root) throw new Error("no such instance"); return [root]; },
  name: (call) => { const [node] = call.here(0); return node ? node.name : ""; },
  "local-name": (call) => { const [node] = call.here(0); return node ? localName(node.name) : ""; },
  once: (call) => nodeText(call.focus.node) || call.text(0),
  randomize: shuffle, "indexed-repeat": indexedRepeat,
  pulldata: (call) => {
    const root = call.it.world.instance(call.text(0));
    const cell = (item, name) => item.kids.find((kid) => kid.name === name);
    const [column, key, wanted] = [call.text(1), call.text(2), call.text(3)];
    const item = root && root.kids.find((kid) => cell(kid, key) && cell(kid, key).text === wanted);
    return item && cell(item, column) ? cell(item, column).text : "";
  },
  "jr:choice-name": (call) => call.it.world.choiceName(call.text(0), call.args[1], call.focus),
  number: one((n) => n), int: one(Math.trunc), abs: one(Math.abs), floor: one(Math.floor), ceiling: one(Math.ceil), round,
  pow: (call) => call.number(0) ** call.number(1), sqrt: one(Math.sqrt), exp: one(Math.exp), exp10: one((n) => 10 ** n),
  log: one(Math.log), log10: one(Math.log10), sin: one(Math.sin), cos: one(Math.cos), tan: one(Math.tan), asin: one(Math.asin),
  acos: one(Math.acos), atan: one(Math.atan), atan2: (call) => Math.atan2(call.number(0), call.number(1)), pi: () => Math.PI,
  sum: (call) => call.numbers(0).reduce((a, b) => a + b, 0),
  min: (call) => extreme(call, Math.min), max: (call) => extreme(call, Math.max),
  true: () => true, false: () => false, boolean: (call) => call.bool(0), not: (call) => !call.bool(0),
  "boolean-from-string": (call) => ["1", "true"].includes(call.text(0)),
  if: (call) => (call.bool(0) ? call.value(1) : call.value(2)),
  checklist: (call) => within(call, call.all(2).filter(isYes).length),
  "weighted-checklist": (call) => {
    let weight = 0;
    for (let at = 2; at + 1 < call.count; at += 2) if (isYes(call.one(at))) weight += call.number(at + 1) || 0;
    return within(call, weight);
  },
  random: () => Math.random(),
  string: (call) => call.text(0), concat: (call) => call.all(0).map((value) => call.it.text(value)).join(""),
  join: (call) => call.all(1).map((value) => call.it.text(value)).join(call.text(0)),
  "starts-with": (call) => call.text(0).startsWith(call.text(1)), "ends-with": (call) => call.text(0).endsWith(call.text(1)),
  contains: (call) => call.text(0).includes(call.text(1)),
  "substring-before": (call) => { const at = call.text(0).indexOf(call.text(1)); return at < 0 ? "" : call.text(0).slice(0, at); },
  "substring-after": (call) => { const at = call.text(0).indexOf(call.text(1)); return at < 0 ? "" : call.text(0).slice(at + call.text(1).length); },
  substring: (call) => {
    const [text, start] = [[...call.text(0)], Math.floor(call.number(1) + 0.5)];
    const end = call.count > 2 ? start + Math.floor(call.number(2) + 0.5) : Infinity;
    return text.filter((_, at) => at + 1 >= start && at + 1 < end).join("");
  },
  substr: (call) => { const text = [...call.text(0)]; return text.slice(call.number(1) || 0, call.count > 2 ? call.number(2) || 0 : undefined).join(""); },
  "string-length": (call) => call.text(0).length, "normalize-space": (call) => tokens(call.text(0)).join(" "),
  translate: (call) => { const [from, to] = [[...call.text(1)], [...call.text(2)]]; return [...call.text(0)].map((c) => (from.includes(c) ? to[from.indexOf(c)] || "" : c)).join(""); },
  "upper-case": (call) => call.text(0).toUpperCase(), "lower-case": (call) => call.text(0).toLowerCase(),
  regex: (call) => occurs(call.text(1), call.text(0)),
  selected: (call) => call.text(0).split(" ").includes(call.text(1).trim()),
  "selected-at": (call) => tokens(call.text(0))[call.number(1)] || "", "count-selected": (call) => tokens(call.text(0)).length,
  coalesce: (call) => { for (let at = 0; at < call.count; at++) { const text = call.text(at); if (text) return text; } return ""; },
  "base64-decode": (call) => { try { return new TextDecoder().decode(Uint8Array.from(atob(call.text(0).trim()), (c) => c.charCodeAt(0))); } catch { return ""; } },
  uuid: (call) => (call.count ? Array.from({ length: Math.min(1024, Math.max(0, Math.trunc(call.number(0)) || 0)) }, () => letters[Math.floor(Math.random() * 62)]).join("") : crypto.randomUUID()),
};
