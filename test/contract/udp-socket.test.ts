/** Many datagrams a system call, and one a call where the kernel refuses: what comes is what was sent either way. */

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
  /** Datagrams that came to the refused socket afterwards. */
  readonly heard: number;
  readonly refusals: number;
  readonly told: readonly string[];
  readonly isOfRefused: boolean;
  readonly counters: Readonly<Record<string, number>>;
}

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;
let results: Readonly<Record<"ipv4" | "ipv6" | "withoutSegments", Exchange>> & {
  readonly refused: Readonly<Record<"ipv4" | "ipv6", Refused>>;
};

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
  // Beside the agent's bundle lies the addon that makes the system calls.
  const outfile = join(dirname(bundle.entry), "udp-socket.mjs");
  const entry = fileURLToPath(new URL("udp-socket/program.ts", import.meta.url));
  await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile, logLevel: "silent" });
  const world = await createWorld(bundle.entry);
  try {
    const printed = await world.sh(`ip link set lo up && exec ${process.execPath} ${outfile}`);
    results = JSON.parse(printed) as typeof results;
  } finally {
    await world.end();
  }
});
afterAll(() => bundle.remove());

test.each(["ipv4", "ipv6"] as const)(
  "rows of datagrams come whole, in order and from their sender over %s",
  (family) => {
    const { sent, received, isFromSender, counters } = results[family];
    expect(received).toEqual(sent);
    expect(isFromSender).toBe(true);
    expect(counters).toEqual({ sent: sent.length, refused: 0 });
  },
);

test("datagrams that wait are taken many at a time, as many as the ring has room for", () => {
  expect(Math.max(...results.ipv4.batches)).toBe(64);
});

test("where the kernel does not cut rows apart, each datagram is sent by itself and none twice", () => {
  const { sent, received, counters } = results.withoutSegments;
  expect(received).toEqual(sent);
  expect(counters).toEqual({ sent: sent.length, refused: 0 });
});

test.each([
  ["ipv4", "127.0.0.1"],
  ["ipv6", "::1"],
] as const)("%s: of each datagram that ICMP refuses it is told who did and why", (family, ip) => {
  const { told, isOfRefused, refusals, sent } = results.refused[family];
  expect(told).toEqual([`${ip}: port unreachable`]);
  expect(isOfRefused).toBe(true);
  expect(refusals).toBe(sent.length);
});

test.each(["ipv4", "ipv6"] as const)("%s: a refusal costs no datagram to or from anybody else", (family) => {
  const { sent, received, heard, counters } = results.refused[family];
  expect(heard).toBe(1);
  expect(received).toEqual(sent);
  expect(counters).toMatchObject({ "udp.sent": 2 * sent.length, "udp.refused": 0, "udp.refused-by-icmp": sent.length });
});
