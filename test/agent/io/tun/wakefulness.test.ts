import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createWakefulness } from "../../../../agent/src/io/tun/wakefulness.ts";

let asked = 0;
let isAwake = false;

function request(): () => void {
  asked += 1;
  isAwake = true;
  return () => {
    isAwake = false;
  };
}

beforeEach(() => {
  asked = 0;
  isAwake = false;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

test("processors stay awake from the first packet until a twentieth of a second without one", () => {
  const wakefulness = createWakefulness(request);
  expect(isAwake).toBe(false);
  for (let i = 0; i < 100; i += 1) {
    wakefulness.touch();
    vi.advanceTimersByTime(4);
    expect(isAwake).toBe(true);
  }
  vi.advanceTimersByTime(100);
  expect(isAwake).toBe(false);
  expect(asked).toBe(1);
  wakefulness.touch();
  expect(isAwake).toBe(true);
});

test("processors may sleep after a minute of packets without a pause, and are woken again after a pause", () => {
  const wakefulness = createWakefulness(request);
  for (let passedMs = 0; passedMs < 61_000; passedMs += 20) {
    wakefulness.touch();
    vi.advanceTimersByTime(20);
    if (passedMs < 59_000) expect(isAwake).toBe(true);
  }
  expect(isAwake).toBe(false);
  vi.advanceTimersByTime(100);
  wakefulness.touch();
  expect(isAwake).toBe(true);
});

test("a closed device lets processors sleep", () => {
  const wakefulness = createWakefulness(request);
  wakefulness.touch();
  wakefulness.release();
  expect(isAwake).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test("who may not ask does so once", () => {
  let refused = 0;
  const wakefulness = createWakefulness(() => {
    refused += 1;
    return undefined;
  });
  wakefulness.touch();
  wakefulness.touch();
  expect(refused).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});
