import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  connectEngine,
  engineCall,
  engineEndpoint,
  engineMessage,
} from "../../../../orchestrator/runtime/docker/engine.ts";
import { TestbedError } from "../../../../orchestrator/support/errors.ts";

describe("engineEndpoint", () => {
  test("is what DOCKER_HOST says", () => {
    expect(engineEndpoint({ DOCKER_HOST: "tcp://lab:2376" })).toBe("tcp://lab:2376");
  });

  test("is the system's socket when DOCKER_HOST is empty and no other socket is there", () => {
    expect(engineEndpoint({ DOCKER_HOST: "", XDG_RUNTIME_DIR: "/nowhere" })).toMatch(/^unix:\/\/\/.*docker\.sock$/);
  });
});

describe("connectEngine", () => {
  test("says that nothing is there, and what mends it", async () => {
    await expect(connectEngine("unix:///nowhere/docker.sock")).rejects.toMatchObject({
      code: "no-engine",
      exitCode: 3,
      message: "no Docker engine answers at unix:///nowhere/docker.sock: there is no such socket",
      hint: expect.stringContaining("npm run setup") as string,
    });
  });

  test("takes a server that is no engine for no engine", async () => {
    const directory = await mkdtemp(join(tmpdir(), "mice-engine-"));
    const socket = join(directory, "docker.sock");
    const server = createServer((_, response) => response.writeHead(503).end("starting")).listen(socket);
    try {
      await expect(connectEngine(`unix://${socket}`)).rejects.toMatchObject({ code: "no-engine" });
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true });
    }
  });
});

describe("engineMessage", () => {
  test.each([
    [Object.assign(new Error("(HTTP code 409) conflict - x "), { json: { message: "name in use" } }), "name in use"],
    [new Error("(HTTP code 500) server error - dial tcp: no such host "), "dial tcp: no such host"],
    [new Error("socket hang up"), "socket hang up"],
    ["text", "text"],
  ])("finds the engine's own words in %s", (error, message) => {
    expect(engineMessage(error)).toBe(message);
  });
});

describe("engineCall", () => {
  test("says what could not be done, in the engine's words, and keeps the cause", async () => {
    const cause = new Error("(HTTP code 500) server error - no space left on device");
    const failed = engineCall("make segment lan", Promise.reject(cause));
    await expect(failed).rejects.toMatchObject({
      code: "engine-failed",
      message: "the Docker engine could not make segment lan: no space left on device",
      cause,
    });
  });

  test("lets an error through that says more already", async () => {
    const error = new TestbedError("no-image", "no image");
    await expect(engineCall("make node mn", Promise.reject(error))).rejects.toBe(error);
  });
});
