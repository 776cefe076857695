import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTopologyFile } from "../../../orchestrator/commands/topology-files.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-files-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("a file is read by its path, without a byte order mark", async () => {
  await writeFile(join(directory, "mine.yaml"), "\uFEFFname: mine\n");
  expect(await readTopologyFile("mine.yaml", directory)).toEqual({
    file: "mine.yaml",
    path: join(directory, "mine.yaml"),
    text: "name: mine\n",
  });
});

test.each([
  ["is not there", "none.yaml", "there is none"],
  ["lies below a file", "utf16.yaml/x.yaml", "there is none"],
  ["is a directory", "folder.yaml", "it is a directory"],
  ["is no text", "utf16.yaml", "it is not text in UTF-8"],
  ["is a device", "/dev/zero", "it is no regular file"],
  ["is too large", "large.yaml", "it has 1000001 octets, and a topology at most 1000000"],
])("a file that %s", async (_, wanted, found) => {
  await mkdir(join(directory, "folder.yaml"));
  await writeFile(join(directory, "utf16.yaml"), Buffer.from("\uFEFFname: x\n", "utf16le"));
  await writeFile(join(directory, "large.yaml"), "#".repeat(1_000_001));
  await expect(readTopologyFile(wanted, directory)).rejects.toMatchObject({
    code: "unknown-topology",
    message: `expected a topology file at ${wanted}: ${found}`,
  });
});

test("a name that is none is told the nearest ones, and the one that was meant where one is near", async () => {
  await expect(readTopologyFile("nat-nta", directory)).rejects.toMatchObject({
    message: expect.stringMatching(/^no topology is called nat-nta; the nearest are nat-nat, nat-open, /) as string,
    hint: "did you mean: npm run testbed nat-nat",
  });
  await expect(readTopologyFile("quite-another-thing", directory)).rejects.toMatchObject({
    hint: "all of them: npm run testbed list",
  });
});

test("a pipe is not waited for", async () => {
  await execa("/usr/bin/mkfifo", [join(directory, "pipe.yaml")]);
  await expect(readTopologyFile("pipe.yaml", directory)).rejects.toMatchObject({
    message: "expected a topology file at pipe.yaml: it is no regular file",
  });
});

test("a file of /proc says that it has no octets, and none are read", async () => {
  expect(await readTopologyFile("/proc/uptime", directory)).toMatchObject({ text: "" });
});
