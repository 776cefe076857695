/** Labs of NATs and firewalls in kernel namespaces that only verify them. */

import { createRuntime } from "../../orchestrator/commands/create-runtime.ts";
import { labTimeouts } from "../../orchestrator/lab/lab-timeouts.ts";
import type { LifetimeVerification } from "../../orchestrator/lab/lifetime-verification.ts";
import type { NatVerification } from "../../orchestrator/lab/nat-verification.ts";
import { runLab } from "../../orchestrator/lab/run-lab.ts";
import { buildPlan } from "../../orchestrator/plan/build-plan.ts";
import type { NodeSpec } from "../../orchestrator/plan/plan.ts";
import { planProbes } from "../../orchestrator/plan/probe-plan.ts";
import type { Unprobed } from "../../orchestrator/plan/unprobed.ts";
import { currentProcess } from "../../orchestrator/support/process-identity.ts";
import { formatIssue } from "../../orchestrator/topology/file/issue.ts";
import type { ResolvedTopology } from "../../orchestrator/topology/model/resolved.ts";
import { loadTopology } from "../../orchestrator/topology/resolve/load.ts";

export const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

/** One home behind a router: the router's keys in a topology file after its segments, and the number of hosts. */
export interface Home {
  readonly name: string;
  readonly middlebox: string;
  readonly hosts?: number;
  readonly ipv6?: boolean;
  /** The segment outside the router; the internet when absent. */
  readonly behind?: string;
}

/** Homes on one internet with one STUN server; all of them use the same IPv4 network. */
export function homesTopology(homes: readonly Home[], more: { segments?: string; nodes?: string } = {}): string {
  const segments = homes.map(({ name, ipv6 }, i) => {
    const dual = ipv6 === true ? `, ipv6: "2001:db8:1:${i + 1}::/64"` : "";
    return `  lan-${name}: { ipv4: 192.168.1.0/24${dual} }`;
  });
  const nodes = homes.flatMap(({ name, middlebox, hosts = 1, behind = "internet" }) => [
    `  box-${name}: { role: router, wan: ${behind}, lan: lan-${name}, ${middlebox} }`,
    ...Array.from({ length: hosts }, (_, i) => `  host${i}-${name}: { role: host, on: lan-${name}, image: x }`),
  ]);
  return `
name: middleboxes
summary: Middleboxes that prove themselves
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: "2001:db8:0:1::/64" }
${[...segments, more.segments ?? ""].join("\n")}
nodes:
  stun: { role: stun-server, on: internet }
${[...nodes, more.nodes ?? ""].join("\n")}
`;
}

export function resolveText(text: string): ResolvedTopology {
  const loaded = loadTopology(text, "middleboxes.yaml");
  if (!loaded.ok) throw new Error(loaded.issues.map(formatIssue).join("\n"));
  return loaded.topology;
}

/** The outcome of a lab. */
export interface Proven {
  /** By the router whose LAN was probed from, such as `box-a`; of several hosts, each has a verification. */
  readonly verifications: ReadonlyMap<string, readonly NatVerification[]>;
  readonly lifetimes: ReadonlyMap<string, LifetimeVerification>;
  readonly notProbed: readonly Unprobed[];
  readonly error: unknown;
}

/** Runs a lab; `change` may make a node differ from its declaration. */
export async function prove(
  text: string,
  { change = (node) => node, lifetimes = false }: { change?: (node: NodeSpec) => NodeSpec; lifetimes?: boolean } = {},
): Promise<Proven> {
  const topology = resolveText(text);
  const plan = buildPlan(topology, { capture: false });
  const probes = planProbes(topology);
  const runtime = await createRuntime("netns", () => undefined);
  const record = await runLab({
    runtime,
    identity: { runId: `boxes-${process.pid}`, topology: topology.name, owner: currentProcess() },
    topology,
    plan: { ...plan, nodes: plan.nodes.map(change) },
    probes,
    only: lifetimes ? "behaviour-and-lifetimes" : "middleboxes",
    signal: new AbortController().signal,
    timeoutMs: 90_000,
    predictions: [],
    timeouts: labTimeouts(1),
    keep: false,
    onEvent: () => undefined,
  });
  await record.removal;
  await runtime.close();
  const verifications = new Map<string, NatVerification[]>();
  const measured = new Map<string, LifetimeVerification>();
  for (const event of record.events) {
    if (event.type === "nat-verification")
      verifications.set(event.verification.router, [
        ...(verifications.get(event.verification.router) ?? []),
        event.verification,
      ]);
    if (event.type === "lifetime-verification") measured.set(event.verification.router, event.verification);
  }
  return { verifications, lifetimes: measured, notProbed: probes.notProbed, error: record.error };
}
