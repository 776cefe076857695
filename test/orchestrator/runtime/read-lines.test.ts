import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readLines } from "../../../orchestrator/runtime/read-lines.ts";

async function linesOf(chunks: readonly string[], mostOctets?: number): Promise<readonly string[]> {
  return collect(readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk, "latin1"))), mostOctets));
}

async function collect(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test("lines are joined from pieces, also where a piece ends inside of a character", async () => {
  expect(await linesOf(["a\nb", "c\xc3", "\xa4\n", "rest"])).toEqual(["a", "bcä"]);
});

test("a line without end is not waited for", async () => {
  function* endless(): Generator<Buffer, undefined> {
    for (;;) yield Buffer.alloc(65_536, "x");
  }
  const reading = collect(readLines(Readable.from(endless())));
  await expect(reading).rejects.toThrow("a line went on for more than 4194304 octets");
});

test("many lines may come to more than one may", async () => {
  expect(await linesOf(["abc\nabc\na", "bc\nabc\n"], 4)).toHaveLength(4);
});
