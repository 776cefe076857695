import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../agent/src/core/bytes.ts";
import { fromHex, toHex } from "../../vectors/hex.ts";

describe("ByteReader", () => {
  test("reads fields of every width in network order", () => {
    const reader = new ByteReader(fromHex("01 0203 04050607 08090a0b0c0d0e0f 1011 12"));

    expect(reader.u8()).toBe(0x01);
    expect(reader.u16()).toBe(0x0203);
    expect(reader.u32()).toBe(0x04050607);
    expect(reader.u64()).toBe(0x08090a0b0c0d0e0fn);
    expect(toHex(reader.bytes(2))).toBe("1011");
    expect(toHex(reader.rest())).toBe("12");
    expect(reader).toMatchObject({ offset: 18, remaining: 0, overrun: false });
  });

  test("reads values with the top bit set as unsigned", () => {
    const reader = new ByteReader(fromHex("ff ffff ffffffff ffffffffffffffff"));

    expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([
      0xff,
      0xffff,
      0xffffffff,
      0xffff_ffff_ffff_ffffn,
    ]);
  });

  test.each([
    { name: "u8", read: (reader: ByteReader) => reader.u8(), available: 0, result: 0 },
    { name: "u16", read: (reader: ByteReader) => reader.u16(), available: 1, result: 0 },
    { name: "u32", read: (reader: ByteReader) => reader.u32(), available: 3, result: 0 },
    { name: "u64", read: (reader: ByteReader) => reader.u64(), available: 7, result: 0n },
    { name: "bytes", read: (reader: ByteReader) => reader.bytes(5), available: 4, result: new Uint8Array(0) },
    {
      name: "a negative length",
      read: (reader: ByteReader) => reader.bytes(-1),
      available: 4,
      result: new Uint8Array(0),
    },
  ])("notes that $name passes the end and moves nothing", ({ read, available, result }) => {
    const reader = new ByteReader(new Uint8Array(available).fill(0xee));

    expect(read(reader)).toEqual(result);
    expect(reader).toMatchObject({ overrun: true, offset: 0, remaining: 0 });
  });

  test("reads nothing more after an overrun, even what would fit", () => {
    const reader = new ByteReader(fromHex("01 02"));
    reader.u8();
    reader.u16();

    expect(reader.u8()).toBe(0);
    expect(reader.rest()).toHaveLength(0);
    reader.skip(0);
    expect(reader).toMatchObject({ overrun: true, offset: 1 });
  });

  test("stays inside the span it was given and counts offsets from the front of the input", () => {
    const reader = new ByteReader(fromHex("aa bb cc dd"), 1, 3);

    expect(reader.remaining).toBe(2);
    expect(reader.u8()).toBe(0xbb);
    expect(reader.offset).toBe(2);
    expect(reader.u16()).toBe(0);
    expect(reader.overrun).toBe(true);
  });

  test.each([
    { name: "a start past the end", start: 9, end: 9 },
    { name: "an end past the input", start: 4, end: 99 },
    { name: "an end before the start", start: 3, end: 1 },
  ])("clamps $name", ({ start, end }) => {
    expect(new ByteReader(fromHex("aa bb cc dd"), start, end).remaining).toBe(0);
  });

  test("reads a view that begins in the middle of its buffer", () => {
    const reader = new ByteReader(fromHex("ffff 1234 ffff").subarray(2, 4));

    expect(reader.u16()).toBe(0x1234);
    expect(reader.remaining).toBe(0);
  });

  test("hands out plain views of a Buffer, so that slicing one copies", () => {
    const buffer = Buffer.from("01020304", "hex");
    const view = new ByteReader(buffer).bytes(2);

    expect(view).not.toBeInstanceOf(Buffer);
    view.slice()[0] = 0xff;
    expect(buffer[0]).toBe(0x01);
    expect(view.buffer).toBe(buffer.buffer);
  });

  test("never throws and never passes the end, whatever is asked for", () => {
    const reads = fc.array(fc.integer({ min: -1, max: 70_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), reads, (octets, lengths) => {
        const reader = new ByteReader(octets);
        for (const length of lengths) expect(reader.bytes(length).length).toBeLessThanOrEqual(octets.length);
        expect(reader.offset).toBeLessThanOrEqual(octets.length);
      }),
    );
  });
});

describe("ByteWriter", () => {
  test("writes fields of every width in network order", () => {
    const writer = new ByteWriter()
      .u8(0x01)
      .u16(0x0203)
      .u32(0x04050607)
      .u64(0x08090a0b0c0d0e0fn)
      .bytes(fromHex("1011"));

    expect(toHex(writer.finish())).toBe("0102030405060708090a0b0c0d0e0f1011");
    expect(writer.length).toBe(17);
  });

  test("aligns with zeros and writes none where it is aligned", () => {
    expect(toHex(new ByteWriter().u8(1).alignTo(4).alignTo(4).u8(2).finish())).toBe("0100000002");
  });

  test("patches octets written earlier", () => {
    expect(toHex(new ByteWriter().zeros(4).patchU16(1, 0xabcd).finish())).toBe("00abcd00");
  });

  test("keeps everything when it grows", () => {
    const octets = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
    const writer = new ByteWriter();
    for (const octet of octets) writer.u8(octet);

    expect(writer.finish()).toEqual(octets);
    expect(new ByteWriter().u8(7).bytes(octets).finish().subarray(1)).toEqual(octets);
  });

  test("returns a copy, which later writing does not change", () => {
    const writer = new ByteWriter().u16(0x1234);
    const first = writer.finish();
    writer.patchU16(0, 0xffff);

    expect(toHex(first)).toBe("1234");
  });

  test.each([
    { name: "256 as an octet", write: () => new ByteWriter().u8(256) },
    { name: "65536 as 16 bits", write: () => new ByteWriter().u16(0x10000) },
    { name: "2^32 as 32 bits", write: () => new ByteWriter().u32(2 ** 32) },
    { name: "2^64 as 64 bits", write: () => new ByteWriter().u64(2n ** 64n) },
    { name: "a negative number", write: () => new ByteWriter().u16(-1) },
    { name: "a negative bigint", write: () => new ByteWriter().u64(-1n) },
    { name: "a fraction", write: () => new ByteWriter().u8(1.5) },
    { name: "a patch of what is not written", write: () => new ByteWriter().u16(0).patchU16(1, 0) },
  ])("refuses $name", ({ write }) => {
    expect(write).toThrow(RangeError);
  });

  test("is read back by ByteReader", () => {
    const fields = fc.record({
      octet: fc.nat(0xff),
      word: fc.nat(0xffff),
      long: fc.nat(0xffffffff),
      huge: fc.bigInt(0n, 2n ** 64n - 1n),
      octets: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fields, ({ octet, word, long, huge, octets }) => {
        const reader = new ByteReader(new ByteWriter().u8(octet).u16(word).u32(long).u64(huge).bytes(octets).finish());
        expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([octet, word, long, huge]);
        expect(reader.rest()).toEqual(octets);
      }),
    );
  });
});
