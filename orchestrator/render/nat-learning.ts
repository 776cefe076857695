/**
 * The chains by which a NAT records its mappings, from every packet after translation.
 *
 * A mapping of TCP lives for one of two times: a packet of a connection that is opening or closing keeps it for the
 * transitory one, one of an open connection for the established one. Which of them it is, connection tracking knows: it
 * has given the flow the time of its state when the packet reaches `learn`. So `learn` records everything for the shorter
 * time, and `prolong`, after it, the same for longer where the flow itself is kept for longer. A mapping with several
 * connections lives as its last packet says; connections themselves live as connection tracking says.
 */

import type { NatDependence } from "@testbed/agent/control";
import { hold } from "./nat-limits.ts";
import { MAPPING_KEY, type Middlebox, remembersPeers } from "./nat-middlebox.ts";

/** One recording of each packet. */
interface Recording {
  /** Of its chains. */
  readonly name: "learn" | "prolong";
  /** After source NAT. */
  readonly priority: number;
  /** Rules that leave packets out. */
  readonly unless: readonly string[];
  /** Another lifetime than that of the table's sets, in nft syntax. */
  readonly timeout: string;
}

/** The same key from an inbound packet after translation; the inside endpoint is its destination. */
function inboundKey({ protocol, mapping }: Middlebox): string {
  const keys: Readonly<Record<NatDependence, string>> = {
    "endpoint-independent": `ip daddr . ${protocol} dport`,
    "address-dependent": `ip daddr . ${protocol} dport . ip saddr`,
    "address-and-port-dependent": `ip daddr . ${protocol} dport . ip saddr . ${protocol} sport`,
  };
  return keys[mapping];
}

/** The same key from an outbound packet that answers a flow from outside. */
function answeringKey({ protocol, mapping }: Middlebox): string {
  const keys: Readonly<Record<NatDependence, string>> = {
    "endpoint-independent": "ct reply ip saddr . ct reply proto-src",
    "address-dependent": "ct reply ip saddr . ct reply proto-src . ip daddr",
    "address-and-port-dependent": `ct reply ip saddr . ct reply proto-src . ip daddr . ${protocol} dport`,
  };
  return keys[mapping];
}

/** Records every mapping for its lifetime. */
export function learn(middlebox: Middlebox): string[] {
  return record(middlebox, { name: "learn", priority: 50, unless: [], timeout: "" });
}

/** Records those of open connections for longer; nothing where they live no longer. */
export function prolong(middlebox: Middlebox): string[] {
  const { lifetimeSec, openLifetimeSec = lifetimeSec } = middlebox;
  if (openLifetimeSec === lifetimeSec) return [];
  // A flow's first packet has not got its time yet.
  const unless = ["ct state new accept;", `ct expiration <= ${lifetimeSec}s accept;`];
  return record(middlebox, { name: "prolong", priority: 51, unless, timeout: ` timeout ${openLifetimeSec}s` });
}

function record(middlebox: Middlebox, recording: Recording): string[] {
  const { protocol, wan, lan, address, mapping, inboundRefresh } = middlebox;
  const { name, priority, unless, timeout } = recording;
  const openedFrom = (key: string, inside: string, host: string): string[] => [
    `  meta l4proto ${protocol} update @own { ${key}${timeout} : ${protocol} sport };`,
    `  meta l4proto ${protocol} update @ext { ${protocol} sport${timeout} : ${inside} };`,
    `  update @used { ${protocol} sport${timeout} };`,
    `  ct mark != 0 update @slots { ct mark${timeout} };`,
    ...hold(middlebox, { key, host, port: `${protocol} sport`, timeout }).map((line) => `  ${line}`),
    ...peerOut(middlebox, recording).map((line) => `  ${line}`),
  ];
  return [
    `chain ${name} {`,
    `  type filter hook postrouting priority srcnat + ${priority}; policy accept;`,
    ...unless.map((line) => `  ${line}`),
    `  meta l4proto != ${protocol} accept;`,
    `  ct original ip saddr ${address} accept;`,
    `  ct direction original ip saddr ${address} jump ${name}_opened_inside;`,
    `  oifname ${wan} ct direction reply ip saddr ${address} jump ${name}_opened_outside;`,
    ...(inboundRefresh
      ? ["original", "reply"].map(
          (direction) => `  iifname ${wan} oifname ${lan} ct ${direction} ip daddr ${address} jump ${name}_inbound;`,
        )
      : []),
    "}",
    "",
    `chain ${name}_opened_inside {`,
    ...openedFrom(MAPPING_KEY[mapping], "ct original ip saddr . ct original proto-src", "ct original ip saddr"),
    "}",
    "",
    `chain ${name}_opened_outside {`,
    ...openedFrom(answeringKey(middlebox), "ct reply ip saddr . ct reply proto-src", "ct reply ip saddr"),
    "}",
    ...(inboundRefresh ? ["", ...recordInbound(middlebox, recording)] : []),
  ];
}

function peerOut(middlebox: Middlebox, { timeout }: Recording): string[] {
  if (!remembersPeers(middlebox)) return [];
  const { protocol, filtering } = middlebox;
  const port = filtering === "address-dependent" ? "" : ` . ${protocol} dport`;
  return [`update @peers { ${protocol} sport . ip daddr${port}${timeout} };`];
}

/** Packets from outside refresh a mapping: in flows opened from outside (`dnat`) and from inside (`snat`). */
function recordInbound(middlebox: Middlebox, { name, timeout }: Recording): string[] {
  const { protocol } = middlebox;
  return [
    `chain ${name}_inbound {`,
    ...(["dnat", "snat"] as const).flatMap((status) => {
      const port = status === "dnat" ? "ct original proto-dst" : "ct reply proto-dst";
      const when = `meta l4proto ${protocol} ct status ${status}`;
      return [
        `  ${when} update @own { ${inboundKey(middlebox)}${timeout} : ${port} };`,
        `  ${when} update @ext { ${port}${timeout} : ip daddr . ${protocol} dport };`,
        `  ${when} update @used { ${port}${timeout} };`,
        ...hold(middlebox, { key: inboundKey(middlebox), host: "ip daddr", port, timeout }).map(
          (line) => `  ct status ${status} ${line}`,
        ),
        ...(remembersPeers(middlebox) ? [`  ${when} update @peers { ${port} . ip saddr${timeout} };`] : []),
      ];
    }),
    `  ct mark != 0 update @slots { ct mark${timeout} };`,
    "}",
  ];
}
