import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectEngine, type Engine } from "../../../orchestrator/runtime/docker/engine.ts";
import { findImage, resolveNodeImage } from "../../../orchestrator/setup/images.ts";

/** The engine's images: whether it has the requested one, and the tags that it lists. */
let images: { hasNamed: boolean; tags: string[] };
let server: Server;
let directory: string;
let engine: Engine;

beforeEach(async () => {
  images = { hasNamed: false, tags: [] };
  directory = await mkdtemp(join(tmpdir(), "mice-images-"));
  const socket = join(directory, "docker.sock");
  server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => void response.writeHead(status).end(JSON.stringify(body));
    const path = request.url?.split("?")[0] ?? "";
    if (path === "/version") answer(200, { Version: "20.10.24", ApiVersion: "1.41", Arch: "amd64" });
    else if (path === "/images/json") answer(200, [{ Created: 1, RepoTags: images.tags }]);
    else if (images.hasNamed) answer(200, { Id: "sha256:abc" });
    else answer(404, { message: "No such image" });
  }).listen(socket);
  engine = await connectEngine(`unix://${socket}`);
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

test("an image that today's inputs would give is current", async () => {
  images.hasNamed = true;
  expect(await findImage(engine, "node")).toEqual({ state: "current", id: "sha256:abc" });
  expect(await resolveNodeImage(engine, () => undefined)).toBe("sha256:abc");
});

test("another version of it means that the inputs have changed", async () => {
  images.tags = ["mice-testbed/node:0123456789ab"];
  expect(await findImage(engine, "node")).toEqual({ state: "stale" });
});

test("a run on a machine that was never set up builds nothing and says what to do", async () => {
  images.tags = ["debian:bookworm-slim"];
  await expect(resolveNodeImage(engine, () => undefined)).rejects.toMatchObject({
    code: "no-image",
    exitCode: 3,
    hint: "npm run setup",
  });
});
