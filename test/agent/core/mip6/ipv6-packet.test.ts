import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressKey,
  decodeIpv6Packet,
  destinationKey,
  encodeIpv6Packet,
  forwardedCopy,
  isCompleteIpv6,
  sourceKey,
} from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { fromHex, toHex } from "../../../vectors/hex.ts";
import { L_TO_R } from "../../../vectors/mobility.ts";

const SOURCE = "20010db8000a00000000000000000100";
const DESTINATION = "20010db8000b00000000000000000200";
const HOME_ADDRESS = "20010db8000c00000000000000000005";

describe("IPv6 packets", () => {
  const fields = { ...L_TO_R, nextHeader: 135, payload: fromHex("0102030405060708") };
  const header = `6000000000088740${SOURCE}${DESTINATION}`;

  test("a packet has the octets of RFC 8200 section 3", () => {
    expect(toHex(encodeIpv6Packet(fields))).toBe(`${header}0102030405060708`);
  });

  test("a packet is read back, whatever follows it", () => {
    const value = { ...fields, hopLimit: 64 };
    expect(decodeIpv6Packet(fromHex(`${header}0102030405060708`))).toEqual({ ok: true, value });
    expect(decodeIpv6Packet(fromHex(`${header}0102030405060708ffff`))).toEqual({ ok: true, value });
  });

  test("a packet cut at any octet is refused, and by the cheap test too", () => {
    const packet = encodeIpv6Packet(fields);
    expect(isCompleteIpv6(packet)).toBe(true);
    for (let length = 0; length < packet.length; length++) {
      expect(decodeIpv6Packet(packet.subarray(0, length)).ok).toBe(false);
      expect(isCompleteIpv6(packet.subarray(0, length))).toBe(false);
    }
  });

  test("another IP version is refused", () => {
    const packet = fromHex(`45${header.slice(2)}0102030405060708`);
    expect(decodeIpv6Packet(packet)).toEqual({ ok: false, error: { code: "not-ipv6", offset: 0 } });
  });

  test("more than 65535 octets cannot be a payload", () => {
    expect(() => encodeIpv6Packet({ ...fields, payload: new Uint8Array(65_536) })).toThrow(RangeError);
  });

  test("the Home Address option is read and its header is stepped over", () => {
    const options = `8702010200 00c910${HOME_ADDRESS}`.replace(" ", "");
    const packet = fromHex(`6000000000203c40${SOURCE}${DESTINATION}${options}0102030405060708`);
    expect(decodeIpv6Packet(packet)).toEqual({
      ok: true,
      value: { ...fields, hopLimit: 64, homeAddress: "2001:db8:c::5" },
    });
  });

  test("Hop-by-Hop and Destination Options without a home address are stepped over", () => {
    const packet = fromHex(`6000000000180040${SOURCE}${DESTINATION}3c00010400000000 8700010400000000 0102030405060708`);
    expect(decodeIpv6Packet(packet)).toEqual({ ok: true, value: { ...fields, hopLimit: 64 } });
  });

  test.each([
    { code: "truncated", why: "a header longer than the packet", extension: "8705010400000000" },
    { code: "truncated", why: "an option longer than its header", extension: "870001ff00000000" },
    { code: "home-address-length", why: "a Home Address option of 4 octets", extension: "8700c90400000000" },
  ])("$why is refused with $code", ({ code, extension }) => {
    const packet = fromHex(`6000000000083c40${SOURCE}${DESTINATION}${extension}`);
    expect(decodeIpv6Packet(packet)).toMatchObject({ ok: false, error: { code } });
  });

  test("random octets never throw", () => {
    const arbitrary = fc.uint8Array({ minLength: 40, maxLength: 120 });
    fc.assert(
      fc.property(arbitrary, fc.constantFrom(0, 60, 17, 135), (raw, nextHeader) => {
        const packet = Uint8Array.from([0x60, 0, 0, 0, 0, raw.length - 40, nextHeader, ...raw.subarray(7)]);
        const decoded = decodeIpv6Packet(packet);
        if (decoded.ok) decodeUdpInIpv6(decoded.value);
      }),
    );
  });

  test("the keys of a packet are those of its addresses, wherever it lies in its buffer", () => {
    const packet = encodeIpv6Packet(fields);
    const inside = Uint8Array.from([1, 2, 3, ...packet]).subarray(3);
    expect(sourceKey(inside)).toBe(addressKey(L_TO_R.source));
    expect(destinationKey(inside)).toBe(addressKey(L_TO_R.destination));
    expect(sourceKey(inside)).not.toBe(destinationKey(inside));
  });

  test("forwarding takes one from the hop limit of a copy, and ends at 1", () => {
    const packet = encodeIpv6Packet({ ...fields, hopLimit: 2 });
    const copy = forwardedCopy(packet) ?? new Uint8Array();
    expect(packet[7]).toBe(2);
    expect(copy[7]).toBe(1);
    expect(forwardedCopy(copy)).toBeUndefined();
    // A Buffer's slice would share memory.
    const buffer = Buffer.from(packet);
    expect(forwardedCopy(buffer)?.buffer).not.toBe(buffer.buffer);
  });
});

describe("UDP inside IPv6", () => {
  const datagram = {
    source: { ip: L_TO_R.source, port: 40001 },
    destination: { ip: L_TO_R.destination, port: 40002 },
    payload: fromHex("00010000"),
  };
  const packet = encodeUdpInIpv6(datagram);

  test("a datagram has the octets of RFC 768 with the checksum over the IPv6 pseudo-header", () => {
    expect(toHex(packet)).toBe(`60000000000c1140${SOURCE}${DESTINATION}9c419c42000c68ca00010000`);
  });

  test("a datagram is read back", () => {
    expect(decodeUdp(packet)).toEqual({ ok: true, value: datagram });
  });

  test("a checksum that comes out as zero is sent as 0xFFFF", () => {
    const zero = encodeUdpInIpv6({ ...datagram, payload: fromHex("68cb0000") });
    expect(toHex(zero.subarray(46, 48))).toBe("ffff");
    expect(decodeUdp(zero).ok).toBe(true);
  });

  test.each([
    { code: "not-udp", at: 6, octet: 58 },
    { code: "udp-length", at: 45, octet: 11 },
    { code: "udp-checksum", at: 50, octet: 1 },
    { code: "udp-checksum", at: 41, octet: 0 },
  ])("$code at octet $at is refused", ({ code, at, octet }) => {
    const damaged = packet.map((value, i) => (i === at ? octet : value));
    expect(decodeUdp(damaged)).toMatchObject({ ok: false, error: { code } });
  });

  test("a datagram without a checksum is refused, as IPv6 wants it", () => {
    const damaged = packet.map((value, i) => (i === 46 || i === 47 ? 0 : value));
    expect(decodeUdp(damaged)).toMatchObject({ ok: false, error: { code: "udp-checksum" } });
  });

  test("less than a UDP header is refused", () => {
    const short = encodeIpv6Packet({ ...L_TO_R, nextHeader: 17, payload: fromHex("9c419c42000c") });
    expect(decodeUdp(short)).toMatchObject({ ok: false, error: { code: "truncated" } });
  });
});

function decodeUdp(packet: Uint8Array) {
  const inner = decodeIpv6Packet(packet);
  return inner.ok ? decodeUdpInIpv6(inner.value) : inner;
}
