import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listOwners, socketPath } from "../../../orchestrator/owner/socket-path.ts";

let runtime: string;
beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), "runtime-"));
  vi.stubEnv("XDG_RUNTIME_DIR", runtime);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(runtime, { recursive: true });
});

const RUN = "20261201-120000-nat-nat-0001";

test("is in a folder that is made for this user alone", () => {
  expect(socketPath(RUN)).toBe(join(runtime, "mice-testbed", `${RUN}.sock`));
  expect(statSync(join(runtime, "mice-testbed")).mode & 0o777).toBe(0o700);
});

test("is beside the machine's temporary files where no runtime folder is given", () => {
  vi.stubEnv("XDG_RUNTIME_DIR", "");
  vi.stubEnv("TMPDIR", runtime);
  expect(socketPath(RUN)).toBe(join(runtime, `mice-testbed-${process.getuid?.()}`, `${RUN}.sock`));
});

function makeOpen(folder: string): void {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
}

function makeLink(folder: string): void {
  symlinkSync(tmpdir(), folder);
}

test.each([
  ["open to others", makeOpen],
  ["a link", makeLink],
])("is refused in a folder that is %s", (_, prepare) => {
  prepare(join(runtime, "mice-testbed"));
  expect(() => socketPath(RUN)).toThrow(expect.objectContaining({ code: "no-permission" }));
});

test("is refused where its path is longer than a socket's may be", () => {
  expect(() => socketPath("r".repeat(100))).toThrow(expect.objectContaining({ code: "setup-failed" }));
});

test("tells the labs that have owners", () => {
  socketPath(RUN);
  for (const name of [`${RUN}.sock`, "notes.log", "x.sock"]) writeFileSync(join(runtime, "mice-testbed", name), "");
  expect(listOwners()).toEqual([{ runId: RUN, topology: "nat-nat" }]);
});
