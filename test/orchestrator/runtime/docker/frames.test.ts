import fc from "fast-check";
import { expect, test } from "vitest";
import { frameDemultiplexer } from "../../../../orchestrator/runtime/docker/frames.ts";

const STDOUT = 1;
const STDERR = 2;

function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Feeds `bytes` in chunks of the given lengths, in turn, and returns the content of each stream. */
function demultiplex(bytes: Buffer, pieceLengths: readonly number[]): { stdout: string; stderr: string } {
  const out = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const feed = frameDemultiplexer({
    stdout: (piece) => out.stdout.push(Buffer.from(piece)),
    stderr: (piece) => out.stderr.push(Buffer.from(piece)),
  });
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = pieceLengths[turn % pieceLengths.length] ?? 1;
    feed(bytes.subarray(at, at + length));
    at += length;
  }
  return { stdout: Buffer.concat(out.stdout).toString("hex"), stderr: Buffer.concat(out.stderr).toString("hex") };
}

test("separates stdout from stderr", () => {
  const bytes = Buffer.concat([frame(STDOUT, Buffer.from("ab")), frame(STDERR, Buffer.from("cd"))]);
  expect(demultiplex(bytes, [bytes.length])).toEqual({ stdout: "6162", stderr: "6364" });
});

test("hands a piece of a long frame on before the rest has arrived", () => {
  const pieces: string[] = [];
  const feed = frameDemultiplexer({
    stdout: (piece) => pieces.push(Buffer.from(piece).toString()),
    stderr: () => undefined,
  });
  feed(frame(STDOUT, Buffer.from("hello world")).subarray(0, 13));
  expect(pieces).toEqual(["hello"]);
});

test("takes an empty frame for nothing", () => {
  const bytes = Buffer.concat([frame(STDERR, Buffer.alloc(0)), frame(STDOUT, Buffer.from("x"))]);
  expect(demultiplex(bytes, [3])).toEqual({ stdout: "78", stderr: "" });
});

test("gives the same bytes however the stream is cut", () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(STDOUT, STDERR), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 10,
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(frames, cuts, (content, pieceLengths) => {
      const bytes = Buffer.concat(content.map(([stream, payload]) => frame(stream, payload)));
      const of = (wanted: number): string =>
        content.map(([stream, payload]) => (stream === wanted ? Buffer.from(payload).toString("hex") : "")).join("");
      expect(demultiplex(bytes, pieceLengths)).toEqual({ stdout: of(STDOUT), stderr: of(STDERR) });
    }),
  );
});
