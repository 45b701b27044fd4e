// velocityjs: CPU time of one render. `node bench.js SECONDS CASE.json ...` prints a JSON object a line:
// case, mode, ns, output. The template is parsed once; paths are split once and walked by hand, which is
// faster than any JSONPath package.
'use strict';
const fs = require('fs');
const { createRequire } = require('module');
const { parse, Compile } = createRequire(process.env.VELOCITYJS_HOME + '/')('velocityjs');

const SLICES = 7;
const paths = new Map();

function read(document, path) {
  let steps = paths.get(path);
  if (!steps) paths.set(path, (steps = path.match(/[^.$[\]]+/g) || []));
  let value = document;
  for (const step of steps) {
    if (value === null || value === undefined) return undefined;
    value = value[step];
  }
  return value;
}

const ESCAPES = { '\\': '\\\\', '"': '\\"', "'": "\\'", '/': '\\/', '\b': '\\b', '\n': '\\n', '\t': '\\t', '\f': '\\f', '\r': '\\r' };
const util = {
  escapeJavaScript: text => String(text).replace(/["'\\/\u0000-\u001f\u007f-\uffff]/g, c =>
    ESCAPES[c] || '\\u' + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')),
};

function render(ast, aws, parsed) {
  const { path, querystring, header } = aws.params;
  const params = { path, querystring, header };
  let document = parsed;
  const whole = () => (document === undefined ? (document = JSON.parse(aws.body)) : document);
  const input = {
    body: aws.body,
    path: p => read(whole(), p),
    json: p => { const value = read(whole(), p); return value === undefined ? '""' : JSON.stringify(value); },
    params: name => (name === undefined ? params : path[name] || querystring[name] || header[name] || ''),
  };
  return new Compile(ast).render({ input, util, context: aws.context, stageVariables: aws.stageVariables });
}

let sink = 0;
function time(run, seconds) {
  const begin = process.cpuUsage();
  let count = 0, us = 0;
  do {
    for (let i = 0; i < 20; i++) sink += run().length;
    count += 20;
    const used = process.cpuUsage(begin);
    us = used.user + used.system;
  } while (us < seconds * 1e6);
  return (us * 1000) / count;
}

const [seconds, ...files] = process.argv.slice(2);
for (const file of files) {
  const { id, template, aws } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const ast = parse(template);
  const document = JSON.parse(aws.body);
  for (const [mode, run] of [['parsed', () => render(ast, aws, document)], ['parsing', () => render(ast, aws, undefined)]]) {
    time(run, seconds / 2);
    const slices = Array.from({ length: SLICES }, () => time(run, seconds / 2 / SLICES)).sort((a, b) => a - b);
    console.log(JSON.stringify({ case: id, mode, ns: slices[SLICES >> 1], output: run() }));
  }
}
