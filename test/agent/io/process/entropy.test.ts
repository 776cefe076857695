import { expect, test } from "vitest";
import { createSeededRng } from "../../../../agent/src/io/process/entropy.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("one seed gives one sequence, however it is cut", () => {
  const whole = hex(createSeededRng("00ff").bytes(100));
  const rng = createSeededRng("00ff");
  expect([1, 31, 32, 0, 36].map((length) => hex(rng.bytes(length))).join("")).toBe(whole);
});

test("the sequence is HMAC-SHA-256 of a counter of eight octets", () => {
  // printf '\0\0\0\0\0\0\0\0' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00ff
  expect(hex(createSeededRng("00ff").bytes(32))).toBe(
    "75e79b6d41d5417f34e8d2b3d54d990181d83f5d36506e47e2149e9efc5d0b3d",
  );
});

test("another seed gives another sequence", () => {
  expect(hex(createSeededRng("01").bytes(16))).not.toBe(hex(createSeededRng("02").bytes(16)));
});

test("what was drawn is the caller's own", () => {
  const rng = createSeededRng("00ff");
  rng.bytes(8).fill(0);
  expect(hex(rng.bytes(24))).toBe(hex(createSeededRng("00ff").bytes(32)).slice(16));
});
