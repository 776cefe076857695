/**
 * What Node is started with in every node of a lab: runs the agent's program from the code that V8 made of it before.
 *
 * Node's own compile cache keeps what a file runs while it loads, and no function that is called later. Those of an agent
 * took a fifth of the processor time of a lab of six (measured on Node 24), so the functions of a whole life are kept,
 * in one file for every kind of node.
 */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { CODE_CACHE_VARIABLE } from "./control/messages.ts";

/** The program, `main.ts` as one CommonJS file, lies beside this one. */
const PROGRAM_NAME = "program.cjs";

/** Where code is kept when the environment names no file. */
const CODE_CACHE_NAME = "program.code";

/** Compiles everything, keeps it and ends: for an image, in which no node has run yet. */
const WARM_OPTION = "--warm";

/** What a CommonJS file sees; `main.ts` uses no other name of it. */
type Program = (module: { exports: ProgramExports }, require: NodeJS.Require, filename: string) => void;

/** What the program exports. */
interface ProgramExports {
  main?: (keepCode: () => void) => void;
}

const programPath = join(import.meta.dirname, PROGRAM_NAME);
const codePath = process.env[CODE_CACHE_VARIABLE] ?? join(import.meta.dirname, CODE_CACHE_NAME);

if (process.argv.includes(WARM_OPTION)) warm();
else launch();

function launch(): void {
  const code = readCode();
  const script = compile(code);
  // V8 refuses code of another version of itself.
  const isKept = code !== undefined && script.cachedDataRejected !== true;
  const { main } = run(script);
  main?.(isKept ? () => undefined : () => keep(script));
}

function readCode(): Buffer | undefined {
  try {
    return readFileSync(codePath);
  } catch {
    return undefined;
  }
}

/** V8 keeps functions that it has compiled; without laziness, all of them. Code made under other flags is refused. */
function warm(): void {
  setFlagsFromString("--no-lazy");
  const script = compile(undefined);
  run(script);
  setFlagsFromString("--lazy");
  keep(script);
}

function compile(cachedData: Buffer | undefined): Script {
  const source = `(function (module, require, __filename) {${readFileSync(programPath, "utf8")}\n})`;
  return new Script(source, { filename: programPath, ...(cachedData === undefined ? {} : { cachedData }) });
}

function run(script: Script): ProgramExports {
  const module: { exports: ProgramExports } = { exports: {} };
  // The text above says what the script's value is.
  const program = script.runInThisContext() as Program;
  program(module, createRequire(programPath), programPath);
  return module.exports;
}

/** Nodes of one kind may write at once: the file appears whole. Where nothing can be written, later starts are as slow. */
function keep(script: Script): void {
  const temporary = `${codePath}.${process.pid}.${process.hrtime.bigint()}`;
  try {
    writeFileSync(temporary, script.createCachedData());
    renameSync(temporary, codePath);
  } catch {
    rmSync(temporary, { force: true });
  }
}
