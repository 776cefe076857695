import { describe, expect, test } from "vitest";
import { createReassembly, fragmentsOf, isMobilityFragment } from "../../../../agent/src/core/mip6/ipv6-fragment.ts";
import { encodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";

const ENDS = { source: "2001:db8:a::100", destination: "2001:db8:b::200" };

const packetOf = (octets: number, nextHeader: number = NEXT_HEADER.mobility): Uint8Array =>
  encodeIpv6Packet({ ...ENDS, nextHeader, payload: Uint8Array.from({ length: octets - 40 }, (_, i) => i % 251) });

const hexOf = (octets: Uint8Array | undefined): string => Buffer.from(octets ?? []).toString("hex");

describe("a packet in fragments", () => {
  test("has the headers of RFC 8200 section 4.5", () => {
    const [first, last, ...others] = fragmentsOf(packetOf(1400), 1076, 0x01020304);
    expect(others).toEqual([]);
    expect([first?.length, last?.length]).toEqual([1072, 384]);
    expect(hexOf(first?.subarray(0, 8))).toBe("6000000004082c40");
    expect(hexOf(first?.subarray(40, 48))).toBe("8700000101020304");
    expect(hexOf(last?.subarray(40, 48))).toBe("8700040001020304");
  });

  test.each([
    ["in order", (list: readonly Uint8Array[]) => list],
    ["the last one first", (list: readonly Uint8Array[]) => list.toReversed()],
    [
      "one of them twice",
      (list: readonly Uint8Array[]) => list.flatMap((each, i) => (i === 0 ? [each, each] : [each])),
    ],
  ])("is put together again: %s", (_how, order) => {
    const packet = packetOf(1440);
    const reassembly = createReassembly();
    const wholes = order(fragmentsOf(packet, 600, 7)).map((each) => reassembly.take(0, each, "home"));
    expect(wholes.filter((whole) => whole !== undefined).map(hexOf)).toEqual([hexOf(packet)]);
  });

  test("is divided further where it is a fragment itself", () => {
    const packet = packetOf(1440);
    const further = fragmentsOf(packet, 1280, 7).flatMap((each) => fragmentsOf(each, 500, 99));
    expect(further.every((each) => each.length <= 500 && isMobilityFragment(each))).toBe(true);
    const reassembly = createReassembly();
    expect(hexOf(further.map((each) => reassembly.take(0, each, "home")).at(-1))).toBe(hexOf(packet));
  });

  test("is never put together from two ways, from overlapping parts, or after a minute", () => {
    const [first = packetOf(50), last = packetOf(50)] = fragmentsOf(packetOf(1400), 1076, 7);
    const [, overlapping = packetOf(50)] = fragmentsOf(packetOf(1400), 800, 7);
    const reassembly = createReassembly();
    expect(reassembly.take(0, first, "home")).toBeUndefined();
    expect(reassembly.take(0, last, "198.18.0.9:4191")).toBeUndefined();
    expect(reassembly.take(60_000, last, "home")).toBeUndefined();
    const other = createReassembly();
    expect([overlapping, first, last].map((each) => other.take(0, each, "home"))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("is nothing that octets from the network can break", () => {
    const reassembly = createReassembly();
    const [first = packetOf(50)] = fragmentsOf(packetOf(1400), 1076, 7);
    for (let length = 0; length < 60; length += 1)
      expect(reassembly.take(0, first.subarray(0, length), "home")).toBeUndefined();
  });
});
