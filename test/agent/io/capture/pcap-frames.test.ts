import { expect, test } from "vitest";
import { createFrameCounter } from "../../../../agent/src/io/capture/pcap-frames.ts";

/** A pcap file with frames of these lengths. */
function pcap(...lengths: readonly number[]): Buffer {
  const frames = lengths.map((length) => {
    const frame = Buffer.alloc(16 + length, 0xff);
    frame.writeUInt32LE(length, 8);
    return frame;
  });
  return Buffer.concat([Buffer.alloc(24), ...frames]);
}

test("every frame counts once it is whole, in pieces of whatever size", () => {
  const file = pcap(60, 0, 1500, 1);
  for (let size = 1; size <= file.length; size += 1) {
    const frames = createFrameCounter();
    for (let at = 0; at < file.length; at += size) frames.add(file.subarray(at, at + size));
    expect(frames.count(), `pieces of ${size}`).toBe(4);
  }
});

test("a frame that has not come whole does not count", () => {
  const file = pcap(60, 100);
  const counts = [0, 24, 39, 40, 99, 100, 116, 215, 216].map((length) => {
    const frames = createFrameCounter();
    frames.add(file.subarray(0, length));
    return frames.count();
  });
  expect(counts).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 2]);
});
