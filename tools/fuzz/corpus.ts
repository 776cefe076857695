/**
 * The corpus under `test/vectors/corpus`: one file per target, one line per input, hexadecimal. It holds inputs that
 * triggered something new, and inputs that once violated an invariant (`crashes/`).
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DIRECTORY = fileURLToPath(new URL("../../test/vectors/corpus/", import.meta.url));
const CRASHES = join(DIRECTORY, "crashes");

/** The kept inputs of a target; none if it has no file. */
export function readCorpus(target: string): readonly Uint8Array[] {
  return readHexLines(join(DIRECTORY, `${target}.hex`));
}

/** Inputs that once violated an invariant of this target. */
export function readCrashes(target: string): readonly Uint8Array[] {
  if (!existsSync(CRASHES)) return [];
  const files = readdirSync(CRASHES).filter((name) => name.startsWith(`${target}--`));
  return files.flatMap((name) => readHexLines(join(CRASHES, name)));
}

/** Longer inputs are not stored; their seed reproduces them. */
const MAX_KEPT_OCTETS = 1024;

/** Replaces the kept inputs of a target, shortest first. */
export function writeCorpus(target: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(DIRECTORY, { recursive: true });
  const small = inputs.filter((input) => input.length <= MAX_KEPT_OCTETS);
  const lines = small.toSorted((a, b) => a.length - b.length).map((input) => Buffer.from(input).toString("hex"));
  writeFileSync(join(DIRECTORY, `${target}.hex`), `${lines.join("\n")}\n`);
}

/** Stores an input that violated an invariant; returns the file. */
export function writeCrash(target: string, label: string, input: Uint8Array): string {
  mkdirSync(CRASHES, { recursive: true });
  const file = join(CRASHES, `${target}--${label}.hex`);
  writeFileSync(file, `${Buffer.from(input).toString("hex")}\n`);
  return file;
}

function readHexLines(file: string): readonly Uint8Array[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => new Uint8Array(Buffer.from(line, "hex")));
}
