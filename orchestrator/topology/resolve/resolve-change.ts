/** Resolves the event by which a router behaves differently from then on. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import type { ChangeAction, ResolvedNode, ResolvedRouter } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import { resolveFirewall, resolveNat } from "./resolve-middlebox.ts";
import { resolveTcpNat } from "./resolve-tcp.ts";

interface Context {
  readonly topology: Topology;
  readonly nodes: readonly ResolvedNode[];
  readonly everywhere: Interfaces;
  readonly seed: number;
  readonly report: Report;
}

/** Undefined where the event names no router, which is reported elsewhere. */
export function resolveChange(
  { topology, nodes, everywhere, seed, report }: Context,
  { path, entry: { nat, firewall } }: Topology["timeline"][number],
  name: string,
): ChangeAction | undefined {
  const router = nodes.find((candidate) => candidate.name === name);
  const entry = topology.nodes.get(name);
  if (router?.role !== "router" || entry?.role !== "router") return undefined;
  const middlebox = { name, seed, interfaces: everywhere, report: reportAt(["nodes", name], path, report) };
  const translating = { ...middlebox, entry: { ...entry, nat } };
  if (typeof nat === "object" && nat.addresses !== undefined)
    report(
      "unsupported",
      [...path, "nat", "addresses"],
      `expected no \`addresses\`: those of ${name} stay as they are; remove it`,
      "key",
    );
  const newNat = nat === undefined ? undefined : resolveNat(translating);
  const changed = { ...middlebox, entry: { ...entry, firewall: firewall ?? entry.firewall } };
  const newFirewall = firewall === undefined ? undefined : resolveFirewall(changed, newNat ?? router.nat);
  const action: ChangeAction = {
    type: "change",
    node: name,
    ...(newNat === undefined
      ? {}
      : { nat: newNat, tcp: resolveTcpNat(translating, newNat, newFirewall ?? router.firewall) }),
    ...(newFirewall === undefined ? {} : { firewall: newFirewall }),
  };
  checkIdleTimes(router, action, (message) => report("unsupported", path, message, "key"));
  return action;
}

function checkIdleTimes(
  { name, tcp: before, firewall: { udpIdleSec } }: ResolvedRouter,
  { nat, tcp, firewall }: ChangeAction,
  report: (message: string) => void,
): void {
  const check = (what: string, sec: number | undefined, changedSec: number | undefined): void => {
    if (sec === undefined || changedSec === undefined || sec === changedSec) return;
    report(
      `expected the idle time of ${what} to stay at ${sec}s: the kernel has it from the start of ${name}; found ${changedSec}s`,
    );
  };
  check("UDP", udpIdleSec, nat?.udpLifetimeSec ?? firewall?.udpIdleSec);
  check("TCP (`established`)", before?.establishedSec, tcp?.establishedSec);
  check("TCP (`transitory`)", before?.transitorySec, tcp?.transitorySec);
}

/** Reports problems of a router's keys where the event has them. */
function reportAt(from: IssuePath, to: IssuePath, report: Report): Report {
  return (code, path, message, at) => report(code, [...to, ...path.slice(from.length)], message, at);
}
