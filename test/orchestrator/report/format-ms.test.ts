import { expect, test } from "vitest";
import { formatMs } from "../../../orchestrator/report/format-ms.ts";

test.each([
  [0.4217, "0.42 ms"],
  [12.345, "12.3 ms"],
  [512.4, "512 ms"],
  [2500, "2.5 s"],
  [0, "0 ms"],
])("%d ms reads %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});
