import { expect, test } from "vitest";
import { namesByDistance, nearestName } from "../../../../orchestrator/topology/file/nearest-name.ts";

const NAMES = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric", "mn"];

test.each([
  ["full-con", "full-cone"],
  ["symetric", "symmetric"],
  ["SYMMETRIC", "symmetric"],
  ["port-restrictedcone", "port-restricted-cone"],
  ["port", "port-restricted-cone"],
  ["m", "mn"],
  ["zz", undefined],
  ["carrier", undefined],
])("%s was meant to be %s", (wanted, meant) => {
  expect(nearestName(wanted, NAMES)).toBe(meant);
});

test("all names, the nearest first", () => {
  expect(namesByDistance("restrict-cone", NAMES).map(({ name }) => name)[0]).toBe("restricted-cone");
  expect(namesByDistance("x", [])).toEqual([]);
});
