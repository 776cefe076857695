import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type AgentBundle,
  buildAgentBundle,
  currentAgentBundle,
  nodeImageContext,
  nodeImageDigest,
  toolsImageContext,
} from "../../../orchestrator/setup/bundle.ts";

let directory: string;
let bundle: AgentBundle;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-bundle-"));
  bundle = await buildAgentBundle(directory);
});
afterAll(() => rm(directory, { recursive: true }));

test("the agent is a launcher with its program and addon beside it", async () => {
  expect((await readdir(directory)).sort()).toEqual(["agent.cjs", "koffi.node", "program.cjs"]);
});

test("the bundle names no place of the machine that it was built on", async () => {
  for (const file of ["agent.cjs", "program.cjs"])
    expect(await readFile(join(directory, file), "utf8")).not.toContain(process.cwd());
});

test("a second build replaces the files and leaves nothing beside them", async () => {
  await buildAgentBundle(directory);
  expect(await readdir(directory)).toHaveLength(3);
});

test("sources that have not changed are built once", async () => {
  const [first, second] = [await currentAgentBundle(), await currentAgentBundle()];
  expect(second).toEqual(first);
  expect((await readdir(first.directory)).filter((name) => !name.endsWith(".code")).sort()).toEqual([
    "agent.cjs",
    "koffi.node",
    "program.cjs",
  ]);
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
