/** Captures of a segment show what leaves a node: frames that fit the segment, with complete checksums. */

import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { needs } from "../support/needs.ts";
import type { AgentProcess } from "./node-process/agent-process.ts";
import { hasRightChecksum, interfaceOf, parsePcap } from "./node-process/pcap.ts";
import { setupOf } from "./node-process/setups.ts";
import { buildBundleUnderTest, createWorld, type World } from "./node-process/world.ts";

const { test } = await needs("netns");

const TCP = 6;
const FULL_FRAME_OCTETS = 1514;
/** About seventy full-sized frames, in one write. */
const SENT_OCTETS = 100_000;

const SINK = `require("node:net").createServer((socket) => socket.resume().on("end", () => process.exit()))
  .listen(7000, "::", () => console.log("ready"))`;

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;
let world: World;

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  world = await createWorld(bundle.entry);
});
afterEach(() => world.end());

async function startNode(number: number, capture: boolean): Promise<AgentProcess> {
  await world.addNode(`n${number}`, [{ interfaceName: "eth0", bridge: "segment" }]);
  const agent = world.startAgent(`n${number}`, { setup: setupOf(number, { capture }) });
  await agent.report("ready");
  return agent;
}

/** Protocol carried by an IPv4 or IPv6 frame. */
function protocolOf(frame: Buffer): number | undefined {
  const type = frame.readUInt16BE(12);
  if (type === 0x0800) return frame.readUInt8(23);
  return type === 0x86dd ? frame.readUInt8(20) : undefined;
}

test.each([
  { version: 4, to: "198.18.0.2" },
  { version: 6, to: "2001:db8::2" },
])("a long write over IPv$version comes as frames that fit the segment, each with its checksum", async ({ to }) => {
  const sender = await startNode(1, true);
  await startNode(2, false);
  const sink = world.spawnIn("n2", [process.execPath, "-e", SINK]);
  await once(sink.stdout, "data");
  await world.shIn("n1", `bash -c 'head -c ${SENT_OCTETS} /dev/zero > "/dev/tcp/${to}/7000"'`);
  if (sink.exitCode === null) await once(sink, "exit");
  sender.send({ type: "finish" });
  await sender.exited;

  const frames = parsePcap(interfaceOf(sender.reports, "net")).filter((frame) => protocolOf(frame) === TCP);
  expect(frames.reduce((sum, frame) => sum + frame.length, 0)).toBeGreaterThan(SENT_OCTETS);
  expect(Math.max(...frames.map(({ length }) => length))).toBe(FULL_FRAME_OCTETS);
  expect(frames.filter((frame) => !hasRightChecksum(frame))).toEqual([]);
});

test("an interface that refuses is named", async () => {
  const outfile = join(dirname(bundle.entry), "offload.mjs");
  const entry = fileURLToPath(new URL("offload/program.ts", import.meta.url));
  await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile, logLevel: "silent" });
  const EOPNOTSUPP = 95;
  expect(JSON.parse(await world.sh(`exec ${process.execPath} ${outfile} lo`))).toEqual({
    code: "setup-failed",
    message: `lo: transmit checksum offload cannot be turned off: errno ${EOPNOTSUPP}`,
  });
});
