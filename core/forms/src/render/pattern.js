"use strict";
// Patterns of `regex(…)`, matched in steps that grow with pattern times text and never faster: a browser's own matcher goes
// back and forth, and a careless pattern would hang the page. What needs going back (`(?=…)`, `\1`) is not taken.
const STATES_MAX = 4000;
const PATTERN_STEPS_MAX = 5000000;
class NoPattern extends Error {}
const isWordSign = (c) => c !== undefined && /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u.test(c);
const CLASSES = {
  d: (c) => c >= "0" && c <= "9", w: (c) => /^[A-Za-z0-9_]$/.test(c), s: (c) => /\p{White_Space}/u.test(c),
};
const SIGNS = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\x07" };
const not = (test) => (c) => !test(c);

// Reads a pattern into a tree: ["is", test], ["all", parts], ["any", parts], ["times", part, least, most], ["at", holds].
class PatternReader {
  constructor(pattern) { this.signs = [...pattern]; this.at = 0; }
  next() { return this.signs[this.at]; }
  take(sign) { const is = this.next() === sign; if (is) this.at++; return is; }
  whole() {
    const read = this.any();
    if (this.at < this.signs.length) throw new NoPattern("unbalanced");
    return read;
  }
  any() {
    const parts = [this.all()];
    while (this.take("|")) parts.push(this.all());
    return parts.length === 1 ? parts[0] : ["any", parts];
  }
  all() {
    const parts = [];
    while (this.at < this.signs.length && this.next() !== "|" && this.next() !== ")") parts.push(this.times(this.one()));
    return ["all", parts];
  }
  times(part) {
    const ends = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] };
    let [least, most] = ends[this.next()] || [];
    if (least !== undefined) this.at++;
    else {
      const count = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.signs.slice(this.at, this.at + 12).join(""));
      if (!count) return part;
      this.at += count[0].length;
      least = Number(count[1]);
      most = count[2] === undefined ? least : count[3] === "" ? Infinity : Number(count[3]);
    }
    if (this.next() === "+" || most < least) throw new NoPattern("times");
    this.take("?");
    return this.times(["times", part, least, most]);
  }
  one() {
    const sign = this.signs[this.at++];
    switch (sign) {
      case "(": return this.group();
      case "[": return ["is", this.set()];
      case ".": return ["is", (c) => c !== "\n"];
      case "^": return ["at", (before) => before === undefined];
      case "$": return ["at", (before, after) => after === undefined];
      case "\\": return this.escaped();
      case "*": case "+": case "?": throw new NoPattern("nothing to repeat");
      default: return ["is", (c) => c === sign];
    }
  }
  group() {
    if (this.take("?")) {
      this.take("P");
      if (this.take("<")) {
        while (/^[A-Za-z0-9_]$/.test(this.next() || "")) this.at++;
        if (!this.take(">")) throw new NoPattern("looks back");
      } else if (!this.take(":")) throw new NoPattern("looks ahead, or has flags");
    }
    const inside = this.any();
    if (!this.take(")")) throw new NoPattern("unbalanced");
    return inside;
  }
  escaped() {
    const edge = { b: true, B: false }[this.next()];
    if (edge !== undefined) { this.at++; return ["at", (before, after) => (isWordSign(before) !== isWordSign(after)) === edge]; }
    if (this.next() === "A" || this.next() === "z") return this.signs[this.at++] === "A" ? ["at", (before) => before === undefined] : ["at", (_, after) => after === undefined];
    return ["is", this.sign().test];
  }
  // What stands behind a backslash: the sign itself, or a class of signs.
  sign() {
    const sign = this.signs[this.at++];
    if (sign === undefined) throw new NoPattern("ends");
    const lower = sign.toLowerCase();
    if (CLASSES[lower]) return { test: sign === lower ? CLASSES[lower] : not(CLASSES[lower]) };
    if (lower === "p") {
      const name = this.take("{") ? this.until("}") : this.signs[this.at++];
      if (!/^\^?[A-Za-z_=]+$/.test(name || "")) throw new NoPattern("property");
      let known;
      try { known = new RegExp(`^\\p{${name.replace("^", "")}}$`, "u"); } catch { throw new NoPattern("property"); }
      return { test: (c) => known.test(c) === (sign === "p" && !name.startsWith("^")) };
    }
    if (sign === "u" || sign === "x") {
      const digits = this.take("{") ? this.until("}") : this.signs.slice(this.at, (this.at += sign === "u" ? 4 : 2)).join("");
      if (!/^[0-9A-Fa-f]{1,6}$/.test(digits) || parseInt(digits, 16) > 0x10ffff) throw new NoPattern("number of a sign");
      return this.only(String.fromCodePoint(parseInt(digits, 16)));
    }
    if (SIGNS[sign]) return this.only(SIGNS[sign]);
    if (/^[A-Za-z0-9]$/.test(sign)) throw new NoPattern("refers back, or is not known");
    return this.only(sign);
  }
  only(sign) { return { sign, test: (c) => c === sign }; }
  until(end) {
    let read = "";
    while (this.next() !== end) { if (this.at >= this.signs.length) throw new NoPattern("ends"); read += this.signs[this.at++]; }
    this.at++;
    return read;
  }
  set() {
    const isNot = this.take("^");
    const tests = [];
    for (let isFirst = true; isFirst || this.next() !== "]"; isFirst = false) {
      if (this.at >= this.signs.length) throw new NoPattern("unbalanced");
      const from = this.member();
      if (from.sign !== undefined && this.next() === "-" && this.signs[this.at + 1] !== "]") {
        this.at++;
        const to = this.member();
        const [low, high] = [from.sign.codePointAt(0), (to.sign || "").codePointAt(0)];
        if (!(low <= high)) throw new NoPattern("range");
        tests.push((c) => c.codePointAt(0) >= low && c.codePointAt(0) <= high);
      } else tests.push(from.test);
    }
    this.at++;
    const within = (c) => tests.some((test) => test(c));
    return isNot ? not(within) : within;
  }
  member() {
    const sign = this.signs[this.at++];
    return sign === "\\" ? this.sign() : this.only(sign);
  }
}

// States: ["is", test, next], ["at", holds, next], ["to", [next …]], ["end"].
function statesOf(tree) {
  const states = [];
  let visits = 0;
  const add = (state) => { states.push(state); return states.length - 1; };
  const into = (part, next) => {
    if (++visits > STATES_MAX) throw new NoPattern("too large");
    switch (part[0]) {
      case "all": return part[1].reduceRight((after, one) => into(one, after), next);
      case "any": return add(["to", part[1].map((one) => into(one, next))]);
      case "times": return times(part, next);
      default: return add([part[0], part[1], next]);
    }
  };
  const times = ([, part, least, most], next) => {
    let after = next;
    if (most === Infinity) {
      const again = add(["to", []]);
      states[again][1] = [into(part, again), next];
      after = again;
    } else for (let more = least; more < most; more++) after = add(["to", [into(part, after), next]]);
    for (let must = 0; must < least; must++) after = into(part, after);
    return after;
  };
  const end = add(["end"]);
  return { states, begin: into(tree, end) };
}

const PATTERNS = new Map();
// What a pattern is matched with; throws where it cannot be.
function patternOf(pattern) {
  if (!PATTERNS.has(pattern)) {
    let made;
    try { made = statesOf(new PatternReader(pattern).whole()); } catch (error) { made = error; }
    if (PATTERNS.size > 200) PATTERNS.clear();
    PATTERNS.set(pattern, made);
  }
  const known = PATTERNS.get(pattern);
  if (known instanceof Error) throw known;
  return known;
}
function occurs(pattern, text) {
  const { states, begin } = patternOf(pattern);
  const signs = [...text];
  let steps = 0;
  let here = [];
  for (let at = 0; at <= signs.length; at++) {
    const seen = new Set();
    const waiting = [...here, begin];
    const there = [];
    while (waiting.length) {
      const number = waiting.pop();
      if (seen.has(number)) continue;
      seen.add(number);
      if (++steps > PATTERN_STEPS_MAX) throw new NoPattern("too many steps");
      const [kind, what, next] = states[number];
      if (kind === "end") return true;
      if (kind === "to") waiting.push(...what);
      else if (kind === "at") { if (what(signs[at - 1], signs[at])) waiting.push(next); }
      else if (at < signs.length && what(signs[at])) there.push(next);
    }
    here = there;
  }
  return false;
}
