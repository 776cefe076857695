import { expect, test } from "vitest";
import { NonceTable } from "../../../../agent/src/core/mip6/nonce-table.ts";
import { toHex } from "../../../vectors/hex.ts";

/** A table whose first index, two octets, is drawn as this one. */
function table(firstIndex = 1): NonceTable {
  let next = 0;
  const index = Uint8Array.of(firstIndex >> 8, firstIndex & 0xff);
  return new NonceTable({ bytes: (length) => (length === 2 ? index : new Uint8Array(length).fill(++next)) });
}

test("the first index is drawn, so that a node that was restarted does not know those of before; 0 is none", () => {
  expect(table(0x1234).current(0)).toMatchObject({ index: 0x1234 });
  expect(table(0).current(0)).toMatchObject({ index: 65_535 });
  expect(table(65_535).current(0)).toMatchObject({ index: 65_535 });
});

test("a nonce serves 30 seconds, then the next index begins", () => {
  const nonces = table();
  expect(nonces.current(0)).toMatchObject({ index: 1 });
  expect(nonces.current(29_999)).toMatchObject({ index: 1 });
  expect(nonces.current(30_000)).toMatchObject({ index: 2 });
});

test("a nonce is found by its index for 240 seconds", () => {
  const nonces = table();
  const { index, octets } = nonces.current(0);
  nonces.current(30_000);
  expect(toHex(nonces.find(239_999, index) ?? new Uint8Array())).toBe(toHex(octets));
  expect(nonces.find(240_000, index)).toBeUndefined();
});

test("at most eight nonces are kept", () => {
  const nonces = table();
  for (let i = 0; i < 9; i++) nonces.current(i * 30_000);
  expect(nonces.find(8 * 30_000, 1)).toBeUndefined();
  expect(nonces.find(8 * 30_000, 2)).toBeDefined();
});

test("an index that was never given out is not found", () => {
  const nonces = table();
  nonces.current(0);
  expect(nonces.find(0, 0)).toBeUndefined();
  expect(nonces.find(0, 2)).toBeUndefined();
});

test("after 65535 comes 1 again", () => {
  const nonces = table();
  for (let i = 0; i < 65_535; i++) nonces.current(i * 30_000);
  expect(nonces.current(65_535 * 30_000)).toMatchObject({ index: 1 });
});
