import { expect, test } from "vitest";
import { mergeCaptures, readPcap } from "../../../orchestrator/report/pcapng.ts";

interface Frame {
  readonly seconds: number;
  readonly fraction: number;
  readonly bytes: readonly number[];
  readonly originalLength?: number;
}

/** A pcap file as an agent writes it. */
function pcap(frames: readonly Frame[], { littleEndian = true, magic = 0xa1b2c3d4 } = {}): Uint8Array {
  const words = (...values: number[]): number[] => {
    const view = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, i) => view.setUint32(i * 4, value, littleEndian));
    return [...new Uint8Array(view.buffer)];
  };
  const version = littleEndian ? [2, 0, 4, 0] : [0, 2, 0, 4];
  const header = [...words(magic), ...version, ...words(0, 0, 2048, 1)];
  const records = frames.flatMap(({ seconds, fraction, bytes, originalLength }) => [
    ...words(seconds, fraction, bytes.length, originalLength ?? bytes.length),
    ...bytes,
  ]);
  return Uint8Array.from([...header, ...records]);
}

/** The blocks of a pcapng file: type, and body without the two lengths. */
function blocks(file: Uint8Array): { type: number; body: DataView }[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found = [];
  let offset = 0;
  while (offset < file.length) {
    const length = view.getUint32(offset + 4, true);
    expect(length % 4).toBe(0);
    expect(view.getUint32(offset + length - 4, true)).toBe(length);
    found.push({ type: view.getUint32(offset, true), body: new DataView(file.buffer, offset + 8, length - 12) });
    offset += length;
  }
  expect(offset).toBe(file.length);
  return found;
}

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;

function packets(file: Uint8Array): { segment: number; timeNs: bigint; original: number; bytes: number[] }[] {
  return blocks(file)
    .filter(({ type }) => type === PACKET)
    .map(({ body }) => ({
      segment: body.getUint32(0, true),
      timeNs: (BigInt(body.getUint32(4, true)) << 32n) | BigInt(body.getUint32(8, true)),
      original: body.getUint32(16, true),
      bytes: [...new Uint8Array(body.buffer, body.byteOffset + 20, body.getUint32(12, true))],
    }));
}

test("streams of one segment join in the order of time, whichever node sent them", () => {
  const streams = [
    pcap([
      { seconds: 10, fraction: 5, bytes: [1] },
      { seconds: 12, fraction: 0, bytes: [3] },
    ]),
    pcap([{ seconds: 11, fraction: 0, bytes: [2] }]),
  ];
  const { file } = mergeCaptures([{ segment: "internet", description: "a, b", streams }], "test");
  expect(packets(file)).toEqual([
    { segment: 0, timeNs: 10_000_005_000n, original: 1, bytes: [1] },
    { segment: 0, timeNs: 11_000_000_000n, original: 1, bytes: [2] },
    { segment: 0, timeNs: 12_000_000_000n, original: 1, bytes: [3] },
  ]);
});

test("every segment is one interface with its name, also a silent one, and packets point at theirs", () => {
  const silent = { segment: "home-lan", description: "mn", streams: [] };
  const busy = { segment: "internet", description: "ha-a", streams: [pcap([{ seconds: 1, fraction: 0, bytes: [9] }])] };
  const { file, segments } = mergeCaptures([silent, busy], "test");
  expect(blocks(file).map(({ type }) => type)).toEqual([SECTION, INTERFACE, INTERFACE, PACKET]);
  const names = blocks(file).flatMap(({ type, body }) =>
    type === INTERFACE
      ? [new TextDecoder().decode(new Uint8Array(body.buffer, body.byteOffset + 12, body.getUint16(10, true)))]
      : [],
  );
  expect(names).toEqual(["home-lan", "internet"]);
  expect(packets(file)).toMatchObject([{ segment: 1 }]);
  expect(segments).toEqual([
    { segment: "home-lan", packets: 0, octets: 0 },
    { segment: "internet", packets: 1, octets: 1 },
  ]);
});

test("a frame that was cut short keeps its length on the wire", () => {
  const streams = [pcap([{ seconds: 1, fraction: 0, bytes: [1, 2, 3], originalLength: 1500 }])];
  const { file } = mergeCaptures([{ segment: "w", description: "", streams }], "test");
  expect(packets(file)).toEqual([{ segment: 0, timeNs: 1_000_000_000n, original: 1500, bytes: [1, 2, 3] }]);
});

test.each([
  ["little-endian microseconds", { littleEndian: true, magic: 0xa1b2c3d4 }, 7000n],
  ["big-endian microseconds", { littleEndian: false, magic: 0xa1b2c3d4 }, 7000n],
  ["little-endian nanoseconds", { littleEndian: true, magic: 0xa1b23c4d }, 7n],
  ["big-endian nanoseconds", { littleEndian: false, magic: 0xa1b23c4d }, 7n],
])("reads %s", (_, form, fractionNs) => {
  const found = readPcap(pcap([{ seconds: 2, fraction: 7, bytes: [5, 6] }], form));
  expect(found).toEqual([{ timeNs: 2_000_000_000n + fractionNs, originalLength: 2, frame: Uint8Array.of(5, 6) }]);
});

test("a stream cut off at any octet gives the whole records before the cut", () => {
  const whole = pcap([
    { seconds: 1, fraction: 0, bytes: [1, 2, 3] },
    { seconds: 2, fraction: 0, bytes: [4, 5] },
  ]);
  for (let length = 0; length <= whole.length; length += 1) {
    const expected = length < 24 + 16 + 3 ? 0 : length < whole.length ? 1 : 2;
    expect(readPcap(whole.subarray(0, length)), `${length} octets`).toHaveLength(expected);
  }
});

test("bytes that are no pcap file give no packets", () => {
  expect(readPcap(new Uint8Array(100).fill(0x41))).toEqual([]);
});
