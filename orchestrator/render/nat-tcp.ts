/**
 * A NAT's nft table for TCP: that for UDP with TCP's header in each rule, made from the NAT's behaviour for TCP. Both
 * have mappings of their own: one port may be in use for UDP and, by somebody else, for TCP.
 *
 * What is different is how long a mapping lives. A packet of a connection that is opening or closing keeps it for the
 * transitory time, one of an open connection for the established one. Which of them it is, connection tracking knows:
 * it has given the flow the time of its state when the packet reaches `learn`. So `learn` records everything for the
 * transitory time, and `prolong`, after it, the same for longer where the flow itself is kept for longer. A mapping with
 * several connections lives as its last packet says; connections themselves live as connection tracking says.
 */

import type { ResolvedRouter, TcpNat } from "../topology/model/resolved.ts";
import { renderNat } from "./nat.ts";

/** Text for `nft -f`; loading it again replaces the table. Undefined for a router without NAT. */
export function renderTcpNat(router: ResolvedRouter): string | undefined {
  const { nat, tcp } = router;
  if (nat === undefined || tcp === undefined) return undefined;
  const { mapping, filtering, hairpinning, transitorySec } = tcp;
  const forwards = router.forwards.flatMap((forward) =>
    forward.protocol === "tcp" ? [{ ...forward, protocol: "udp" as const }] : [],
  );
  const asUdp = renderNat({
    ...router,
    forwards,
    nat: { ...nat, mapping, filtering, hairpinning, udpLifetimeSec: transitorySec, inboundRefresh: true },
  });
  return asUdp && withProlonging(asUdp.replaceAll("mice_nat", "mice_nat_tcp").replaceAll(UDP_HEADER, "tcp"), tcp);
}

/** The protocol in an expression of nft: `udp sport`, `udp dport`, `l4proto udp`, `l4proto != udp`. */
const UDP_HEADER = /\budp(?= [sd]port\b)|(?<=\bl4proto (?:!= )?)udp\b/g;

/** The chains that record mappings, each from its first line to its last. */
const LEARNING = /^ {2}chain learn\w* \{\n[\s\S]*?^ {2}\}\n/gm;

/** Adds a copy of the recording chains, for connections that are open. */
function withProlonging(table: string, { establishedSec, transitorySec }: TcpNat): string {
  if (establishedSec === transitorySec) return table;
  const prolonging = [...table.matchAll(LEARNING)].map(([chain]) =>
    chain
      .replaceAll(/(chain|jump) learn/g, "$1 prolong")
      .replace("srcnat + 50; policy accept;\n", `srcnat + 51; policy accept;\n${notOpen(transitorySec)}`)
      .replaceAll(/update @(\w+) \{ (.+?) (?=:|\})/g, `update @$1 { $2 timeout ${establishedSec}s `),
  );
  return table.replace(/^\}\n$/m, `\n${prolonging.join("\n")}}\n`);
}

/** A flow's first packet has not got its time yet. */
function notOpen(transitorySec: number): string {
  return `    ct state new accept;\n    ct expiration <= ${transitorySec}s accept;\n`;
}
