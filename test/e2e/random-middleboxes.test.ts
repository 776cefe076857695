/**
 * Random networks with real agents, compared with the model's predictions.
 *
 * `TESTBED_RANDOM_RUNS` is how many (6), `TESTBED_RANDOM_SEED` the number of the first; a failure names its number.
 */

import { afterAll, beforeAll, expect } from "vitest";
import { createRuntime } from "../../orchestrator/commands/create-runtime.ts";
import { runMatrix } from "../../orchestrator/commands/matrix/run-matrix.ts";
import { labTimeouts } from "../../orchestrator/lab/lab-timeouts.ts";
import { formatIssue } from "../../orchestrator/topology/file/issue.ts";
import type { MatrixCell } from "../../orchestrator/topology/matrix/cells.ts";
import { predictSession } from "../../orchestrator/topology/predict/predict.ts";
import { loadTopology } from "../../orchestrator/topology/resolve/load.ts";
import { needs } from "../support/needs.ts";
import { temporaryDirectory } from "../support/run-cli.ts";
import { drawNetwork } from "./random-middleboxes/draw-network.ts";
import { REGRESSIONS } from "./random-middleboxes/regressions.ts";

const { test } = await needs("netns");

const RUNS = Number(process.env["TESTBED_RANDOM_RUNS"] ?? 6);
const FIRST = Number(process.env["TESTBED_RANDOM_SEED"] ?? Date.now() % 1_000_000_000);
const SEEDS = [...REGRESSIONS.map(({ seed }) => seed), ...Array.from({ length: RUNS }, (_, i) => FIRST + i)];

/** Enough to use the waiting time of one for the work of others. */
const JOBS = 8;

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
});
afterAll(() => out.remove());

test(`${SEEDS.length} networks from ${FIRST} on do what the model says`, {
  timeout: 60_000 + 10_000 * SEEDS.length,
}, async () => {
  const cells = SEEDS.map(cellOf).filter(isDecided);
  const { results, error } = await runMatrix({
    cells,
    runtime: await createRuntime("netns", () => undefined),
    jobs: JOBS,
    timeoutMs: 90_000,
    timeouts: labTimeouts(1),
    signal: new AbortController().signal,
    directory: out.path,
    onProgress: () => undefined,
  });
  expect(error).toBeUndefined();
  const surprises = results.filter((cell) => cell.surprise !== undefined || cell.error !== undefined);
  const told = surprises.map(({ mn, predicted, observed, reasons, error: failure }) => {
    const found = failure?.message ?? `predicted ${predicted}, observed ${observed ?? "nothing"}`;
    return [`TESTBED_RANDOM_SEED=${mn} TESTBED_RANDOM_RUNS=1: ${found}`, ...reasons, drawNetwork(Number(mn))].join(
      "\n",
    );
  });
  expect(told).toEqual([]);
  expect(results).toHaveLength(cells.length);
});

test("a number gives the same network for ever", () => {
  expect(drawNetwork(1)).toMatchInlineSnapshot(`
    "name: random
    summary: Drawn from 1
    segments:
      internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
      mn-lan: { ipv4: 192.168.1.0/24 }
      cn-lan: { ipv4: 198.18.2.0/24 }
    nodes:
      ha-a: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }
      ha-b: { role: home-agent, on: internet, homePrefix: 2001:db8:b::/64 }
      box-mn: { role: router, wan: internet, lan: mn-lan, nat: { mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload, unsolicited: poison } }
      mn: { role: mobile-node, homeAgent: ha-a, on: mn-lan }
      box-cn: { role: router, wan: internet, lan: cn-lan, firewall: open }
      cn: { role: correspondent-node, homeAgent: ha-b, on: cn-lan }
    sessions:
      - { from: cn, to: mn, traffic: ping }
    seed: 531227
    "
  `);
});

/** Where stray packets poison, the path of one network in a hundred depends on who checks first. */
function isDecided({ prediction: { why } }: MatrixCell): boolean {
  return !why.includes("This depends on who checks first.");
}

/** A cell outside any matrix: its number replaces the name of a middlebox. */
function cellOf(seed: number): MatrixCell {
  const text = drawNetwork(seed);
  const loaded = loadTopology(text, `random ${seed}`);
  if (!loaded.ok) throw new Error([...loaded.issues.map(formatIssue), text].join("\n"));
  const { topology } = loaded;
  const [session] = topology.sessions;
  if (session === undefined) throw new Error(`no session in the network of ${seed}`);
  const offerer = session.from === "mn" ? "mn" : "cn";
  const name = String(seed);
  return { mn: name, cn: name, offerer, text, topology, prediction: predictSession(topology, session) };
}
