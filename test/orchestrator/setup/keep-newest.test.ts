import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepNewest } from "../../../orchestrator/setup/keep-newest.ts";

const ENTRIES = 40;

let directory: string;

/** Directories with content; a higher number is newer. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-newest-"));
  for (let i = 0; i < ENTRIES; i += 1) {
    const path = join(directory, `${i}`);
    await mkdir(path);
    await writeFile(join(path, "file"), "");
    await utimes(path, i, i);
  }
});
afterEach(() => rm(directory, { recursive: true }));

test("the entries that were changed last stay", async () => {
  await keepNewest(directory, 4);
  expect((await readdir(directory)).sort()).toEqual(["36", "37", "38", "39"]);
});

test("an entry that another program removes meanwhile is no obstacle", async () => {
  // A dangling link is listed, but reading its date fails.
  await symlink(join(directory, "gone"), join(directory, "40"));
  await keepNewest(directory, 4);
  expect((await readdir(directory)).sort()).toEqual(["36", "37", "38", "39"]);
});
