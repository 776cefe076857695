import { expect, test } from "vitest";
import type { HostWord } from "../../../orchestrator/lab/lab-event.ts";
import { createProgramOutput } from "../../../orchestrator/lab/program-output.ts";

function listen(...patterns: readonly string[]) {
  const found: string[] = [];
  const words: HostWord[] = [];
  const output = createProgramOutput(patterns, {
    found: (pattern, line) => found.push(`${pattern}: ${line}`),
    said: (word) => words.push(word),
  });
  const write = (text: string, stream: "stdout" | "stderr" = "stdout") => output.add(stream, Buffer.from(text));
  return { found, words, write, end: () => output.end() };
}

test("lines are found whatever pieces they come in, on either stream, the last one without a newline", () => {
  const { found, write, end } = listen("ready", "/bye$/");
  write("not yet\nalmost rea");
  write("I am ready\r\n", "stderr");
  write("dy here\ngood bye");
  expect(found).toEqual(["ready: I am ready", "ready: almost ready here"]);
  end();
  expect(found.at(-1)).toBe("/bye$/: good bye");
});

test("of a flood of lines the first thousand are found, and of a line without end nothing", () => {
  const { found, write } = listen("y");
  for (let i = 0; i < 50; i += 1) write("y\n".repeat(100));
  expect(found).toHaveLength(1000);
  const other = listen("z");
  for (let i = 0; i < 100; i += 1) other.write("z".repeat(10_000));
  other.write("\nz again\n");
  expect(other.found).toEqual(["z: z again"]);
});

test("a program says its path in a line of its own, of which unknown words are left out", () => {
  const { words, write } = listen();
  write(
    'MICE {"path": "direct", "local": "192.168.1.2:5000", "port": 3}\nMICE {"path": 7}\nMICE {\nMICE null\nso MICE {}\n',
  );
  expect(words).toEqual([{ path: "direct", local: "192.168.1.2:5000" }]);
});
