import { expect, test } from "vitest";
import { createBackoff } from "../../../../../agent/src/core/mice/session/backoff.ts";

test("waits 1, 2, 4, 8, 16 and 32 s, then gives up", () => {
  const backoff = createBackoff(500, { firstMs: 1000, maxMs: 32_000 });
  const happened: string[] = [];
  for (let at = 500; happened.at(-1)?.startsWith("give-up") !== true; at += 250) {
    const due = backoff.poll(at);
    if (due !== undefined) happened.push(`${due} ${at - 500}`);
  }
  expect(happened).toEqual(["send 1000", "send 3000", "send 7000", "send 15000", "send 31000", "give-up 63000"]);
});

test("a late wake-up makes one transmission and counts the next wait from there", () => {
  const backoff = createBackoff(0, { firstMs: 1000, maxMs: 32_000 });
  expect(backoff.poll(9000)).toBe("send");
  expect(backoff.poll(9000)).toBeUndefined();
  expect(backoff.dueAt).toBe(11_000);
});
