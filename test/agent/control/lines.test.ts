import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLineSplitter } from "../../../agent/src/control/lines.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const line = (text: string): object => ({ ok: true, line: text });

describe("the line splitter", () => {
  test("gives complete lines and holds the unfinished one back", () => {
    const splitter = createLineSplitter();
    expect(splitter.push(bytes("a\nb\nc"))).toEqual([line("a"), line("b")]);
    expect(splitter.push(bytes("d\n"))).toEqual([line("cd")]);
  });

  test("gives empty lines as they are", () => {
    expect(createLineSplitter().push(bytes("\n\n"))).toEqual([line(""), line("")]);
  });

  test("copies what it holds, so that the caller may use its buffer again", () => {
    const splitter = createLineSplitter();
    const buffer = bytes("abc");
    splitter.push(buffer);
    buffer.fill(0);
    expect(splitter.push(bytes("\n"))).toEqual([line("abc")]);
  });

  test("never tears a character, wherever the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.integer({ min: 1, max: 7 }), (texts, size) => {
        const lines = texts.map((text) => text.replaceAll("\n", ""));
        const stream = bytes(lines.map((text) => `${text}\n`).join(""));
        const splitter = createLineSplitter();
        const found = [];
        for (let i = 0; i < stream.length; i += size) found.push(...splitter.push(stream.subarray(i, i + size)));
        expect(found).toEqual(lines.map((text) => line(new TextDecoder().decode(bytes(text)))));
      }),
    );
  });

  test("takes a line of exactly the longest length and leaves a longer one out, then goes on", () => {
    const splitter = createLineSplitter(4);
    expect(splitter.push(bytes("abcd\nabcde\nok\n"))).toEqual([line("abcd"), { ok: false, octets: 5 }, line("ok")]);
  });

  test("counts an endless line without holding it", () => {
    const splitter = createLineSplitter(4);
    for (let i = 0; i < 1000; i += 1) expect(splitter.push(bytes("xx"))).toEqual([]);
    expect(splitter.push(bytes("\n"))).toEqual([{ ok: false, octets: 2000 }]);
  });
});
