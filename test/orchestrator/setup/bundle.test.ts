import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AgentBundle,
  buildAgentBundle,
  currentAgentBundle,
  nodeImageContext,
  nodeImageDigest,
  toolsImageContext,
} from "../../../orchestrator/setup/bundle.ts";
import { PACKAGE_ROOT } from "../../../orchestrator/support/package-root.ts";

let directory: string;
let bundle: AgentBundle;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-bundle-"));
  bundle = await buildAgentBundle(directory);
});
afterAll(() => rm(directory, { recursive: true }));

const FILES = ["agent.cjs", "koffi.node", "program.cjs", "program.cjs.map"];

test("the agent is a launcher with its program, source map and addon beside it", async () => {
  expect((await readdir(directory)).sort()).toEqual(FILES);
});

test("the bundle names no place of the machine that it was built on", async () => {
  for (const file of ["agent.cjs", "program.cjs", "program.cjs.map"])
    expect(await readFile(join(directory, file), "utf8")).not.toContain(process.cwd());
});

test("a second build replaces the files and leaves nothing beside them", async () => {
  await buildAgentBundle(directory);
  expect((await readdir(directory)).sort()).toEqual(FILES);
});

test("sources that have not changed are built once", async () => {
  const [first, second] = [await currentAgentBundle(), await currentAgentBundle()];
  expect(second).toEqual(first);
  expect((await readdir(first.directory)).filter((name) => name !== "code").sort()).toEqual(FILES);
});

test("the build context has every file that the node's Dockerfile copies, and all exist", async () => {
  const context = await nodeImageContext(bundle);
  const [dockerfile] = context;
  const text = await readFile(dockerfile?.source ?? "", "utf8");
  const copied = [...text.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, files = ""]) => files.split(" "));
  expect(context.map(({ path }) => path).sort()).toEqual(["Dockerfile", ...copied].sort());
  for (const { source } of [...context, ...toolsImageContext()]) expect((await stat(source)).isFile()).toBe(true);
});

test("both Dockerfiles take their base from the build argument", async () => {
  for (const { source } of [...(await nodeImageContext(bundle)).slice(0, 1), ...toolsImageContext()]) {
    const text = await readFile(source, "utf8");
    expect(text).toContain("ARG BASE_IMAGE=debian:bookworm-slim\nFROM ${BASE_IMAGE}\n");
  }
});

test("the digest of the image's inputs is the same as long as they are", async () => {
  expect(await nodeImageDigest()).toBe(await nodeImageDigest());
  expect(await nodeImageDigest()).toMatch(/^[0-9a-f]{64}$/);
});

describe("another checkout", () => {
  let checkout: string;
  beforeAll(async () => {
    checkout = await mkdtemp(join(tmpdir(), "mice-checkout-"));
    for (const path of ["package.json", "agent/src", "images/node", "orchestrator"])
      await cp(join(PACKAGE_ROOT, path), join(checkout, path), { recursive: true });
    await symlink(join(PACKAGE_ROOT, "node_modules"), join(checkout, "node_modules"));
  });
  afterAll(() => rm(checkout, { recursive: true }));

  /** Evaluates an expression with the checkout's `bundle.ts`; the result as JSON. */
  async function evaluate(expression: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const program = `
      const bundle = await import(${JSON.stringify(join(checkout, "orchestrator/setup/bundle.ts"))});
      console.log(JSON.stringify(await ${expression}));`;
    const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", program], { env });
    return JSON.parse(stdout);
  }

  test("of the same sources has the same image", async () => {
    expect(await evaluate("bundle.nodeImageDigest()")).toBe(await nodeImageDigest());
  });

  test("that cannot be written, of a user without a cache, builds for as long as the program runs", async () => {
    await writeFile(join(checkout, "images/.build"), "not a directory");
    await writeFile(join(checkout, "home"), "not a directory");
    const built =
      "bundle.currentAgentBundle().then(({ entry }) => [entry, process.getBuiltinModule('fs').existsSync(entry)])";
    const [entry, wasThere] = (await evaluate(built, { HOME: join(checkout, "home") })) as [string, boolean];
    expect(entry.startsWith(join(tmpdir(), "mice-testbed-"))).toBe(true);
    expect(wasThere).toBe(true);
    expect(existsSync(entry)).toBe(false);
  });
});
