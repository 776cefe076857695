import { expect, test } from "vitest";
import { printTo, writeLines } from "../../../orchestrator/commands/terminal-output.ts";

/** A stream that remembers. */
function createStream(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 80, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
}

const HOSTILE = "\u001b[2J\u001b]0;t\u0007\nfake.yaml:1:1 all is well\r\u009b31m\u202e\u2028\ud800\ttab";
const SHOWN = "\\u001b[2J\\u001b]0;t\\u0007\\nfake.yaml:1:1 all is well\\u000d\\u009b31m\\u202e\\u2028\\ud800\ttab";

test("whatever is printed is one line, in characters that show", () => {
  const [output, progress] = [createStream(false), createStream(false)];
  const { print, say } = printTo(output, progress, {});
  print(HOSTILE);
  say(HOSTILE);
  expect([output.written, progress.written]).toEqual([[`${SHOWN}\n`], [`${SHOWN}\n`]]);
});

test("on a terminal our own colours are kept, and nothing else of what a terminal obeys", () => {
  const terminal = createStream(true);
  const { say, status, paint } = printTo(terminal, terminal, {});
  say(`${paint.good("pass")}  ${HOSTILE}`);
  status?.(HOSTILE);
  expect(terminal.written).toEqual([
    `\r\u001b[K\u001b[32mpass\u001b[39m  ${SHOWN}\n`,
    `\r\u001b[K${SHOWN.slice(0, 79)}`,
  ]);
});

test("the colours of what a program printed are shown, not obeyed, also within our own", () => {
  const terminal = createStream(true);
  const { print, paint } = printTo(terminal, terminal, {});
  print(`\u001b[31m${paint.good("\u001b[1mpass")}`);
  expect(terminal.written).toEqual(["\\u001b[31m\u001b[32m\\u001b[1mpass\u001b[39m\n"]);
});

test("JSON is escaped and still means the same", () => {
  const output = createStream(false);
  printTo(output, createStream(false), {}).printJson({ text: HOSTILE, list: [1, 2] });
  const text = output.written.join("");
  expect(text).not.toMatch(/[^\n\t\x20-\x7e]/);
  expect(JSON.parse(text)).toEqual({ text: HOSTILE, list: [1, 2] });
});

test("an error of several lines keeps them", () => {
  const stream = createStream(false);
  writeLines(stream, "error: one\n  | two\u001b[2J");
  expect(stream.written.join("")).toBe("error: one\n  | two\\u001b[2J\n");
});
