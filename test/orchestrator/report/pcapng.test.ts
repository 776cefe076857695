import { expect, test } from "vitest";
import { mergeCaptures } from "../../../orchestrator/report/pcapng.ts";
import { pcapFile } from "../../support/pcap-file.ts";

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
    pcapFile([
      { seconds: 10, fraction: 5, bytes: [1] },
      { seconds: 12, fraction: 0, bytes: [3] },
    ]),
    pcapFile([{ seconds: 11, fraction: 0, bytes: [2] }]),
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
  const busy = {
    segment: "internet",
    description: "ha-a",
    streams: [pcapFile([{ seconds: 1, fraction: 0, bytes: [9] }])],
  };
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
  const streams = [pcapFile([{ seconds: 1, fraction: 0, bytes: [1, 2, 3], originalLength: 1500 }])];
  const { file } = mergeCaptures([{ segment: "w", description: "", streams }], "test");
  expect(packets(file)).toEqual([{ segment: 0, timeNs: 1_000_000_000n, original: 1500, bytes: [1, 2, 3] }]);
});
