import { expect, test } from "vitest";
import { parseStat, processState } from "../../../../agent/src/io/process/process-state.ts";

test.each([
  ["4242 (tcpdump) S 17 4242 17 0 -1", { state: "S", parentPid: 17 }],
  ["4242 (a ) R 1 (b) Z 17 4242 17 0 -1", { state: "Z", parentPid: 17 }],
])("the state of %s", (text, expected) => {
  expect(parseStat(text)).toEqual(expected);
});

test("a process that is there has a state, and one that is not has none", () => {
  expect(processState(process.pid)).toEqual({ state: "R", parentPid: process.ppid });
  expect(processState(0x7fff_ffff)).toBeUndefined();
});
