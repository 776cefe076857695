import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeResultsDirectory } from "../../../orchestrator/commands/make-results-directory.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-results-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("every directory on the way is made, one that is there stays", async () => {
  for (const run of ["one", "two"]) {
    const made = await makeResultsDirectory("a/b", directory, run);
    expect(made).toBe(join(directory, "a/b", run));
    expect((await stat(made)).isDirectory()).toBe(true);
  }
});

test("a file in the way is the user's to take away", async () => {
  await writeFile(join(directory, "occupied"), "");
  await expect(makeResultsDirectory("occupied", directory, "run")).rejects.toMatchObject({
    code: "bad-usage",
    message: expect.stringMatching(/^expected to be able to write results to occupied: ENOTDIR/) as string,
    hint: "give another directory with --out",
  });
});

test("a place where nothing can be made is told at once", async () => {
  await expect(makeResultsDirectory("/proc/results", directory, "run")).rejects.toMatchObject({ code: "bad-usage" });
});

test("runs that start at once make what is missing above theirs together", async () => {
  const runs = ["one", "other", "third", "fourth"];
  const made = await Promise.all(runs.map((run) => makeResultsDirectory("fresh/a/b", directory, run)));
  expect(made).toEqual(runs.map((run) => join(directory, "fresh/a/b", run)));
});

test("a folder or a link of the run's name that is there already is not used", async () => {
  await mkdir(join(directory, "elsewhere"));
  await mkdir(join(directory, "out/folder"), { recursive: true });
  await symlink(join(directory, "elsewhere"), join(directory, "out/link"));
  for (const run of ["folder", "link"])
    await expect(makeResultsDirectory("out", directory, run)).rejects.toMatchObject({
      code: "bad-usage",
      message: expect.stringMatching(/^expected to be able to write results to out: EEXIST/) as string,
    });
  expect(await readdir(join(directory, "elsewhere"))).toEqual([]);
});
