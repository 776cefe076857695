/** Resolves what a NAT does with TCP: as with UDP, where its file says nothing else. */

import type { NatProfile } from "@testbed/agent/control";
import { tcpLikeUdp } from "../model/presets.ts";
import type { ResolvedFirewall, TcpNat } from "../model/resolved.ts";
import { given } from "./given.ts";
import { type MiddleboxContext, refuseTcpUnlikeMasquerade, seconds } from "./resolve-middlebox.ts";

export function resolveTcpNat(
  { name, entry, report }: MiddleboxContext,
  nat: NatProfile,
  firewall: ResolvedFirewall,
): TcpNat {
  const key = entry.nat64 === undefined ? "nat" : "nat64";
  const path = ["nodes", name, key, "tcp"];
  const usual = tcpLikeUdp(nat, firewall);
  const written = entry[key];
  const entered = typeof written === "object" ? written.tcp : undefined;
  if (entered === undefined) return usual;
  if (nat.portAssignment === "overload") refuseTcpUnlikeMasquerade(entered, path, report);
  const { established, transitory, ...same } = entered;
  const establishedSec = seconds(established, usual.establishedSec, [...path, "established"], report);
  const longest = Math.min(usual.transitorySec, establishedSec);
  const transitorySec = seconds(transitory, longest, [...path, "transitory"], report);
  if (transitorySec > establishedSec) {
    const message = `expected at most ${establishedSec}s, the \`established\` idle time: a connection that is open is remembered for longer than one that is opening; found ${transitorySec}s`;
    report("bad-value", [...path, "transitory"], message);
  }
  return { ...usual, ...given(same), establishedSec, transitorySec };
}
