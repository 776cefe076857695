import { expect, test } from "vitest";
import { labTimeouts } from "../../../orchestrator/lab/lab-timeouts.ts";

test("every timeout is scaled, and stays a whole number of milliseconds, as nodes take them", () => {
  const [usual, scaled] = [labTimeouts(1), labTimeouts(1.5)].map((timeouts) => Object.values(timeouts).flat());
  expect(scaled).toEqual(usual?.map((ms) => Math.ceil(1.5 * ms)));
});
