/** The topology nat-nat without an orchestrator: Docker Compose starts what a run would, and the nodes do the rest. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentReport } from "@testbed/agent/control";
import { decodeReport } from "@testbed/agent/control";
import { GenericContainer, type StartedTestContainer } from "testcontainers";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";

const { test } = await needs("engine");

const PROJECT = "mice-e2e-by-hand";
const SOCKET = "/var/run/docker.sock";
const TIMEOUT_MS = 60_000;

let compose: StartedTestContainer;
const run = async (...args: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await compose.exec(["docker-compose", "-p", PROJECT, ...args], {
    workingDir: "/",
  });
  if (exitCode !== 0) throw new Error(`docker-compose ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout;
};

beforeAll(async () => {
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const engine = await connectEngine();
  await ensureImage(engine, "node", () => undefined);
  compose = await new GenericContainer(await ensureImage(engine, "tools", () => undefined))
    .withCommand(["sleep", "600"])
    .withAutoRemove(true)
    .withBindMounts([{ source: SOCKET, target: SOCKET }])
    .withCopyContentToContainer([
      { content: await readFile(join(PACKAGE_ROOT, "docker-compose.yml")), target: "/docker-compose.yml" },
    ])
    .start();
});
afterAll(async () => {
  await run("down", "-t", "0");
  await compose.stop();
});

test("reaches the direct path between both homes, and data crosses, with nothing but docker-compose up", async () => {
  await run("up", "-d");

  const reports = await reportsOf("mn", (seen) => seen.some(({ type }) => type === "reply"));

  const events = reports.flatMap((report) => (report.type === "event" ? [report.event] : []));
  const types = (type: "nominated" | "path") =>
    events.flatMap((event) => (event.type === type ? [[event.pair?.local.type, event.pair?.remote.type]] : []));
  expect(types("nominated")).toEqual([["server-reflexive", "server-reflexive"]]);
  expect(events.find(({ type }) => type === "path")).toMatchObject({ path: "direct" });
  const reply = reports.find((report) => report.type === "reply");
  expect(reply?.result).toMatchObject({ sent: 5, received: 5, duplicates: 0 });
});

/** The reports of a node, once `isEnough`. */
async function reportsOf(
  node: string,
  isEnough: (reports: readonly AgentReport[]) => boolean,
): Promise<readonly AgentReport[]> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const lines = (await run("logs", "--no-color", "--no-log-prefix", node)).split("\n");
    const reports = lines.flatMap((line) => {
      const report = decodeReport(line);
      return report.ok ? [report.value] : [];
    });
    if (isEnough(reports)) return reports;
    if (performance.now() > deadline) throw new Error(`${node} got no further than:\n${lines.slice(-20).join("\n")}`);
    await sleep(250);
  }
}
