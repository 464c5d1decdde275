// Fills forms with ODK's engine of Web Forms, for a test: reads [{name, xform, steps}] as JSON and writes for each what it
// shows after every step, [{ref: [value, violation, choices]}] of what is relevant, or {error}. Run with TZ=UTC.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [, , modules, now] = process.argv;
const require = createRequire(`${modules}/`);
const { JSDOM } = require('jsdom');
const { window } = new JSDOM('');
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis) && !name.endsWith('Storage')) globalThis[name] = window[name];
}
// The time that the forms are filled at.
const Clock = Date;
globalThis.Date = class extends Clock {
  constructor(...given) { super(...(given.length > 0 ? given : [Number(now)])); }
  static now() { return Number(now); }
};
// Chance, the same for a form in every run (Park and Miller).
const SEED = 20;
let state = SEED;
Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
// What its bundle takes for granted.
globalThis.__dirname = modules;
globalThis.require = require;
const { loadForm } = await import(`${modules}/@getodk/xforms-engine/dist/index.js`);

const text = xml => new window.DOMParser().parseFromString(xml, 'text/xml').documentElement.textContent;

function* nodes(node) {
  yield node;
  for (const child of node.currentState.children ?? []) yield* nodes(child);
}

const named = (root, ref) => {
  for (const node of nodes(root)) if (node.currentState.reference === ref) return node;
  throw new Error(`there is no ${ref}`);
};

const act = {
  answer(root, ref, value) {
    const node = named(root, ref);
    const words = value === '' ? [] : value.split(' ');
    if (node.nodeType === 'select') node.selectValues(words);
    else if (node.nodeType === 'rank') node.setValues(words);
    else if (node.nodeType === 'trigger') node.setValue(value !== '');
    else node.setValue(value);
  },
  add(root, ref) {
    const range = named(root, ref);
    range.addInstances();
    emptied(range.currentState.children.at(-1));
  },
  remove: (root, ref, index) => named(root, ref).removeInstances(index, 1),
};

// Web Forms begins every repeat with a row; here, as in Collect, a person is asked for the first one too.
function emptied(node) {
  const isOpen = one => one.nodeType === 'repeat-range:uncontrolled';
  for (const range of [...nodes(node)].filter(isOpen)) {
    const { length } = range.currentState.children;
    if (length > 0) range.removeInstances(0, length);
  }
}

function seen(root) {
  const shown = {};
  for (const node of nodes(root)) {
    const { relevant, children, reference, valueOptions } = node.currentState;
    if (!relevant || Array.isArray(children) || node.nodeType.includes('repeat')) continue;
    const value = text(`<x>${node.instanceState.instanceXML.replace(/<[^>]*>/g, '')}</x>`);
    const violation = node.validationState?.violation?.condition ?? '';
    shown[reference] = [value, violation, valueOptions ? valueOptions.map(one => one.value).join(' ') : ''];
  }
  return shown;
}

async function filled({ xform, beside, steps }) {
  state = SEED;
  const attachment = url => {
    const name = decodeURIComponent(String(url).split('/').pop());
    return name in beside ? new Response(beside[name]) : new Response('', { status: 404 });
  };
  const form = await loadForm(xform, {
    fetchFormAttachment: async url => attachment(url),
    missingResourceBehavior: 'BLANK',
  });
  if (form.status === 'failure') throw new Error(form.error.message);
  const { root } = form.createInstance();
  emptied(root);
  const states = [seen(root)];
  for (const [verb, ref, value] of steps) {
    try { act[verb](root, ref, value); } catch (error) { return { states, error: `${verb} ${ref} ${value}: ${error.message}` }; }
    states.push(seen(root));
  }
  return { states };
}

const results = [];
for (const one of JSON.parse(readFileSync(0, 'utf8'))) {
  results.push(await filled(one).catch(error => ({ states: [], error: String(error.message) })));
}
process.stdout.write(JSON.stringify(results));
