// Wraps a core module as a component: wasm-tools `component embed` and `component new`, as
// compiled into the npm package @bytecodealliance/jco-transpile (its dist/wasm-tools.js).
//
//   node component.mjs WASM_TOOLS WIT_FOLDER WORLD core.wasm out.wasm [eryx.wasm]
//
// eryx.wasm is the adapter that answers what the core module imports from "eryx".
//
// The WIT is handed over as one text with nested packages, because the tools' own reading of
// folders needs a file system that the package does not give them in every version.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

function fail(what, error) {
  const text = String(error?.payload ?? error?.message ?? error).trim();
  console.error(`eryx-build component: ${what}: ${text}`);
  process.exit(1);
}

function attempt(what, work) {
  try {
    return work();
  } catch (error) {
    return fail(what, error);
  }
}

function witFiles(folder) {
  return readdirSync(folder).filter((name) => name.endsWith('.wit')).sort().map((name) => join(folder, name));
}

// `package name;` and what follows it becomes `package name { ... }`.
function nested(path) {
  const text = readFileSync(path, 'utf8');
  const package_ = /^package ([^;{]+);/m;
  if (!package_.test(text)) throw new Error(`${path} does not begin with a package`);
  return `${text.replace(package_, 'package $1 {')}\n}\n`;
}

function readWit(folder) {
  const own = witFiles(folder).map((path) => readFileSync(path, 'utf8'));
  return [...own, ...witFiles(join(folder, 'deps')).map(nested)].join('\n');
}

const [toolsFile, witFolder, world, input, output, stub] = process.argv.slice(2);
if (!output) fail('usage', 'component.mjs WASM_TOOLS WIT_FOLDER WORLD core.wasm out.wasm [eryx.wasm]');

const tools = await import(pathToFileURL(resolve(toolsFile))).catch((error) =>
  fail(`cannot load ${toolsFile}; run deps/fetch`, error));
const witSource = attempt(`cannot read the WIT in ${witFolder}`, () => readWit(witFolder));
const core = attempt(`cannot read ${input}`, () => readFileSync(input));
const adapters = stub ? [['eryx', attempt(`cannot read ${stub}`, () => readFileSync(stub))]] : [];

const embedded = await tools
  .componentEmbed({ binary: core, witSource, world, features: { tag: 'all' } })
  .catch((error) => fail(`the WIT in ${witFolder} does not fit the module`, error));
const component = await tools
  .componentNew(embedded, adapters)
  .catch((error) => fail(`the module does not implement world ${world}`, error));
const wit = await tools
  .componentWit(component)
  .catch((error) => fail('the component cannot be decoded', error));
attempt(`cannot write ${output}`, () => writeFileSync(output, component));
process.stdout.write(wit);
