import { expect, test } from "vitest";
import { labTimeouts } from "../../../orchestrator/lab/lab-timeouts.ts";

function valuesOf(factor: number): readonly number[] {
  return Object.values<number | readonly number[]>({ ...labTimeouts(factor) }).flat();
}

test("every timeout is scaled, and stays a whole number of milliseconds, as nodes take them", () => {
  expect(valuesOf(1.5)).toEqual(valuesOf(1).map((ms) => Math.ceil(1.5 * ms)));
});
