/** The launcher of the command line: what it starts, and what it needs. */

import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

let directory: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "mice-launch-")));
  await mkdir(join(directory, "node_modules"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A tree whose command line prints an expression. Its dependencies, and so its cache, are in the shared directory. */
async function makeTree(name: string, expression: string): Promise<string> {
  const tree = join(directory, name);
  await mkdir(join(tree, "orchestrator"), { recursive: true });
  await writeFile(join(tree, "package.json"), '{ "type": "module" }');
  await symlink(join(directory, "node_modules"), join(tree, "node_modules"));
  await cp(join(PACKAGE_ROOT, "orchestrator/launch.js"), join(tree, "orchestrator/launch.js"));
  await writeFile(join(tree, "orchestrator/cli.ts"), `const said: unknown = ${expression};\nconsole.log(said);\n`);
  return tree;
}

/** Runs the launcher of a tree; `before` is a script that runs first in the same process. */
function launch(tree: string, { before = "", args = [] as readonly string[] } = {}) {
  const preload = `data:text/javascript,${encodeURIComponent(before)}`;
  const command = ["--import", preload, join(tree, "orchestrator/launch.js"), ...args];
  return execa(process.execPath, command, { reject: false });
}

test("equal trees that share their dependencies find their own files", async () => {
  for (const name of ["one", "other"]) {
    const tree = await makeTree(name, "import.meta.url");
    const { stdout } = await launch(tree);
    expect(stdout).toBe(pathToFileURL(join(tree, "orchestrator/cli.ts")).href);
  }
});

test("a source that changes is run as it is now", async () => {
  const tree = await makeTree("one", '"before"');
  expect((await launch(tree)).stdout).toBe("before");
  await writeFile(join(tree, "orchestrator/cli.ts"), 'console.log("after");\n');
  expect((await launch(tree)).stdout).toBe("after");
});

describe("compiled code", () => {
  const cachedFiles = async (): Promise<readonly string[]> => {
    const entries = await readdir(join(directory, "node_modules/.cache/testbed"), {
      recursive: true,
      withFileTypes: true,
    });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };

  test("is kept beside the dependencies, one version of each source", async () => {
    const tree = await makeTree("one", "0");
    await launch(tree);
    const cached = await cachedFiles();
    expect(cached.length).toBeGreaterThan(0);
    await writeFile(join(tree, "orchestrator/cli.ts"), "console.log(1);\n");
    await launch(tree);
    expect(await cachedFiles()).toEqual(cached);
  });

  test("is not needed: where it cannot be kept, and without a home directory, the command line runs", async () => {
    const tree = await makeTree("one", '"runs"');
    await rm(join(directory, "node_modules"), { recursive: true });
    await writeFile(join(directory, "node_modules"), "not a directory");
    const { exitCode, stdout, stderr } = await launch(tree, { before: "delete process.env.HOME" });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "runs", stderr: "" });
  });
});

test("a Node that is too old for the sources is named, with what to do", async () => {
  const before = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })';
  const { exitCode, stdout, stderr } = await launch(PACKAGE_ROOT, { before, args: ["list"] });
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
  expect(stderr).toBe(
    `error: expected Node.js 24 or later, found 20.19.0 (${process.execPath})\n` +
      "  → npm run testbed, which brings its own on Linux x64 and arm64; elsewhere install Node.js 24",
  );
});

test("the lines of a bug report are lines of the sources", async () => {
  const before = 'String.prototype.padEnd = () => { throw new Error("planned"); }';
  const { exitCode, stderr } = await launch(PACKAGE_ROOT, { before, args: ["list"] });
  expect(exitCode).toBe(70);
  expect(stderr).toContain("error: this is a bug of the testbed, please report it with these lines\nError: planned\n");
  const [, path = "", line] = /file:\/\/(\/\S+\/orchestrator\/\S+\.ts):(\d+):/.exec(stderr) ?? [];
  const source = await readFile(path, "utf8");
  expect(source.split("\n")[Number(line) - 1]).toContain(".padEnd(");
});
