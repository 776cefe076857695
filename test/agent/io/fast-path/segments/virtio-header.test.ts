import { expect, test } from "vitest";
import {
  readVirtioHeader,
  VIRTIO_HEADER_LENGTH,
  writeJoinedHeader,
  writePlainHeader,
} from "../../../../../agent/src/io/fast-path/segments/virtio-header.ts";

test("the header of a packet that is whole asks for nothing", () => {
  const frame = new Uint8Array(12).fill(0xff);
  writePlainHeader(frame);
  expect([...frame]).toEqual([...Array<number>(VIRTIO_HEADER_LENGTH).fill(0), 0xff, 0xff]);
  expect(readVirtioHeader(frame)).toEqual({ checksumFrom: undefined, checksumAt: 0, segmentBytes: undefined });
});

test("the header of joined segments says how to part them, and is read back", () => {
  const frame = new Uint8Array(VIRTIO_HEADER_LENGTH);
  writeJoinedHeader(frame, 72, 1328);
  expect(Buffer.from(frame).toString("hex")).toBe("01044800300528001000");
  expect(readVirtioHeader(frame)).toEqual({ checksumFrom: 40, checksumAt: 16, segmentBytes: 1328 });
});

test.each([
  ["of another kind", 1, 1328],
  ["without a size", 4, 0],
])("segments %s are none", (_, kind, size) => {
  const frame = Uint8Array.from([1, kind, 72, 0, size & 0xff, size >> 8, 40, 0, 16, 0]);
  expect(readVirtioHeader(frame).segmentBytes).toBeUndefined();
});
