import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../../agent/src/core/bytes.ts";
import { decodeAttribute, writeAttribute } from "../../../../agent/src/core/stun/attribute-codec.ts";
import type { StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import { fromHex, toHex } from "../../../vectors/hex.ts";
import { TRANSACTION_ID } from "../../../vectors/mice-stun.ts";

/** One value per attribute, with its octets as in the RFCs. */
const ATTRIBUTES: readonly { attribute: StunAttribute; octets: string }[] = [
  {
    attribute: { type: "mapped-address", value: { ip: "192.168.1.1", port: 5555 } },
    octets: "0001 0008 0001 15b3 c0a80101",
  },
  {
    attribute: { type: "xor-mapped-address", value: { ip: "192.168.1.1", port: 5555 } },
    octets: "0020 0008 0001 34a1 e1baa543",
  },
  {
    attribute: { type: "xor-mapped-address", value: { ip: "2001:db8::1", port: 5555 } },
    octets: "0020 0014 0002 34a1 0113a9fa 00010203 04050607 08090a0a",
  },
  {
    attribute: { type: "other-address", value: { ip: "2001:db8::1", port: 3479 } },
    octets: "802c 0014 0002 0d97 20010db8 00000000 00000000 00000001",
  },
  {
    attribute: { type: "response-origin", value: { ip: "198.18.0.2", port: 3478 } },
    octets: "802b 0008 0001 0d96 c6120002",
  },
  {
    attribute: { type: "alternate-server", value: { ip: "198.18.0.2", port: 3478 } },
    octets: "8023 0008 0001 0d96 c6120002",
  },
  { attribute: { type: "change-request", value: { changeIp: true, changePort: true } }, octets: "0003 0004 00000006" },
  { attribute: { type: "change-request", value: { changeIp: false, changePort: true } }, octets: "0003 0004 00000002" },
  { attribute: { type: "change-request", value: { changeIp: true, changePort: false } }, octets: "0003 0004 00000004" },
  { attribute: { type: "username", value: "DQ4P:obLD" }, octets: "0006 0009 445134503a6f624c44 000000" },
  { attribute: { type: "realm", value: "a" }, octets: "0014 0001 61 000000" },
  { attribute: { type: "nonce", value: "" }, octets: "0015 0000" },
  {
    attribute: { type: "message-integrity", value: new Uint8Array(20).fill(0xab) },
    octets: `0008 0014 ${"ab".repeat(20)}`,
  },
  { attribute: { type: "error-code", value: { code: 438, reason: "" } }, octets: "0009 0004 00000426" },
  { attribute: { type: "error-code", value: { code: 699, reason: "x" } }, octets: "0009 0005 00000663 78 000000" },
  {
    attribute: { type: "unknown-attributes", value: [0x0003, 0x7fff, 0x0026] },
    octets: "000a 0006 0003 7fff 0026 0000",
  },
  { attribute: { type: "priority", value: 0xffffffff }, octets: "0024 0004 ffffffff" },
  { attribute: { type: "use-candidate", value: true }, octets: "0025 0000" },
  { attribute: { type: "padding", value: 8 }, octets: "0026 0008 0000000000000000" },
  { attribute: { type: "response-port", value: 61001 }, octets: "0027 0004 ee49 0000" },
  { attribute: { type: "software", value: "m" }, octets: "8022 0001 6d 000000" },
  { attribute: { type: "fingerprint", value: 0xe57a3bcf }, octets: "8028 0004 e57a3bcf" },
  { attribute: { type: "ice-controlled", value: 2n ** 64n - 1n }, octets: "8029 0008 ffffffffffffffff" },
  { attribute: { type: "ice-controlling", value: 1n }, octets: "802a 0008 0000000000000001" },
  { attribute: { type: "unknown", number: 0xc057, value: fromHex("000a") }, octets: "c057 0002 000a 0000" },
];

test.each(ATTRIBUTES)("$attribute.type is written and read as $octets", ({ attribute, octets }) => {
  const writer = new ByteWriter();
  writeAttribute(writer, attribute, TRANSACTION_ID);

  expect(toHex(writer.finish())).toBe(octets.replaceAll(" ", ""));
  expect(decode(octets)).toEqual({ ok: true, value: attribute });
});

test.each<{ name: string; attribute: StunAttribute }>([
  { name: "a username of 512 octets", attribute: { type: "username", value: "x".repeat(512) } },
  { name: "a realm of 763 octets", attribute: { type: "realm", value: "x".repeat(763) } },
  { name: "SOFTWARE of 763 octets", attribute: { type: "software", value: "x".repeat(763) } },
  { name: "error code 300", attribute: { type: "error-code", value: { code: 300, reason: "" } } },
  { name: "error code 699", attribute: { type: "error-code", value: { code: 699, reason: "" } } },
  { name: "SOFTWARE with a byte order mark", attribute: { type: "software", value: "\ufeffx" } },
])("$name is written and read", ({ attribute }) => {
  const writer = new ByteWriter();
  writeAttribute(writer, attribute, TRANSACTION_ID);
  expect(decode(toHex(writer.finish()))).toEqual({ ok: true, value: attribute });
});

describe("decodeAttribute", () => {
  test.each([
    {
      name: "bits of CHANGE-REQUEST that mean nothing",
      octets: "0003 0004 fffffff9",
      value: { changeIp: false, changePort: false },
    },
    {
      name: "reserved bits before the class of ERROR-CODE",
      octets: "0009 0004 fffffc0f",
      value: { code: 415, reason: "" },
    },
    {
      name: "the first octet of an address",
      octets: "0001 0008 ff01 0001 01020304",
      value: { ip: "1.2.3.4", port: 1 },
    },
    { name: "the filler of RESPONSE-PORT", octets: "0027 0004 0d96 ffff", value: 3478 },
    { name: "the missing filler of RESPONSE-PORT", octets: "0027 0002 0d96 ffff", value: 3478 },
    { name: "what fills PADDING", octets: "0026 0003 414243 00", value: 3 },
    { name: "octets of SOFTWARE that are no UTF-8", octets: "8022 0002 41ff 0000", value: "A\ufffd" },
    {
      name: "octets of a reason phrase that are no UTF-8",
      octets: "0009 0005 00000400 ff 000000",
      value: { code: 400, reason: "\ufffd" },
    },
    { name: "a byte order mark, which stays", octets: "0006 0003 efbbbf 00", value: "\ufeff" },
  ])("tolerates $name", ({ octets, value }) => {
    expect(decode(octets)).toMatchObject({ ok: true, value: { value } });
  });

  test.each([
    {
      name: "an address family that does not exist",
      octets: "0001 0008 0003 0001 01020304",
      code: "bad-mapped-address",
    },
    {
      name: "family 0 with sixteen octets",
      octets: `0001 0014 0000 0001 ${"00".repeat(16)}`,
      code: "bad-mapped-address",
    },
    {
      name: "an IPv4 address of sixteen octets",
      octets: `0020 0014 0001 0001 ${"00".repeat(16)}`,
      code: "bad-xor-mapped-address",
    },
    { name: "an IPv6 address of four octets", octets: "802c 0008 0002 0001 01020304", code: "bad-other-address" },
    { name: "an address of two octets", octets: "802b 0002 0001 0000", code: "bad-response-origin" },
    { name: "a username that is no UTF-8", octets: "0006 0001 ff 000000", code: "bad-username" },
    { name: "a username of 513 octets", octets: `0006 0201 ${"41".repeat(513)} 000000`, code: "bad-username" },
    { name: "a realm of 764 octets", octets: `0014 02fc ${"41".repeat(764)}`, code: "bad-realm" },
    { name: "SOFTWARE of 764 octets", octets: `8022 02fc ${"41".repeat(764)}`, code: "bad-software" },
    { name: "19 octets of integrity", octets: `0008 0013 ${"00".repeat(20)}`, code: "bad-message-integrity" },
    { name: "21 octets of integrity", octets: `0008 0015 ${"00".repeat(24)}`, code: "bad-message-integrity" },
    { name: "error class 2", octets: "0009 0004 00000200", code: "bad-error-code" },
    { name: "error class 7", octets: "0009 0004 00000700", code: "bad-error-code" },
    { name: "error number 100", octets: "0009 0004 00000464", code: "bad-error-code" },
    { name: "an error code of three octets", octets: "0009 0003 000004 00", code: "bad-error-code" },
    { name: "half an attribute number", octets: "000a 0003 000300 00", code: "bad-unknown-attributes" },
    { name: "a priority of two octets", octets: "0024 0002 0001 0000", code: "bad-priority" },
    { name: "USE-CANDIDATE with content", octets: "0025 0004 00000000", code: "bad-use-candidate" },
    { name: "RESPONSE-PORT of three octets", octets: "0027 0003 0d9600 00", code: "bad-response-port" },
    { name: "a tie-breaker of four octets", octets: "8029 0004 00000000", code: "bad-ice-controlled" },
    { name: "a fingerprint of eight octets", octets: "8028 0008 0000000000000000", code: "bad-fingerprint" },
  ])("refuses $name", ({ octets, code }) => {
    expect(decode(octets)).toEqual({ ok: false, error: { code, offset: 0 } });
  });
});

describe("writeAttribute", () => {
  test.each<{ name: string; attribute: StunAttribute }>([
    { name: "a username of 513 octets", attribute: { type: "username", value: "é".repeat(256) + "x" } },
    { name: "SOFTWARE of 764 octets", attribute: { type: "software", value: "x".repeat(764) } },
    { name: "error code 299", attribute: { type: "error-code", value: { code: 299, reason: "" } } },
    { name: "error code 700", attribute: { type: "error-code", value: { code: 700, reason: "" } } },
    { name: "a priority beyond 32 bits", attribute: { type: "priority", value: 2 ** 32 } },
    { name: "a port beyond 16 bits", attribute: { type: "mapped-address", value: { ip: "1.2.3.4", port: 65536 } } },
    {
      name: "an XOR-ed port beyond 16 bits",
      attribute: { type: "xor-mapped-address", value: { ip: "1.2.3.4", port: 65536 } },
    },
    { name: "a negative port", attribute: { type: "xor-mapped-address", value: { ip: "1.2.3.4", port: -1 } } },
    { name: "address text that is none", attribute: { type: "mapped-address", value: { ip: "localhost", port: 1 } } },
    { name: "an integrity code of 32 octets", attribute: { type: "message-integrity", value: new Uint8Array(32) } },
    {
      name: "an attribute number beyond 16 bits",
      attribute: { type: "unknown", number: 0x10000, value: new Uint8Array(0) },
    },
    { name: "a value longer than its length field", attribute: { type: "padding", value: 0x10000 } },
  ])("refuses $name", ({ attribute }) => {
    expect(() => writeAttribute(new ByteWriter(), attribute, TRANSACTION_ID)).toThrow(RangeError);
  });
});

/** Decodes an attribute in its form in a message, padding included. */
function decode(octets: string): ReturnType<typeof decodeAttribute> {
  const bytes = fromHex(octets);
  const view = new DataView(bytes.buffer);
  const raw = { number: view.getUint16(0), offset: 0, value: bytes.subarray(4, 4 + view.getUint16(2)) };
  return decodeAttribute(raw, TRANSACTION_ID);
}
