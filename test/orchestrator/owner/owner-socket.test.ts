/** An owner's socket and hostile clients, over real Unix sockets. */

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ask, connectOwner } from "../../../orchestrator/owner/owner-client.ts";
import { type Answer, listenAt, type OwnerSocket } from "../../../orchestrator/owner/owner-socket.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";

let folder: string;
let path: string;
let owner: OwnerSocket;
const never = new AbortController().signal;

/** Octets that the endless answer had given when it was told that its client is gone. */
let endlessOctets: number;

const answer: Answer = (request, signal) => {
  switch (request.type) {
    case "status":
      return values("standing");
    case "end":
      return refusal();
    case "logs":
      return endless(signal);
  }
};

async function* values(...all: readonly unknown[]): AsyncGenerator<unknown, void> {
  await Promise.resolve();
  yield* all;
}

async function* refusal(): AsyncGenerator<unknown, void> {
  yield await Promise.resolve("first");
  throw new TestbedError("leak", "something stays", { hint: "look" });
}

async function* endless(signal: AbortSignal): AsyncGenerator<unknown, void> {
  const piece = "x".repeat(100_000);
  for (endlessOctets = 0; !signal.aborted; endlessOctets += piece.length) {
    yield piece;
    await sleep(0);
  }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "owner-socket-"));
  path = join(folder, "lab.sock");
  owner = await listenAt(path, answer);
});
afterEach(async () => {
  await owner.close();
  rmSync(folder, { recursive: true });
});

async function connected(): Promise<Socket> {
  const socket = await connectOwner(path);
  if (socket === undefined) throw new Error("expected an owner to listen");
  return socket;
}

async function status(): Promise<unknown> {
  for await (const value of ask(await connected(), { type: "status" }, never)) return value;
  return undefined;
}

test("is open to its user alone", () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

describe("a client", () => {
  test("is answered value by value, and by the error that ends them", async () => {
    expect(await status()).toBe("standing");
    const seen: unknown[] = [];
    const asking = async (): Promise<void> => {
      for await (const value of ask(await connected(), { type: "end" }, never)) seen.push(value);
    };
    await expect(asking()).rejects.toMatchObject({ code: "leak", message: "something stays", hint: "look" });
    expect(seen).toEqual(["first"]);
  });

  test.each([
    ["garbage", "\u0000\u0001 no JSON\n"],
    ["another request", '{"type":"format-disk"}\n'],
    ["a request with more in it", '{"type":"status","more":1}\n'],
    ["a line of 100 MB", `${"x".repeat(100_000_000)}\n`],
  ])("that sends %s is told so, and the next one is served", async (_, sent) => {
    const socket = connect(path);
    socket.on("error", () => undefined);
    socket.write(sent);
    const said = await text(socket).catch(() => "");
    if (sent.length < 1000) expect(said).toContain('"code":"bad-usage"');
    expect(await status()).toBe("standing");
  });

  test("that goes in mid-answer ends the answer", async () => {
    const socket = await connected();
    socket.write('{"type":"logs","nodes":[],"follow":true}\n');
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await sleep(100);
    const soFar = endlessOctets;
    await sleep(100);
    expect(endlessOctets).toBe(soFar);
    expect(await status()).toBe("standing");
  });

  test("that stops to read is let go once 8 MB wait for it", async () => {
    const socket = await connected();
    socket.pause();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.write('{"type":"logs","nodes":[],"follow":true}\n');
    await expect.poll(() => endlessOctets, { timeout: 20_000 }).toBeGreaterThan(8_000_000);
    socket.resume();
    await closed;
    expect(endlessOctets).toBeLessThan(12_000_000);
  });

  test("whose owner is gone is told so; the socket of a dead one is removed", async () => {
    await owner.close();
    expect(await connectOwner(path)).toBeUndefined();
    owner = await listenAt(path, answer);
    const asking = (async () => {
      for await (const piece of ask(await connected(), { type: "logs", nodes: [], follow: true }, never))
        if (piece !== undefined) void owner.close();
    })();
    await expect(asking).rejects.toMatchObject({ code: "lab-ended" });
  });
});
