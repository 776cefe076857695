import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../../agent/src/core/bytes.ts";
import {
  BINDING,
  decodeHeader,
  type StunClass,
  type StunHeader,
  transactionKey,
  writeHeader,
} from "../../../../agent/src/core/stun/header.ts";
import { TRANSACTION_ID } from "../../../vectors/mice-stun.ts";

describe("the message type", () => {
  test.each<{ class: StunClass; method: number; type: number }>([
    { class: "request", method: BINDING, type: 0x0001 },
    { class: "indication", method: BINDING, type: 0x0011 },
    { class: "success", method: BINDING, type: 0x0101 },
    { class: "error", method: BINDING, type: 0x0111 },
    { class: "error", method: 0x003, type: 0x0113 },
    { class: "request", method: 0xfff, type: 0x3eef },
    { class: "request", method: 0x080, type: 0x0200 },
    { class: "request", method: 0x010, type: 0x0020 },
  ])("of $class and method $method is $type", ({ class: messageClass, method, type }) => {
    const bytes = encode({ class: messageClass, method, transactionId: TRANSACTION_ID });

    expect(new DataView(bytes.buffer).getUint16(0)).toBe(type);
    expect(decodeHeader(bytes)).toMatchObject({ value: { class: messageClass, method } });
  });

  test("of any 14 bits is read and written back", () => {
    fc.assert(
      fc.property(fc.nat(0x3fff), (type) => {
        const bytes = encode({ class: "request", method: 0, transactionId: TRANSACTION_ID });
        new DataView(bytes.buffer).setUint16(0, type);
        const header = decodeHeader(bytes);
        expect(header.ok && encode(header.value)).toEqual(bytes);
      }),
    );
  });
});

describe("writeHeader", () => {
  test.each([
    { name: "a method of 13 bits", header: { method: 0x1000 } },
    { name: "a negative method", header: { method: -1 } },
    { name: "a transaction ID of 16 octets", header: { transactionId: new Uint8Array(16) } },
  ])("refuses $name", ({ header }) => {
    const valid: StunHeader = { class: "request", method: BINDING, transactionId: TRANSACTION_ID };
    expect(() => encode({ ...valid, ...header })).toThrow(RangeError);
  });
});

test("transactionKey is the same for equal octets only", () => {
  expect(transactionKey(TRANSACTION_ID)).toBe("000102030405060708090a0b");
  expect(transactionKey(Buffer.from(TRANSACTION_ID))).toBe(transactionKey(TRANSACTION_ID));
});

function encode(header: StunHeader): Uint8Array {
  const writer = new ByteWriter();
  writeHeader(writer, header);
  return writer.finish();
}
