import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressToBytes } from "../../../../agent/src/core/address.ts";
import { hasValidChecksum, internetChecksum, ipv6PseudoHeader } from "../../../../agent/src/core/checksum.ts";
import { createNat64Translator } from "../../../../agent/src/core/nat64/translator.ts";

const UDP = 17;
const ICMPV6 = 58;
const HOST = "2001:db8:1:1::c1a7:2";
const PEER = "64:ff9b::c612:5";

const translate = createNat64Translator({
  prefix: "64:ff9b::/96",
  networks: [{ ipv6: "2001:db8:1:1::/64", pool: "100.127.0.0/24" }],
});

const translated = (packet: Uint8Array): Uint8Array => {
  const result = translate(packet);
  if (result === undefined) throw new Error("dropped");
  return result;
};

function octets(...parts: readonly (number | readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part])));
}

const u16 = (value: number): number[] => [value >> 8, value & 0xff];

function ipv6(nextHeader: number, payload: Uint8Array, source = HOST, destination = PEER): Uint8Array {
  const addresses = [addressToBytes(source), addressToBytes(destination)] as const;
  return octets([0x6b, 0x80, 0, 0], u16(payload.length), nextHeader, 64, ...addresses, payload);
}

/** With a valid checksum, whose field is at `at`. */
function checked(message: Uint8Array, at: number, nextHeader: number, source = HOST, destination = PEER): Uint8Array {
  const pseudo = ipv6PseudoHeader({ source, destination, length: message.length, nextHeader });
  const whole = message.slice();
  whole.set(u16(internetChecksum(pseudo, message) || 0xffff), at);
  return whole;
}

const udp = (payload: readonly number[], checksum = 0): Uint8Array =>
  octets(u16(40000), u16(3478), u16(8 + payload.length), u16(checksum), payload);

/** The pseudo-header of RFC 768. */
function ipv4PseudoHeader(packet: Uint8Array): Uint8Array {
  return octets(packet.subarray(12, 20), 0, packet[9] ?? 0, u16(packet.length - 20));
}

test("UDP to IPv4: the addresses, the traffic class and both checksums", () => {
  const packet = translated(ipv6(UDP, checked(udp([1, 2, 3]), 6, UDP)));
  expect([...packet.subarray(0, 10)]).toEqual([0x45, 0xb8, 0, 31, 0, 0, 0, 0, 64, UDP]);
  expect(packet.subarray(12, 16).join(".")).toBe("100.127.0.2");
  expect(packet.subarray(16, 20).join(".")).toBe("198.18.0.5");
  expect(hasValidChecksum(packet.subarray(0, 20))).toBe(true);
  expect(hasValidChecksum(ipv4PseudoHeader(packet), packet.subarray(20))).toBe(true);
});

/** The packet that the peer sends back: addresses turned round. */
function answerTo(ipv4: Uint8Array): Uint8Array {
  const answer = octets(ipv4.subarray(0, 12), ipv4.subarray(16, 20), ipv4.subarray(12, 16), ipv4.subarray(20));
  return answer;
}

test("any UDP datagram comes back as what it was, from the synthesised address", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 1400 }), (payload) => {
      const sent = ipv6(UDP, checked(udp(payload), 6, UDP));
      const back = translated(answerTo(translated(sent)));
      expect([...back.subarray(8, 40)]).toEqual([...sent.subarray(24, 40), ...sent.subarray(8, 24)]);
      expect([...back.subarray(40)]).toEqual([...sent.subarray(40)]);
    }),
  );
});

test("IPv4 UDP without a checksum gets the one that IPv6 needs", () => {
  const bare = translated(ipv6(UDP, checked(udp([9]), 6, UDP)));
  bare.set([0, 0], 26);
  const packet = translated(answerTo(bare));
  const pseudo = ipv6PseudoHeader({ source: PEER, destination: HOST, length: 9, nextHeader: UDP });
  expect(hasValidChecksum(pseudo, packet.subarray(40))).toBe(true);
});

test("a large packet may not be divided, and its translation says so", () => {
  const packet = translated(ipv6(UDP, checked(udp(Array<number>(1300).fill(7)), 6, UDP)));
  expect(packet[6]).toBe(0x40);
});

test("fragments keep their place, and only the first has a checksum to update", () => {
  const payload = checked(udp(Array<number>(24).fill(1)), 6, UDP);
  const fragment = (place: number, rest: Uint8Array): Uint8Array =>
    ipv6(44, octets(UDP, 0, u16(place), [0, 0, 0x12, 0x34], rest));
  const [first, last] = [fragment(1, payload.subarray(0, 16)), fragment(16, payload.subarray(16))].map(translated);
  expect([...(first ?? []).slice(4, 10)]).toEqual([0x12, 0x34, 0x20, 0, 64, UDP]);
  expect([...(last ?? []).slice(4, 10)]).toEqual([0x12, 0x34, 0, 2, 64, UDP]);
  const whole = octets((first ?? octets()).subarray(20), (last ?? octets()).subarray(20));
  const pseudo = octets((first ?? octets()).subarray(12, 20), 0, UDP, u16(32));
  expect(hasValidChecksum(pseudo, whole)).toBe(true);
  const back = translated(answerTo(last ?? octets()));
  expect([...back.subarray(40, 48)]).toEqual([UDP, 0, 0, 16, 0, 0, 0x12, 0x34]);
});

test("a ping is a ping on both sides", () => {
  const request = translated(ipv6(ICMPV6, checked(octets(128, 0, 0, 0, 0, 7, 0, 1, 42), 2, ICMPV6)));
  expect([...request.subarray(20, 22)]).toEqual([8, 0]);
  expect(hasValidChecksum(request.subarray(20))).toBe(true);
  const reply = answerTo(request);
  reply[20] = 0;
  const back = translated(reply);
  const pseudo = ipv6PseudoHeader({ source: PEER, destination: HOST, length: 9, nextHeader: ICMPV6 });
  expect([back[6], back[40]]).toEqual([ICMPV6, 129]);
  expect(hasValidChecksum(pseudo, back.subarray(40))).toBe(true);
});

describe("ICMP errors", () => {
  const sent = translated(ipv6(UDP, checked(udp([1]), 6, UDP)));
  /** From a router on the way, about what the host sent. */
  const error = (kind: readonly [number, number], field: number): Uint8Array =>
    octets(
      [0x45, 0, ...u16(28 + sent.length), 0, 0, 0, 0, 60, 1, 0, 0, 198, 18, 0, 1, 100, 127, 0, 2],
      kind,
      [0, 0],
      [0, 0, ...u16(field)],
      sent,
    );

  test("port unreachable names the packet as the host sent it", () => {
    const packet = translated(error([3, 3], 0));
    expect([...packet.subarray(40, 42)]).toEqual([1, 4]);
    expect([...packet.subarray(48 + 8, 48 + 40)]).toEqual([...addressToBytes(HOST), ...addressToBytes(PEER)]);
    const length = packet.length - 40;
    const pseudo = ipv6PseudoHeader({ source: "64:ff9b::c612:1", destination: HOST, length, nextHeader: ICMPV6 });
    expect(hasValidChecksum(pseudo, packet.subarray(40))).toBe(true);
  });

  test("too big: the MTU grows by the difference of the headers", () => {
    const packet = translated(error([3, 4], 1400));
    expect([...packet.subarray(40, 42), ...packet.subarray(44, 48)]).toEqual([2, 0, 0, 0, ...u16(1420)]);
  });

  test("too big from IPv6: the MTU shrinks by it", () => {
    const inward = translated(answerTo(sent));
    const message = checked(octets(2, 0, 0, 0, 0, 0, u16(1500), inward), 2, ICMPV6);
    const packet = translated(ipv6(ICMPV6, message));
    expect([...packet.subarray(20, 22), ...packet.subarray(26, 28)]).toEqual([3, 4, ...u16(1480)]);
    expect(packet.subarray(28 + 12, 28 + 20).join(".")).toBe("198.18.0.5.100.127.0.2");
  });
});

test.each(["127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"])("nobody is reached at %s", (ip) => {
  const octetsOf = addressToBytes(ip);
  const destination = `64:ff9b::${(((octetsOf[0] ?? 0) << 8) | (octetsOf[1] ?? 0)).toString(16)}:${(((octetsOf[2] ?? 0) << 8) | (octetsOf[3] ?? 0)).toString(16)}`;
  expect(translate(ipv6(UDP, udp([]), HOST, destination))).toBeUndefined();
});

test("octets of any kind are translated or dropped, never thrown at", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(4, 6), fc.boolean(), (noise, version, isKnown) => {
      const packet = octets(isKnown ? ipv6(noise[0] ?? 0, noise) : noise);
      if (!isKnown && packet.length > 0) packet[0] = (version << 4) | ((packet[0] ?? 0) & 0x0f);
      expect(() => translate(packet)).not.toThrow();
    }),
    { numRuns: 2000 },
  );
});
