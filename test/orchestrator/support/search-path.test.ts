import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isInstalled, searchPath } from "../../../orchestrator/support/search-path.ts";

describe("searchPath", () => {
  test.each([
    ["an ordinary user's on Debian", "/usr/bin:/bin", "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"],
    ["root's", "/usr/sbin:/usr/bin:/sbin", "/usr/sbin:/usr/bin:/sbin:/usr/local/sbin"],
    ["an empty one", "", "/usr/local/sbin:/usr/sbin:/sbin"],
  ])("%s path gets the system directories that it lacks, after its own", (_, path, expected) => {
    expect(searchPath(path)).toBe(expected);
  });
});

describe("isInstalled", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "mice-path-"));
    await writeFile(join(directory, "program"), "#!/bin/sh\n");
    await chmod(join(directory, "program"), 0o755);
    await writeFile(join(directory, "text"), "");
    await mkdir(join(directory, "folder"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test.each([
    ["program", true],
    ["text", false],
    ["folder", false],
    ["absent", false],
  ])("%s: %s", async (name, expected) => {
    expect(await isInstalled(name, `/nowhere:${directory}`)).toBe(expected);
  });
});
