/** Requests to an engine that falls silent, or whose connections are cut. */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectEngine, type Engine, engineCall, engineFault } from "../../../../orchestrator/runtime/docker/engine.ts";
import { removeRun, removeRunPersistently } from "../../../../orchestrator/runtime/docker/removal.ts";
import { type EngineProxy, startEngineProxy } from "../../../support/engine-proxy.ts";

let server: Server;
let proxy: EngineProxy;
let engine: Engine;
let directory: string;
let networks: { Id: string; Name: string }[];

/** An engine with one network. */
beforeEach(async () => {
  networks = [{ Id: "n1", Name: "mice-r-lan" }];
  directory = await mkdtemp(join(tmpdir(), "mice-loss-"));
  const socket = join(directory, "docker.sock");
  server = createServer((request, response) => {
    const answer = (body: unknown): void => void response.writeHead(200).end(JSON.stringify(body));
    const path = request.url?.split("?")[0];
    if (request.method === "DELETE") {
      networks = [];
      response.writeHead(204).end();
    } else if (path === "/version") answer({ Version: "20.10.24", ApiVersion: "1.41" });
    else answer(path === "/networks" ? networks : []);
  }).listen(socket);
  proxy = await startEngineProxy(socket);
  engine = await connectEngine(proxy.endpoint);
});

afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

test("a request that is not answered in time is an error of the engine", async () => {
  proxy.stall();
  await expect(engineCall("list the labs", engine.docker.listNetworks(), 50)).rejects.toMatchObject({
    code: "engine-failed",
    message: "the Docker engine could not list the labs: no answer within 0.05 s",
    hint: expect.stringContaining("docker info") as string,
  });
});

test("a lab is removed over a connection of its own, whatever became of that of the run", async () => {
  const underWay = engine.docker.listNetworks().catch((error: unknown) => error);
  proxy.reset();
  expect(await removeRunPersistently(engine, "r")).toEqual({ leftovers: [] });
  expect(networks).toEqual([]);
  await underWay;
});

test("a lab is tried again to be removed where the connection is cut meanwhile", async () => {
  server.prependOnceListener("request", (request) => request.socket.destroy());
  expect(await removeRunPersistently(engine, "r")).toEqual({ leftovers: [] });
  expect(networks).toEqual([]);
});

test("an engine that cannot be reached leaves over nothing by name: the caller is told", async () => {
  await proxy.close();
  await expect(removeRun(engine, "r")).rejects.toMatchObject({ code: "engine-failed" });
});

test("whether an engine still answers is asked over a new connection", async () => {
  proxy.reset();
  expect(await engineFault(engine)).toBeUndefined();
  await proxy.close();
  expect(await engineFault(engine)).toMatchObject({
    code: "engine-failed",
    message: expect.stringContaining(`no Docker engine answers at ${proxy.endpoint}`) as string,
  });
});
