// Evaluates expressions with the evaluator of Enketo, for a test: reads {document, rows: [{path, kind, text}]} as JSON,
// writes the results as JSON, `{value}` or `{error}` each. Run with TZ=UTC.
'use strict';
const modules = process.argv[2];
const { JSDOM } = require(`${modules}/jsdom`);
const { window } = new JSDOM('');
for (const name of ['XPathEvaluator', 'XPathResult', 'Node', 'DOMParser']) globalThis[name] = window[name];
globalThis.document = window.document;
// Browsers take the kind of result for ANY_TYPE where none is given; jsdom refuses.
const create = XPathEvaluator.prototype.createExpression;
XPathEvaluator.prototype.createExpression = function (...given) {
  const expression = create.apply(this, given);
  return { evaluate: (node, kind = XPathResult.ANY_TYPE) => expression.evaluate(node, kind, null) };
};
const evaluator = require(`${modules}/openrosa-xpath-evaluator`)();

const kinds = {
  number: [XPathResult.NUMBER_TYPE, result => result.numberValue],
  text: [XPathResult.STRING_TYPE, result => result.stringValue],
  bool: [XPathResult.BOOLEAN_TYPE, result => result.booleanValue],
};

// As the table writes it: JSON has no NaN, and -0 is 0.
const written = value => (typeof value === 'number' && value === 0 ? '0' : String(value));

const { document: xml, rows } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const doc = new DOMParser().parseFromString(xml, 'text/xml');
const results = rows.map(({ path, kind, text }) => {
  try {
    const context = doc.evaluate(path, doc, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
    const [type, read] = kinds[kind];
    return { value: written(read(evaluator.evaluate(text, context, null, type))) };
  } catch (error) {
    return { error: String(error.message).split('\n')[0].slice(0, 200) };
  }
});
process.stdout.write(JSON.stringify(results));
