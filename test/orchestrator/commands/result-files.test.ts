import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createResultFiles } from "../../../orchestrator/commands/result-files.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-files-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("files are written below their folders, in parts too", async () => {
  const files = createResultFiles(directory, directory);
  await files.write([
    { name: "one.txt", content: "one" },
    { name: "logs/mn.log", content: ["a\n", "b\n"].values() },
  ]);
  expect(await readFile(join(directory, "one.txt"), "utf8")).toBe("one");
  expect(await readFile(join(directory, "logs/mn.log"), "utf8")).toBe("a\nb\n");
  expect(files.failure()).toBeUndefined();
});

test("a disk that is full: the file and the cure are told, the others are written, and none by halves", async () => {
  await symlink("/dev/full", join(directory, "result.json"));
  const files = createResultFiles(directory, directory);
  await files.write([
    { name: "result.json", content: "{}" },
    { name: "junit.xml", content: "<testsuites/>" },
  ]);
  expect(files.failure()).toMatchObject({
    code: "output-failed",
    message: "expected to be able to write result.json: ENOSPC: no space left on device, write",
    hint: "make room, or give a directory on another disk with --out",
  });
  expect(await readdir(directory)).toEqual(["junit.xml"]);
});

test("a directory that is gone is not made anew", async () => {
  await mkdir(join(directory, "run"));
  const files = createResultFiles(join(directory, "run"), directory);
  await rm(join(directory, "run"), { recursive: true });
  await files.write([
    { name: "result.json", content: "{}" },
    { name: "logs/mn.log", content: "" },
  ]);
  expect(files.failure()).toMatchObject({
    code: "output-failed",
    message: expect.stringMatching(/^expected to be able to write run\/(result\.json|logs\/mn\.log): ENOENT/) as string,
    hint: "the directory was removed during the run; leave it until the run has ended",
  });
  expect(await readdir(directory)).toEqual([]);
});
