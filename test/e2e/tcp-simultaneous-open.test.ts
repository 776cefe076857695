/** TCP hole punching by programs that are not ours, through pairs of NATs in one lab, compared with the prediction. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { formatIssue } from "../../orchestrator/topology/file/issue.ts";
import { withoutLength } from "../../orchestrator/topology/model/address-text.ts";
import type { ResolvedTopology } from "../../orchestrator/topology/model/resolved.ts";
import {
  predictTcpHolePunching,
  type TcpEnd,
  type TcpHolePunching,
} from "../../orchestrator/topology/predict/tcp-hole-punching.ts";
import { loadTopology } from "../../orchestrator/topology/resolve/load.ts";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns", "python3");

const PROGRAM = join(PACKAGE_ROOT, "test/e2e/tcp-simultaneous-open/punch.py");

const NATS = {
  cone: "preset: port-restricted-cone",
  "other-cone": "preset: port-restricted-cone",
  resetting: "preset: port-restricted-cone, tcp: { unsolicitedSyn: reset }",
  telling: "preset: port-restricted-cone, tcp: { unsolicitedSyn: icmp }",
  open: "preset: full-cone",
  symmetric: "preset: symmetric",
} as const;

type Nat = keyof typeof NATS;

interface Pair {
  /** The NATs of the two ends. */
  readonly nats: readonly [Nat, Nat];
  /** How much later the second end connects. */
  readonly laterSec: number;
  readonly predicted: TcpHolePunching["path"];
  /** How each end got its connection. */
  readonly ends: readonly [string, string];
}

const PAIRS: readonly Pair[] = [
  // Nobody accepts: each end's own attempt is answered by the other's SYN (RFC 9293 section 3.5, simultaneous open).
  { nats: ["cone", "other-cone"], laterSec: 0, predicted: "direct", ends: ["connected", "connected"] },
  { nats: ["cone", "other-cone"], laterSec: 0.8, predicted: "direct", ends: ["connected", "connected"] },
  { nats: ["cone", "resetting"], laterSec: 0, predicted: "timing", ends: ["connected", "connected"] },
  { nats: ["cone", "resetting"], laterSec: 0.8, predicted: "timing", ends: ["nothing", "nothing"] },
  { nats: ["cone", "telling"], laterSec: 0.8, predicted: "timing", ends: ["nothing", "nothing"] },
  { nats: ["symmetric", "other-cone"], laterSec: 0, predicted: "none", ends: ["nothing", "nothing"] },
  { nats: ["symmetric", "open"], laterSec: 0, predicted: "direct", ends: ["connected", "accepted"] },
];

const portOf = (pair: number): number => 6000 + pair;

/** What the host behind a NAT is told of its ends. */
function endsBehind(nat: string): string {
  return JSON.stringify(
    PAIRS.flatMap(({ nats, laterSec }, i) =>
      nats.flatMap((each, side) => (each === nat ? [[`pair-${i}`, portOf(i), side === 0 ? 0 : laterSec]] : [])),
    ),
  );
}

/** `files` is what the hosts have: without, the text can be read by itself. Delays make SYNs cross. */
const topologyWith = (files: string): string => `
name: tcp-simultaneous-open
summary: Pairs of hosts that open TCP connections through their NATs
segments:
  internet: { ipv4: 198.18.0.0/24 }
${Object.keys(NATS)
  .map((nat) => `  lan-${nat}: { ipv4: 192.168.1.0/24 }`)
  .join("\n")}
nodes:
  server: { role: host, on: internet, service: true, files: { ${files} }, command: [python3, /opt/punch.py, serve] }
${Object.entries(NATS)
  .map(
    ([nat, behaviour]) => `
  nat-${nat}: { role: router, wan: internet, lan: lan-${nat}, nat: { ${behaviour}, ports: 30000-30099 } }
  at-${nat}:
    role: host
    on: lan-${nat}
    files: { ${files} }
    command: [sh, -c, 'exec python3 /opt/punch.py ends "$MICE_NODE_SERVER_IPV4" "$0"', ${JSON.stringify(endsBehind(nat))}]`,
  )
  .join("")}
links:
${Object.keys(NATS)
  .map((nat) => `  nat-${nat}/internet: { delay: 100ms }`)
  .join("\n")}
`;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

function endOf({ nodes }: ResolvedTopology, name: string, port: number): TcpEnd {
  const node = nodes.find((candidate) => candidate.name === name);
  const ipv4 = node?.interfaces[0]?.ipv4;
  if (node === undefined || ipv4 === undefined) throw new Error(`no ${name} with IPv4`);
  return { node, socket: { ip: withoutLength(ipv4), port } };
}

test("hosts connect through two NATs where it is predicted, through cone NATs by simultaneous open", async () => {
  const loaded = loadTopology(topologyWith(""), "tcp-simultaneous-open.yaml");
  if (!loaded.ok) throw new Error(loaded.issues.map(formatIssue).join("\n"));
  const { topology } = loaded;
  const predicted = PAIRS.map(({ nats: [from, to] }, i) => {
    const endAt = (nat: Nat): TcpEnd => endOf(topology, `at-${nat}`, portOf(i));
    return predictTcpHolePunching(topology, { from: endAt(from), to: endAt(to) }, endOf(topology, "server", 5000)).path;
  });
  expect(predicted).toEqual(PAIRS.map((pair) => pair.predicted));

  await writeFile(join(directory.path, "tcp-simultaneous-open.yaml"), topologyWith(`/opt/punch.py: ${PROGRAM}`));
  const args = ["tcp-simultaneous-open.yaml", "--out", "results", "--runtime", "netns", "--no-capture"];
  const run = await runCli(args, { cwd: directory.path });
  expect(run.exitCode, run.stdout + run.stderr).toBe(0);
  const log = (nat: Nat) => readFile(join(directory.path, `results/latest/logs/at-${nat}.log`), "utf8");
  const outcome = async (nat: Nat, pair: number) => new RegExp(`^pair-${pair} (.*)$`, "m").exec(await log(nat))?.[1];
  const seen = await Promise.all(PAIRS.map(({ nats: [a, b] }, i) => Promise.all([outcome(a, i), outcome(b, i)])));
  expect(seen).toEqual(PAIRS.map(({ ends }) => ends));
});
