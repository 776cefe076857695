/**
 * A NAT as one nft table for each protocol, or one for all where it is plain masquerading, and again for each outside
 * address (`outside-choice.ts` chooses one): source NAT with the profile's mapping, sets and maps that record the
 * mappings, and destination NAT with the profile's filtering. Policy is in `firewall.ts`.
 *
 * The kernel's own NAT is one point of RFC 4787, and not endpoint-independent once two inside hosts use the same port:
 * `portAssignment: overload` is that one. All others have three chains:
 *
 * - `translate` handles the first packet of a flow. An endpoint with an outside port keeps it (`own`); else its inside
 *   port is preserved if the profile says so and it is free (`used`); else one of the `drawn` ports is chosen by a
 *   seeded hash of the endpoint's key, or counted up, and drawn again while its slot is taken (`slots`). A port is
 *   recorded as taken only once a packet has passed, so it is claimed first: of two packets on two processors, one gets
 *   it.
 * - `learn` handles every packet after translation, when the header has the outside port, and records the mapping. Its
 *   entries live as long as a mapping.
 * - `inward` translates packets from outside by these records: from any peer, from known peers, or from none where
 *   connection tracking is the whole filter.
 *
 * Endpoints are identified by the flow's first packet as connection tracking has it, so that a hairpinned packet has
 * the key of its outside destination. Written for nft 1.0.6 (Debian 12) and later; tested for all nine combinations of
 * mapping and filtering, with and without hairpinning (`test/contract/nat-rules.test.ts`).
 */

import { NAT64_INTERFACE, type NatDependence } from "@testbed/agent/control";
import { outsideAddresses } from "../topology/model/outside.ts";
import type { ResolvedRouter } from "../topology/model/resolved.ts";
import { derivedNumber } from "../topology/resolve/seed.ts";
import { type PortPool, portPools } from "./drawn-ports.ts";
import { learn, prolong } from "./nat-learning.ts";
import { admission, admit, limitMemory } from "./nat-limits.ts";
import {
  chosen,
  forwardedPorts,
  MAPPING_KEY,
  type Middlebox,
  marked,
  nftNames,
  remembersPeers,
  type Translation,
} from "./nat-middlebox.ts";

/** Text for `nft -f`; loading it again replaces the tables. Undefined for a router without NAT. */
export function renderNat(router: ResolvedRouter): string | undefined {
  const { nat } = router;
  if (nat === undefined) return undefined;
  return renderTables("mice_nat", router, { ...nat, protocol: "udp", lifetimeSec: nat.udpLifetimeSec });
}

/** Tables for one protocol, one for each outside address; the first has this name. */
export function renderTables(name: string, router: ResolvedRouter, translation: Translation): string {
  return tableNames(name, router)
    .map((table, i) => renderNatTable(table, router, { ...translation, ...addressed(router, i) }))
    .join("\n");
}

/** The names of these tables. */
export function tableNames(name: string, router: ResolvedRouter): readonly string[] {
  return outsideAddresses(router).map((_, i) => (i === 0 ? name : `${name}_${i + 1}`));
}

function addressed(router: ResolvedRouter, index: number): Pick<Middlebox, "address" | "mark"> {
  const addresses = outsideAddresses(router);
  const address = addresses[index]?.ip;
  if (address === undefined) throw new RangeError(`${router.name} translates and has no outside IPv4 address`);
  return { address, ...(addresses.length === 1 ? {} : { mark: index + 1 }) };
}

function renderNatTable(
  table: string,
  router: ResolvedRouter,
  translation: Translation & Pick<Middlebox, "address" | "mark">,
): string {
  const isShared = translation.portAssignment === "overload";
  const middlebox: Middlebox = {
    ...translation,
    forwards: router.forwards.filter(({ protocol }) => isShared || protocol === translation.protocol),
    wan: nftNames(router.wan),
    lan: insideInNft(router),
    insideHosts: router.insideHosts,
  };
  const parts = isShared
    ? [masquerade(middlebox), forwardsInward(middlebox)]
    : [
        memory(middlebox),
        outward(middlebox),
        translate(middlebox),
        admission(middlebox, MAPPING_KEY[middlebox.mapping]),
        learn(middlebox),
        inward(middlebox),
        expiry(middlebox),
        prolong(middlebox),
      ];
  return [
    `table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    parts
      .filter((part) => part.length > 0)
      .map((part) => part.map((line) => (line === "" ? "\n" : `  ${line}\n`)).join(""))
      .join("\n")
      .trimEnd(),
    "}",
    "",
  ].join("\n");
}

/** Where IPv4 packets from inside come from: those of a NAT64 have been IPv6 ones. */
export function insideOf({ lan, nat64 }: Pick<ResolvedRouter, "lan" | "nat64">): readonly string[] {
  return nat64 === undefined ? lan : [NAT64_INTERFACE];
}

/** The same as a set in nft syntax. */
export function insideInNft(router: Pick<ResolvedRouter, "lan" | "nat64">): string {
  return `{ ${insideOf(router)
    .map((name) => `"${name}"`)
    .join(", ")} }`;
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

/** How often a port is drawn; the last draw is used even if it is taken. */
const DRAWS = 3;

/** The same where a host has few ports and gets no other one: with half of its ports in use one of 256 mappings fails. */
const BLOCK_DRAWS = 8;

/** Lifetime of a claim: far longer than a packet takes from `translate` to `learn`. */
const CLAIM_SEC = 1;

/** True only for the first packet with the same claim, during its lifetime. */
const FIRST = "limit rate 1/hour burst 1 packets";

const MAPPING_KEY_TYPE: Readonly<Record<NatDependence, string>> = {
  "endpoint-independent": "ipv4_addr . inet_service",
  "address-dependent": "ipv4_addr . inet_service . ipv4_addr",
  "address-and-port-dependent": "ipv4_addr . inet_service . ipv4_addr . inet_service",
};

/** The kernel's own NAT, of all protocols: it keeps a port wherever the flow is unique, and remembers nothing but flows. */
function masquerade(middlebox: Middlebox): string[] {
  const { wan, address, mark } = middlebox;
  const from = words("oifname", wan, marked(middlebox));
  return [
    "chain outward {",
    "  type nat hook postrouting priority srcnat - 5; policy accept;",
    ...forwardsOut(middlebox).map((line) => `  ${from} ${line}`),
    `  oifname ${wan} ${chosen(middlebox)} ${mark === undefined ? "masquerade" : `snat ip to ${address}`};`,
    "}",
  ];
}

function forwardsInward(middlebox: Middlebox): string[] {
  if (middlebox.forwards.length === 0) return [];
  return [
    "chain inward {",
    "  type nat hook prerouting priority dstnat - 5; policy accept;",
    ...forwardsIn(middlebox).map((line) => `  ${line}`),
    "}",
  ];
}

function memory(middlebox: Middlebox): string[] {
  const { mapping, lifetimeSec: mappingSec } = middlebox;
  const declare = (comment: string, declaration: string, type: string, lifetimeSec = mappingSec): string[] => [
    `# ${comment}`,
    `${declaration} {`,
    `  type ${type}`,
    "  flags dynamic, timeout",
    `  timeout ${lifetimeSec}s`,
    "}",
  ];
  const key = MAPPING_KEY_TYPE[mapping];
  const peers = remembersPeers(middlebox) ? peerType(middlebox) : undefined;
  return [
    "# Ports to draw.",
    "map drawn {",
    "  type mark : inet_service",
    "  elements = {",
    ...portLines(poolsOf(middlebox).flatMap(({ ports }) => ports)).map((line) => `    ${line}`),
    "  }",
    "}",
    ...limitMemory(middlebox, key),
    ...declare("Places of `drawn` that are taken.", "set slots", "mark"),
    ...declare("Outside ports that are taken.", "set used", "inet_service"),
    ...declare("Places of `drawn` that a new mapping is about to take.", "set slot_claims", "mark", CLAIM_SEC),
    ...declare(
      "Inside ports that a new mapping is about to keep outside.",
      "set port_claims",
      "inet_service",
      CLAIM_SEC,
    ),
    ...declare(
      "An endpoint inside, with all that its mapping depends on: its outside port.",
      "map own",
      `${key} : inet_service`,
    ),
    ...declare("An outside port: its endpoint inside.", "map ext", "inet_service : ipv4_addr . inet_service"),
    ...(peers === undefined ? [] : declare("An outside port, and whom it was used towards.", "set peers", peers)),
  ];
}

function outward(middlebox: Middlebox): string[] {
  const { wan, lan, hairpinning } = middlebox;
  const turned = words(`iifname ${lan} oifname ${lan} ct status dnat`, marked(middlebox));
  return [
    "chain outward {",
    "  type nat hook postrouting priority srcnat - 5; policy accept;",
    `  oifname ${wan} ${chosen(middlebox)} jump translate;`,
    ...(hairpinning ? [`  ${turned} jump translate;`] : []),
    "}",
  ];
}

function translate(middlebox: Middlebox): string[] {
  const { protocol, address, mapping, portAssignment, seed } = middlebox;
  const key = MAPPING_KEY[mapping];
  const pools = poolsOf(middlebox);
  const draws = portAssignment === "block" ? BLOCK_DRAWS : DRAWS;
  const draw = (i: number): string[] =>
    pools.map(({ inside, ports }, index) => {
      const offset = 1 + pools.slice(0, index).reduce((sum, before) => sum + before.ports.length, 0);
      const place =
        portAssignment === "sequential"
          ? `numgen inc mod ${ports.length} offset ${offset};`
          : `jhash ${key} mod ${ports.length} seed 0x${hashSeed(seed, i)} offset ${offset};`;
      return `  ${drawsFrom(protocol, inside)} ct mark set ${place}`;
    });
  const taken = `snat ip to ${address}:ct mark map @drawn;`;
  const takeIfFree = `  meta l4proto ${protocol} ct mark != @slots add @slot_claims { ct mark ${FIRST} } ${taken}`;
  return [
    "chain translate {",
    ...forwardsOut(middlebox).map((line) => `  ${line}`),
    `  meta l4proto != { tcp, udp } snat ip to ${address};`,
    `  meta l4proto ${protocol} snat ip to ${address}:${key} map @own;`,
    ...admit(middlebox, key).map((line) => `  ${line}`),
    ...(portAssignment === "preserve"
      ? [`  ${freePort(middlebox)} add @port_claims { ${protocol} sport ${FIRST} } snat ip to ${address};`]
      : []),
    ...Array.from({ length: draws }, (_, i) => [
      ...draw(i),
      i < draws - 1 || portAssignment === "block" ? takeIfFree : `  meta l4proto ${protocol} ${taken}`,
    ]).flat(),
    ...(portAssignment === "block" ? [`  meta l4proto ${protocol} counter name blockSize drop;`] : []),
    "}",
  ];
}

function poolsOf(middlebox: Middlebox): readonly PortPool[] {
  const { forwards, protocol, insideHosts } = middlebox;
  return portPools(middlebox, forwardedPorts(forwards, protocol), insideHosts);
}

/** Which packets draw from a pool of ports. */
function drawsFrom(protocol: Middlebox["protocol"], inside: PortPool["inside"]): string {
  if (typeof inside === "object") return `meta l4proto ${protocol} ip saddr ${inside.host}`;
  switch (inside) {
    case "any":
      return `meta l4proto ${protocol}`;
    case "even":
      return `${protocol} sport & 1 == 0`;
    case "odd":
      return `${protocol} sport & 1 == 1`;
  }
}

/** Seed of a draw in hex, never zero, for which nft would choose one itself. */
function hashSeed(seed: number, draw: number): string {
  return (derivedNumber(seed, `draw ${draw}`) || 1).toString(16);
}

function inward(middlebox: Middlebox): string[] {
  const { protocol, wan, lan, address, filtering, hairpinning } = middlebox;
  const rule = (guard: string): string => `  ${guard} dnat ip to ${protocol} dport map @ext;`;
  const fromOutside = `iifname ${wan} ip daddr ${address}`;
  return [
    "chain inward {",
    "  type nat hook prerouting priority dstnat - 5; policy accept;",
    ...forwardsIn(middlebox).map((line) => `  ${line}`),
    ...(filtering === "endpoint-independent" ? [rule(`${fromOutside} meta l4proto ${protocol}`)] : []),
    ...(filtering === "address-dependent" ? [rule(`${fromOutside} ${protocol} dport . ip saddr @peers`)] : []),
    ...(hairpinning ? [rule(`iifname ${lan} ip daddr ${address} meta l4proto ${protocol}`)] : []),
    "}",
  ];
}

/**
 * Packets of both directions refresh a flow in connection tracking. Where only packets from inside should, inbound
 * packets for a mapping or peer whose entry has expired are dropped before translation.
 */
function expiry(middlebox: Middlebox): string[] {
  const { protocol, wan, address, filtering } = middlebox;
  if (middlebox.inboundRefresh) return [];
  const forwarded = forwardedPorts(middlebox.forwards, middlebox.protocol);
  const alive: Readonly<Record<NatDependence, string>> = {
    "endpoint-independent": `${protocol} dport != @used`,
    "address-dependent": `${protocol} dport . ip saddr != @peers`,
    "address-and-port-dependent": `${protocol} dport . ip saddr . ${protocol} sport != @peers`,
  };
  return [
    "chain expiry {",
    "  type filter hook prerouting priority dstnat - 10; policy accept;",
    ...(forwarded.length === 0 ? [] : [`  ${protocol} dport { ${forwarded.join(", ")} } accept;`]),
    `  iifname ${wan} ip daddr ${address} ct state established meta l4proto ${protocol} ${alive[filtering]} drop;`,
    "}",
  ];
}

/** The socket behind a forwarded port also sends from it: a mapping that never expires. */
function forwardsOut({ forwards, address }: Middlebox): string[] {
  return forwards.map(
    ({ protocol, port, to, toPort }) => `ip saddr ${to} ${protocol} sport ${toPort} snat ip to ${address}:${port};`,
  );
}

function forwardsIn({ forwards, address, wan, lan, hairpinning }: Middlebox): string[] {
  const from = hairpinning ? [wan, lan] : [wan];
  return forwards.flatMap(({ protocol, port, to, toPort }) =>
    from.map((side) => `iifname ${side} ip daddr ${address} ${protocol} dport ${port} dnat ip to ${to}:${toPort};`),
  );
}

/** Matches packets whose inside port is free outside. */
function freePort(middlebox: Middlebox): string {
  const { protocol } = middlebox;
  const forwarded = forwardedPorts(middlebox.forwards, middlebox.protocol);
  const isOwn = forwarded.length === 0 ? "" : `${protocol} sport != { ${forwarded.join(", ")} } `;
  return `${isOwn}${protocol} sport != @used`;
}

function peerType({ filtering }: Middlebox): string {
  return filtering === "address-dependent" ? "inet_service . ipv4_addr" : "inet_service . ipv4_addr . inet_service";
}

function portLines(ports: readonly number[]): string[] {
  const elements = ports.map((port, i) => `${i + 1} : ${port},`);
  return Array.from({ length: Math.ceil(elements.length / 12) }, (_, i) =>
    elements.slice(12 * i, 12 * i + 12).join(" "),
  );
}
