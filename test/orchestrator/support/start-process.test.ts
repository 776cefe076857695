import { spawn } from "node:child_process";
import { once } from "node:events";
import { execa } from "execa";
import { expect, test } from "vitest";
import { started } from "../../../orchestrator/support/start-process.ts";

test("a program that is not there is named", async () => {
  await expect(started("nowhere", () => spawn("/nowhere", [], { stdio: "pipe" }))).rejects.toMatchObject({
    code: "no-program",
    message: "expected to be able to start nowhere: spawn /nowhere ENOENT",
  });
});

test("arguments that the kernel does not take are an error, not an exception of its own kind", async () => {
  const start = started("true", () => spawn("true", ["x".repeat(200_000)], { stdio: "pipe" }));
  await expect(start).rejects.toMatchObject({
    code: "setup-failed",
    message: expect.stringContaining("E2BIG") as string,
  });
});

test("a program that does not read its input ends as it does", async () => {
  const child = await started("true", () => spawn("true", [], { stdio: "pipe" }));
  child.stdin.end("x".repeat(1_000_000));
  expect(await once(child, "close")).toEqual([0, null]);
});

test("without files to open, what cannot be started and what to do is told", async () => {
  const program = `
    import { openSync } from "node:fs";
    import { spawn } from "node:child_process";
    const { started } = await import(process.argv[1]);
    const start = () => {
      try { for (;;) openSync("/dev/null"); } catch {}
      return spawn("true", [], { stdio: "pipe" });
    };
    await started("true", start).catch(({ code, message, hint }) => console.log(JSON.stringify({ code, message, hint })));
  `;
  const module = new URL("../../../orchestrator/support/start-process.ts", import.meta.url).href;
  const args = ["-c", 'ulimit -n 60; exec "$@"', "sh", process.execPath, "--input-type=module", "-e", program, module];
  const { stdout, stderr } = await execa("sh", args, { reject: false });
  expect({ stdout, stderr }).toEqual({
    stdout: JSON.stringify({
      code: "setup-failed",
      message: "expected to be able to start true: spawn true EMFILE",
      hint: "let this process open more files: ulimit -n 1024",
    }),
    stderr: "",
  });
});
