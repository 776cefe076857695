/** Many datagrams per system call and one per call: either way, what was sent arrives. */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { buildBundleUnderTest, createWorld } from "./node-process/world.ts";

const { test } = await needs("netns");

interface Exchange {
  readonly sent: readonly string[];
  readonly received: readonly string[];
  readonly batches: readonly number[];
  readonly isFromSender: boolean;
  readonly counters: { readonly sent: number; readonly refused: number };
}

interface Refused {
  readonly sent: readonly string[];
  readonly received: readonly string[];
  /** Datagrams that reached the refused socket afterwards. */
  readonly heard: number;
  readonly refusals: number;
  readonly told: readonly string[];
  readonly isOfRefused: boolean;
  readonly counters: Readonly<Record<string, number>>;
}

interface Results {
  readonly ipv4: Exchange;
  readonly ipv6: Exchange;
  readonly withoutSegments: Exchange;
  readonly refused: Readonly<Record<"ipv4" | "ipv6", Refused>>;
}

/** The two paths between sockets and kernel, with the environment that selects each. */
const ENVIRONMENTS = { fast: "", plain: "MICE_FAST_PATH=off" } as const;
type Path = keyof typeof ENVIRONMENTS;

const EVERY_WAY = (["fast", "plain"] as const).flatMap((path) => [
  { path, family: "ipv4", ip: "127.0.0.1" } as const,
  { path, family: "ipv6", ip: "::1" } as const,
]);

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;
let results: Readonly<Record<Path, Results>>;

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
  // The addon that makes the system calls is beside the agent's bundle.
  const outfile = join(dirname(bundle.entry), "udp-socket.mjs");
  const entry = fileURLToPath(new URL("udp-socket/program.ts", import.meta.url));
  await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile, logLevel: "silent" });
  const world = await createWorld(bundle.entry);
  try {
    await world.sh("ip link set lo up");
    const run = async (path: Path): Promise<Results> =>
      JSON.parse(await world.sh(`${ENVIRONMENTS[path]} exec ${process.execPath} ${outfile}`)) as Results;
    results = { fast: await run("fast"), plain: await run("plain") };
  } finally {
    await world.end();
  }
});
afterAll(() => bundle.remove());

test.each(EVERY_WAY)(
  "$path path: rows of datagrams come whole, in order and from their sender over $family",
  ({ path, family }) => {
    const { sent, received, isFromSender, counters } = results[path][family];
    expect(received).toEqual(sent);
    expect(isFromSender).toBe(true);
    expect(counters).toEqual({ sent: sent.length, refused: 0 });
  },
);

test("datagrams that wait are taken many at a time, as many as the ring has room for", () => {
  expect(Math.max(...results.fast.ipv4.batches)).toBe(64);
});

test("on the plain path datagrams are taken one by one", () => {
  expect(new Set(results.plain.ipv4.batches)).toEqual(new Set([1]));
});

test("where the kernel does not cut rows apart, each datagram is sent by itself and none twice", () => {
  const { sent, received, counters } = results.fast.withoutSegments;
  expect(received).toEqual(sent);
  expect(counters).toEqual({ sent: sent.length, refused: 0 });
});

test.each(EVERY_WAY)("$path path, $family: of each datagram that ICMP refuses it is told who did and why", (way) => {
  const { told, isOfRefused, refusals, sent } = results[way.path].refused[way.family];
  expect(told).toEqual([`${way.ip}: port unreachable`]);
  expect(isOfRefused).toBe(true);
  expect(refusals).toBe(sent.length);
});

test.each(EVERY_WAY)("$path path, $family: a refusal costs no datagram to or from anybody else", ({ path, family }) => {
  const { sent, received, heard, counters } = results[path].refused[family];
  expect(heard).toBe(1);
  expect(received).toEqual(sent);
  expect(counters).toMatchObject({ "udp.sent": 2 * sent.length, "udp.refused": 0, "udp.refused-by-icmp": sent.length });
});
