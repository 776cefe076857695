import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeSocketAddress } from "../../../../agent/src/io/native/socket-address.ts";
import { decodeIcmpError } from "../../../../agent/src/io/sockets/icmp-error.ts";
import { fromHex } from "../../../vectors/hex.ts";

/** Control data from Linux 6.18: 48 octets over IPv4, 64 over IPv6. */
const ipv4 = (error: string): Uint8Array => fromHex(`3000000000000000 00000000 0b000000 ${error}`);
const ipv6 = (error: string): Uint8Array => fromHex(`3c00000000000000 29000000 19000000 ${error} 00000000`);

const ROUTER_4 = "02000000 0a010001 0000000000000000";
const ROUTER_6 = "0a000000 00000000 fd000001000000000000000000000001 00000000";

describe("what the kernel tells of ICMP", () => {
  test.each([
    { error: `6f000000 02030300 00000000 00000000 ${ROUTER_4}`, reason: "port unreachable" },
    { error: `65000000 02030000 00000000 00000000 ${ROUTER_4}`, reason: "network unreachable" },
    { error: `71000000 02030100 00000000 00000000 ${ROUTER_4}`, reason: "host unreachable" },
    { error: `71000000 02030d00 00000000 00000000 ${ROUTER_4}`, reason: "administratively prohibited" },
    { error: `71000000 020b0000 00000000 00000000 ${ROUTER_4}`, reason: "time to live exceeded" },
  ])("of IPv4: $reason", ({ error, reason }) => {
    const remote = { ip: "10.2.0.2", port: 13 };
    expect(decodeIcmpError(encodeSocketAddress(remote), ipv4(error))).toEqual({ remote, by: "10.1.0.1", reason });
  });

  test.each([
    { error: `6f000000 03010400 00000000 00000000 ${ROUTER_6}`, reason: "port unreachable" },
    { error: `65000000 03010000 00000000 00000000 ${ROUTER_6}`, reason: "no route" },
    { error: `0d000000 03010100 00000000 00000000 ${ROUTER_6}`, reason: "administratively prohibited" },
    { error: `71000000 03030000 00000000 00000000 ${ROUTER_6}`, reason: "hop limit exceeded" },
  ])("of IPv6: $reason", ({ error, reason }) => {
    const remote = { ip: "fd00:2::2", port: 13 };
    expect(decodeIcmpError(encodeSocketAddress(remote), ipv6(error))).toEqual({ remote, by: "fd00:1::1", reason });
  });
});

const NAME = encodeSocketAddress({ ip: "10.2.0.2", port: 13 });
const PORT_UNREACHABLE = ipv4(`6f000000 02030300 00000000 00000000 ${ROUTER_4}`);

describe("what is no refusal", () => {
  test.each([
    { what: "too big for the path, IPv4", control: ipv4(`5a000000 02030400 dc050000 00000000 ${ROUTER_4}`) },
    { what: "too big for the path, IPv6", control: ipv6(`5a000000 03020000 dc050000 00000000 ${ROUTER_6}`) },
    { what: "too big for the own interface", control: ipv4(`5a000000 01000000 dc050000 00000000 ${ROUTER_4}`) },
    { what: "nothing at all", control: new Uint8Array(0) },
  ])("$what", ({ control }) => {
    expect(decodeIcmpError(NAME, control)).toBeUndefined();
  });

  test("is stepped over: other control data before it", () => {
    const timestamp = fromHex(`2000000000000000 01000000 1d000000 ${"00".repeat(16)}`);
    const both = new Uint8Array([...timestamp, ...PORT_UNREACHABLE]);
    expect(decodeIcmpError(NAME, both)).toMatchObject({ by: "10.1.0.1" });
  });

  test("anything cut short", () => {
    for (let length = 0; length < PORT_UNREACHABLE.length; length += 1)
      expect(decodeIcmpError(NAME, PORT_UNREACHABLE.subarray(0, length))).toBeUndefined();
    for (let length = 0; length < NAME.length; length += 1)
      expect(decodeIcmpError(NAME.subarray(0, length), PORT_UNREACHABLE)).toBeUndefined();
  });

  test("whatever it is, it never throws", () => {
    const changed = fc
      .array(fc.tuple(fc.nat(PORT_UNREACHABLE.length - 1), fc.nat(255)), { maxLength: 4 })
      .map((changes) => {
        const octets = PORT_UNREACHABLE.slice();
        for (const [at, octet] of changes) octets[at] = octet;
        return octets;
      });
    const octets = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(octets, fc.oneof(octets, changed), (name, control) => {
        expect(() => decodeIcmpError(name, control)).not.toThrow();
      }),
    );
  });
});
