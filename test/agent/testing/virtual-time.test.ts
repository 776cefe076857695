import { expect, test } from "vitest";
import { VirtualTime } from "../../../agent/src/testing/virtual-time.ts";

test("actions run in the order of their instants, equal ones in the order of scheduling", () => {
  const time = new VirtualTime();
  const order: string[] = [];
  time.at(20, () => order.push(`c ${time.now}`));
  time.at(10, () => order.push(`a ${time.now}`));
  time.at(10, () => order.push(`b ${time.now}`));
  time.runUntil(100);
  expect(order).toEqual(["a 10", "b 10", "c 20"]);
  expect(time.now).toBe(100);
});

test("an action in the past runs at once, a cancelled one never", () => {
  const time = new VirtualTime();
  time.runUntil(50);
  const order: number[] = [];
  time.at(10, () => order.push(time.now));
  const cancel = time.at(60, () => order.push(-1));
  cancel();
  time.runUntil(100);
  expect(order).toEqual([50]);
});

test("runWhile stops at the condition and says whether it came about", () => {
  const time = new VirtualTime();
  let count = 0;
  for (let at = 10; at <= 100; at += 10) time.at(at, () => (count += 1));
  expect(time.runWhile(() => count < 3, 1000)).toBe(true);
  expect(time.now).toBe(30);
  expect(time.runWhile(() => count < 99, 55)).toBe(false);
  expect(count).toBe(5);
});

test("a simulation that goes round in circles at one instant is an error, not a hang", () => {
  const time = new VirtualTime();
  const again = (): void => void time.at(0, again);
  again();
  expect(() => time.runUntil(1)).toThrow("virtual time is stuck at 0 ms");
});
