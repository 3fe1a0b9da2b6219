// Checks that the component's WIT, as wasm-tools prints it, has the functions of the seed unchanged.
//
//   node wit.mjs WASM_TOOLS runtime.wasm
//
// WASM_TOOLS is dist/wasm-tools.js of the npm package @bytecodealliance/jco-transpile.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const SEED = {
  'wit-invoke':
    'import invoke: async func(name: string, arguments-json: string) -> result<string, string>;',
  'wit-list-callbacks': 'import list-callbacks: func() -> list<callback-info>;',
  'wit-report-trace':
    'import report-trace: func(lineno: u32, event-json: string, context-json: string);',
  'wit-callback-info':
    'record callback-info { name: string, description: string, parameters-schema-json: string, }',
  'wit-execute': 'export execute: async func(code: string) -> result<string, string>;',
  'wit-snapshot-state': 'export snapshot-state: func() -> result<list<u8>, string>;',
  'wit-restore-state': 'export restore-state: func(data: list<u8>) -> result<_, string>;',
  'wit-clear-state': 'export clear-state: func();',
};

const [toolsFile, component] = process.argv.slice(2);
const tools = await import(pathToFileURL(resolve(toolsFile)));
const wit = await tools.componentWit(readFileSync(component));
const world = wit.slice(wit.indexOf('world root {'), wit.indexOf('\n}\n')).replace(/\s+/g, ' ');
// What is imported beside the seed's functions must be WASI, or other hosts cannot run it.
const foreign = [...world.matchAll(/import ([^;]*);/g)]
  .map((found) => found[1])
  .filter((what) => !what.startsWith('wasi:') && !Object.values(SEED).includes(`import ${what};`));

let failed = 0;
function check(name, problem) {
  console.log(problem ? `FAIL ${name}: ${problem}` : `ok ${name}`);
  failed += problem ? 1 : 0;
}
for (const [name, line] of Object.entries(SEED)) {
  const key = line.slice(0, line.indexOf(/^record/.test(line) ? '{' : ':'));
  const got = new RegExp(`${key}[^;}]*[;}]`).exec(world)?.[0] ?? 'nothing';
  check(name, got === line ? '' : `expected '${line}', got '${got}'`);
}
check('wit-no-other-imports',
  foreign.length ? `expected functions of the seed and WASI, got ${foreign.join('; ')}` : '');
console.log(`${Object.keys(SEED).length + 1 - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
