/** The first file of the command line, in small trees of its own: whose bundle it runs. */

import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

let directory: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "mice-launch-")));
  await mkdir(join(directory, "node_modules"));
  for (const name of ["esbuild", "@esbuild"]) {
    await symlink(join(PACKAGE_ROOT, "node_modules", name), join(directory, "node_modules", name));
  }
});
afterEach(() => rm(directory, { recursive: true }));

/** A tree whose command line prints an expression. Its dependencies, and so its bundles, lie in the shared directory. */
async function makeTree(name: string, expression: string): Promise<string> {
  const tree = join(directory, name);
  await mkdir(join(tree, "orchestrator"), { recursive: true });
  await mkdir(join(tree, "agent/src"), { recursive: true });
  await writeFile(join(tree, "package.json"), '{ "type": "module" }');
  await writeFile(join(tree, "package-lock.json"), "{}");
  await symlink(join(directory, "node_modules"), join(tree, "node_modules"));
  await cp(join(PACKAGE_ROOT, "orchestrator/launch.js"), join(tree, "orchestrator/launch.js"));
  await writeFile(join(tree, "orchestrator/cli.ts"), `const said: unknown = ${expression};\nconsole.log(said);\n`);
  return tree;
}

async function launch(tree: string): Promise<string> {
  return (await execa(process.execPath, [join(tree, "orchestrator/launch.js")])).stdout;
}

test("equal trees that share their dependencies find their own files", async () => {
  for (const name of ["one", "other"]) {
    const tree = await makeTree(name, "import.meta.url");
    expect(await launch(tree)).toBe(pathToFileURL(join(tree, "orchestrator/cli.ts")).href);
  }
});

test("a source that changes is run as it is now", async () => {
  const tree = await makeTree("one", '"before"');
  expect(await launch(tree)).toBe("before");
  await writeFile(join(tree, "orchestrator/cli.ts"), 'console.log("after");\n');
  expect(await launch(tree)).toBe("after");
});

test("bundles of the last hours stay, however many: a run may still have to load a part of its own", async () => {
  const tree = await makeTree("one", "0");
  const cache = join(directory, "node_modules/.cache/testbed");
  await launch(tree);
  const [first = ""] = await readdir(cache);
  for (let i = 1; i <= 5; i += 1) {
    await writeFile(join(tree, "orchestrator/cli.ts"), `console.log(${i});\n`);
    await launch(tree);
  }
  expect(await readdir(cache)).toHaveLength(6);
  const longAgo = new Date(Date.now() - 7 * 3600 * 1000);
  await utimes(join(cache, first), longAgo, longAgo);
  await writeFile(join(tree, "orchestrator/cli.ts"), "console.log(6);\n");
  await launch(tree);
  expect(await readdir(cache)).toHaveLength(6);
  expect(await readdir(cache)).not.toContain(first);
});
