import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { createNetnsRuntime } from "../../orchestrator/runtime/netns/netns-runtime.ts";
import { needs } from "../support/needs.ts";
import { buildProgram } from "./node-under-test/image.ts";
import { describeRuntimeContract } from "./node-under-test/runtime-contract.ts";

const { describe } = await needs("netns");

let directory: string;
let program: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-netns-"));
  program = await buildProgram(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const open = () => Promise.resolve(createNetnsRuntime({ agentCommand: [process.execPath, program] }));

describeRuntimeContract({
  name: "netns",
  open,
  keepsClientsApart: true,
  describe,
  traces: async (runId) => {
    const runtime = await open();
    return (await runtime.listLabs()).flatMap((lab) => (lab.runId === runId ? [lab.runId] : []));
  },
});
