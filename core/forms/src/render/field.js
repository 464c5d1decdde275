// What a question takes for an answer, as core/forms/src/field.rs reads it: `kept` is what is kept of what was typed, and
// FITS says whether it is of the question's kind.
const TEXT_BYTES_MAX = 65536;
const DIGITS_MAX = 32;
const DIGITS = /^[-+]?\d+(\.\d+)?$/;
const CHOSEN = ["select_one", "select_multiple", "rank"];
const PLACED = ["geopoint", "geotrace", "geoshape"];
const FILES = ["image", "audio", "video", "file"];

// Digits of other scripts as those that every program reads.
function plainDigits(text) {
  return text.replace(/[\u0660-\u0669\u06f0-\u06f9\u066b\u2212]/g, (c) => {
    if (c === "\u066b") return ".";
    return c === "\u2212" ? "-" : String(c.charCodeAt(0) & 15);
  });
}
// A comma before decimals as a point, unless it may stand between thousands.
function withPoint(text) {
  const parts = /^([-+]?)(\d+),(\d+)$/.exec(text);
  const mayBeThousands = parts && parts[3].length === 3 && !/^0+$/.test(parts[2]);
  return parts && !mayBeThousands ? `${parts[1]}${parts[2]}.${parts[3]}` : text;
}
// `47,1 8,5` has two decimal commas, `47.1,8.5` one between the numbers.
function placeText(text) {
  const words = tokens(text.replace(/\u060c/g, ", "));
  const isDecimal = (word) => /^[-+]?\d+,\d+,?$/.test(word);
  const asPoint = (word) => (isDecimal(word) ? word.replace(",", ".") : word);
  const read = words.length > 1 && isDecimal(words[0]) && isDecimal(words[1]) ? words.map(asPoint) : words;
  return tokens(read.join(" ").replace(/,/g, " ")).join(" ");
}
function kept(kind, typed) {
  const text = typed.trim();
  if (text === "") return "";
  if (kind === "integer") return wholeText(plainDigits(text));
  if (kind === "range") return wholeText(withPoint(plainDigits(text)));
  if (kind === "decimal") return withPoint(plainDigits(text));
  if (kind === "date") return plainDigits(text);
  if (kind === "time" || kind === "dateTime") return withSeconds(plainDigits(text));
  if (PLACED.includes(kind)) return plainDigits(text).split(";").map(placeText).join(";");
  if (kind === "select_multiple" || kind === "rank") return tokens(text).join(" ");
  if (kind === "acknowledge") return text.toLowerCase() === "ok" ? "OK" : text;
  const asTyped = kind === "text" || kind === "barcode" ? typed : text;
  return asTyped.replace(/\r\n/g, "\n").replace(/[\u061c\u200e\u200f\r]/g, "").normalize("NFC");
}
const withSeconds = (text) => text.replace(/^([^T]*T)?(\d\d:\d\d)(?!:)/, "$&:00");
const wholeText = (text) => (isWhole(text) ? String(BigInt(text.replace("+", ""))) : text);
function isWhole(text) {
  if (!/^[-+]?\d{1,4000}$/.test(text)) return false;
  const number = BigInt(text.replace("+", ""));
  return number >= -(2n ** 63n) && number < 2n ** 63n;
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
const isDecimal = (text) => DIGITS.test(text) && text.replace(/^[-+]/, "").length <= DIGITS_MAX + 1;
const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && text >= "0001" && readMoment(text) !== null;
function isPoint(text) {
  const parts = tokens(text);
  const isPositive = (part) => part === undefined || Number(part) >= 0;
  return parts.length >= 2 && parts.length <= 4 && parts.every(isDecimal) && Math.abs(parts[0]) <= 90 && Math.abs(parts[1]) <= 180 && isPositive(parts[3]);
}
const placesOf = (text) => text.split(";").map((one) => one.trim()).filter(Boolean);
// Signs that nobody sees and no record keeps.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const FITS = {
  integer: isWhole,
  decimal: isDecimal,
  range: (text, node) => isDecimal(text) && isOnRange(Number(text), rangeOf(node)),
  date: isDay,
  time: (text) => text.length <= 32 && readTime(text) !== null,
  dateTime: (text) => isDay(text.split("T")[0]) && text.includes("T") && readMoment(text) !== null,
  geopoint: isPoint,
  geotrace: (text) => placesOf(text).length >= 2 && placesOf(text).every(isPoint),
  geoshape: (text) => { const all = placesOf(text); return all.length >= 4 && all.every(isPoint) && all[0] === all[all.length - 1]; },
  acknowledge: (text) => text === "OK",
};
function fits(node, text) {
  if (text === "") return true;
  if (text.length > TEXT_BYTES_MAX || new TextEncoder().encode(text).length > TEXT_BYTES_MAX) return false;
  if (FITS[node.kind]) return FITS[node.kind](text, node);
  return FILES.includes(node.kind) || !HIDDEN.test(text);
}
