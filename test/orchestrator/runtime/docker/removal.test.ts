import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectEngine, type Engine } from "../../../../orchestrator/runtime/docker/engine.ts";
import { removeRun } from "../../../../orchestrator/runtime/docker/removal.ts";

/** An engine with one labelled network and nothing else, and its answers to requests for that network. */
interface FakeEngine {
  removal: { status: number; message: string };
  containers: Record<string, { Name: string }>;
  removalsAsked: number;
}

let fake: FakeEngine;
let server: Server;
let directory: string;
let engine: Engine;

beforeEach(async () => {
  fake = { removal: { status: 204, message: "" }, containers: {}, removalsAsked: 0 };
  directory = await mkdtemp(join(tmpdir(), "mice-removal-"));
  const socket = join(directory, "docker.sock");
  server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => void response.writeHead(status).end(JSON.stringify(body));
    const path = request.url?.split("?")[0];
    if (request.method === "DELETE") {
      fake.removalsAsked++;
      answer(fake.removal.status, { message: fake.removal.message });
    } else if (path === "/version") answer(200, { Version: "20.10.24", ApiVersion: "1.41" });
    else if (path === "/containers/json") answer(200, []);
    else if (path === "/networks") answer(200, [{ Id: "n1", Name: "mice-r-lan" }]);
    else answer(200, { Id: "n1", Name: "mice-r-lan", Containers: fake.containers });
  }).listen(socket);
  engine = await connectEngine(`unix://${socket}`);
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

const IN_USE = { status: 403, message: "error while removing network: network mice-r-lan id n1 has active endpoints" };

test("a network that the engine counts endpoints of for ever is tried again, then reported as the engine's leak", async () => {
  fake.removal = IN_USE;
  const { leftovers } = await removeRun(engine, "r", 100);
  expect(fake.removalsAsked).toBeGreaterThan(2);
  expect(leftovers).toEqual([expect.stringMatching(/^network mice-r-lan: .*moby#42119.*systemctl restart docker/)]);
});

test("a network that somebody else's container is on is reported with that container", async () => {
  fake.removal = IN_USE;
  fake.containers = { c1: { Name: "theirs" } };
  const { leftovers } = await removeRun(engine, "r", 0);
  expect(leftovers).toEqual([expect.stringContaining("docker network disconnect -f mice-r-lan theirs")]);
});

test("a network that is gone by itself is no leftover", async () => {
  fake.removal = { status: 404, message: "network n1 not found" };
  expect(await removeRun(engine, "r")).toEqual({ leftovers: [] });
});

test("any other refusal is reported in the engine's words", async () => {
  fake.removal = { status: 500, message: "disk on fire" };
  expect(await removeRun(engine, "r")).toEqual({
    leftovers: ["network mice-r-lan: disk on fire; docker network rm mice-r-lan"],
  });
});
