import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import {
  currentProcess,
  isProcessAlive,
  parseProcessStat,
  readProcess,
} from "../../../orchestrator/support/process-identity.ts";

const TAIL = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";

describe("parseProcessStat", () => {
  test.each([
    ["a plain name", `42 (node) S ${TAIL}`, { name: "node", parentPid: 1, startTicks: "4711", isStopped: false }],
    [
      "a name like the rest of the line",
      `42 (a) S 9 (b) R ${TAIL}`,
      { name: "a) S 9 (b", parentPid: 1, startTicks: "4711", isStopped: false },
    ],
  ])("reads %s", (_, line, expected) => {
    expect(parseProcessStat(line)).toEqual(expected);
  });

  test.each([
    ["a zombie", `42 (node) Z ${TAIL}`],
    ["a line cut off", "42 (node) S 1 2"],
    ["nothing", ""],
  ])("takes %s for no process", (_, line) => {
    expect(parseProcessStat(line)).toBeUndefined();
  });
});

describe("isProcessAlive", () => {
  test("knows this very process", () => {
    expect(isProcessAlive(currentProcess())).toBe(true);
  });

  test.each([
    ["started at another time", { startTicks: "1" }],
    ["of another boot", { bootId: "another" }],
    ["of a pid that nobody has", { pid: 2 ** 22 + 1 }],
  ])("does not take a process %s for it", (_, difference) => {
    expect(isProcessAlive({ ...currentProcess(), ...difference })).toBe(false);
  });

  test("sees a process end, also before its parent has collected it", async () => {
    const child = spawn("sh", ["-c", "read -r line"], { stdio: ["pipe", "ignore", "ignore"] });
    const pid = child.pid ?? 0;
    const identity = { ...currentProcess(), pid, startTicks: readProcess(pid)?.startTicks ?? "" };
    expect(isProcessAlive(identity)).toBe(true);
    const exited = once(child, "exit");
    child.stdin.end();
    await exited;
    expect(isProcessAlive(identity)).toBe(false);
  });
});

test("a process that is stopped is told from one that runs, and from none", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  expect(readProcess(pid)).toMatchObject({ isStopped: false });
  child.kill("SIGSTOP");
  await expect.poll(() => readProcess(pid)).toMatchObject({ isStopped: true });
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(readProcess(pid)).toBeUndefined();
});
