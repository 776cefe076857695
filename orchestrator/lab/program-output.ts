/** Finds the lines of a program's output that somebody waits for, and what a program says of itself. Pure. */

import { createLineSplitter } from "@testbed/agent/control";
import type { OutputListener } from "../runtime/runtime.ts";
import { createOutputMatcher } from "../topology/model/output-pattern.ts";
import type { HostWord } from "./lab-event.ts";

/** Octets of a line; of a longer one nothing is found. */
const LONGEST_LINE = 64 * 1024;

/** Characters of a line that an event keeps. */
const KEPT_CHARACTERS = 500;

/** Lines found for each pattern: a program may write without end. */
const MOST_FOUND = 1000;

/** How a program says something of itself: this, and a JSON object. */
const WORD_PREFIX = "MICE ";

export interface OutputObserver {
  readonly found: (pattern: string, line: string) => void;
  readonly said: (word: HostWord) => void;
}

export interface ProgramOutput {
  readonly add: OutputListener;
  /** The program has ended: its last line may have no newline. */
  readonly end: () => void;
}

export function createProgramOutput(patterns: readonly string[], observer: OutputObserver): ProgramOutput {
  const searches = [...new Set(patterns)].map((pattern) => ({
    pattern,
    isMatch: createOutputMatcher(pattern),
    found: 0,
  }));
  let words = 0;
  const take = (line: string): void => {
    for (const search of searches) {
      if (search.found >= MOST_FOUND || !search.isMatch(line)) continue;
      search.found += 1;
      observer.found(search.pattern, line.slice(0, KEPT_CHARACTERS));
    }
    const word = words < MOST_FOUND ? readWord(line) : undefined;
    if (word === undefined) return;
    words += 1;
    observer.said(word);
  };
  const splitters = { stdout: createLineSplitter(LONGEST_LINE), stderr: createLineSplitter(LONGEST_LINE) };
  const add: OutputListener = (stream, piece) => {
    for (const split of splitters[stream].push(piece)) if (split.ok) take(split.line.replace(/\r$/, ""));
  };
  return {
    add,
    end() {
      for (const stream of ["stdout", "stderr"] as const) add(stream, Buffer.from("\n"));
    },
  };
}

/** What a line `MICE {"path": …, "local": …, "remote": …}` says; undefined for other lines. */
function readWord(line: string): HostWord | undefined {
  if (!line.startsWith(WORD_PREFIX)) return undefined;
  const value = parseJson(line.slice(WORD_PREFIX.length));
  if (typeof value !== "object" || value === null) return undefined;
  const [path, local, remote] = [textOf(value, "path"), textOf(value, "local"), textOf(value, "remote")];
  if (path === undefined && local === undefined && remote === undefined) return undefined;
  return {
    ...(path === undefined ? {} : { path }),
    ...(local === undefined ? {} : { local }),
    ...(remote === undefined ? {} : { remote }),
  };
}

/** A field that is text; undefined for any other. */
function textOf(value: object, key: keyof HostWord): string | undefined {
  const field: unknown = Reflect.get(value, key);
  return typeof field === "string" ? field.slice(0, KEPT_CHARACTERS) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
