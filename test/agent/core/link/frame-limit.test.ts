import { describe, expect, test } from "vitest";
import { hasValidChecksum } from "../../../../agent/src/core/checksum.ts";
import { limitFrame } from "../../../../agent/src/core/link/frame-limit.ts";
import { encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";

const ETHERNET = "02000000000202000000000108";

const hexOf = (octets: Uint8Array | undefined): string => Buffer.from(octets ?? []).toString("hex");

/** A frame with an IPv4 packet of this length, from 192.168.1.2 to 198.18.0.9. */
function ipv4Frame(octets: number, fragmentField: string, protocol = "11"): Uint8Array {
  const length = octets.toString(16).padStart(4, "0");
  const header = `4500${length}0001${fragmentField}40${protocol}0000c0a80102c6120009`;
  const data = Buffer.from(Array.from({ length: octets - 20 }, (_, i) => (i < 8 ? 0 : i % 251)));
  return new Uint8Array(Buffer.concat([Buffer.from(`${ETHERNET}00${header}`, "hex"), data]));
}

function ipv6Frame(octets: number): Uint8Array {
  const packet = encodeUdpInIpv6({
    source: { ip: "2001:db8:a::100", port: 9 },
    destination: { ip: "2001:db8:b::200", port: 9 },
    payload: new Uint8Array(octets - 48),
  });
  return new Uint8Array(Buffer.concat([Buffer.from(`02000000000202000000000186dd`, "hex"), packet]));
}

describe("a link with an MTU of 1280 octets", () => {
  const limit = { mtuOctets: 1280 };

  test("carries what is no larger, and what is no IP at all", () => {
    for (const frame of [ipv4Frame(1280, "4000"), ipv6Frame(1280), ipv4Frame(60, "0000"), new Uint8Array(9)])
      expect(limitFrame(frame, limit)).toEqual({ forward: [frame] });
  });

  test("answers a larger IPv4 packet that must not be fragmented with ICMP, its MTU and its beginning", () => {
    const frame = ipv4Frame(1281, "4000");
    const { forward, back = new Uint8Array(0), dropped } = limitFrame(frame, limit);
    expect({ forward, dropped }).toEqual({ forward: [], dropped: "too-big" });
    expect(hexOf(back.subarray(0, 14))).toBe("0200000000010200000000020800");
    expect(hexOf(back.subarray(26, 34))).toBe("c6120009c0a80102");
    expect(hexOf(back.subarray(34, 36))).toBe("0304");
    expect(hexOf(back.subarray(38, 42))).toBe("00000500");
    expect(hexOf(back.subarray(42))).toBe(hexOf(frame.subarray(14, 14 + 548)));
    expect(hasValidChecksum(back.subarray(14, 34)) && hasValidChecksum(back.subarray(34))).toBe(true);
  });

  test("answers a larger IPv6 packet with Packet Too Big", () => {
    const { forward, back = new Uint8Array(0) } = limitFrame(ipv6Frame(1300), limit);
    expect(forward).toEqual([]);
    expect(hexOf(back.subarray(54, 56))).toBe("0200");
    expect(hexOf(back.subarray(58, 62))).toBe("00000500");
    expect(back.length).toBe(14 + 1280);
    const pseudoHeader = Buffer.concat([back.subarray(22, 54), Buffer.from("000004d80000003a", "hex")]);
    expect(hasValidChecksum(pseudoHeader, back.subarray(54))).toBe(true);
  });

  test("fragments a larger IPv4 packet that may be", () => {
    const frame = ipv4Frame(1500, "0000");
    const { forward } = limitFrame(frame, limit);
    expect(forward.map((each) => [each.length - 14, hexOf(each.subarray(20, 22))])).toEqual([
      [1276, "2000"],
      [244, "009d"],
    ]);
    expect(forward.every((each) => hasValidChecksum(each.subarray(14, 34)))).toBe(true);
    expect(hexOf(Buffer.concat(forward.map((each) => each.subarray(34))))).toBe(hexOf(frame.subarray(34)));
  });

  test("answers neither errors nor groups", () => {
    const error = ipv4Frame(1300, "4000", "01");
    error[34] = 3;
    const group = ipv4Frame(1300, "4000");
    group[0] = 3;
    for (const frame of [error, group]) expect(limitFrame(frame, limit)).toEqual({ forward: [], dropped: "too-big" });
  });

  test("says nothing where it is silent, and fragments nothing then", () => {
    for (const frame of [ipv4Frame(1281, "4000"), ipv4Frame(1281, "0000"), ipv6Frame(1281)])
      expect(limitFrame(frame, { ...limit, isSilent: true })).toEqual({ forward: [], dropped: "too-big" });
  });
});

test("a link that drops fragments drops all of them, of both IP versions, and nothing else", () => {
  const whole = ipv6Frame(100);
  const fragment = ipv6Frame(100);
  fragment[20] = 44;
  const limit = { dropsFragments: true };
  for (const frame of [ipv4Frame(100, "2000"), ipv4Frame(100, "0010"), fragment])
    expect(limitFrame(frame, limit)).toEqual({ forward: [], dropped: "fragment" });
  for (const frame of [ipv4Frame(100, "4000"), whole]) expect(limitFrame(frame, limit)).toEqual({ forward: [frame] });
});
