/**
 * Random networks by number: NATs anywhere in the space of RFC 4787, forwards, prefix translation, firewalls, shared
 * carriers, IPv6-only networks behind NAT64s, asymmetric links.
 */

import { derivedSequence } from "../../../orchestrator/topology/resolve/seed.ts";

/** Draws from one sequence; the same number always draws the same network. */
interface Dice {
  readonly oneOf: <T>(values: readonly [T, ...T[]]) => T;
  /** Whole number, both limits included. */
  readonly between: (low: number, high: number) => number;
  /** True in `percent` of 100 cases. */
  readonly chance: (percent: number) => boolean;
}

function diceOf(seed: number, purpose = "network"): Dice {
  const next = derivedSequence(seed, purpose);
  const between = (low: number, high: number): number => low + (next() % (high - low + 1));
  return {
    between,
    oneOf: ([first, ...others]) => [first, ...others][between(0, others.length)] ?? first,
    chance: (percent) => between(1, 100) <= percent,
  };
}

/** Linux MASQUERADE, which has one mapping and one filtering. */
const MASQUERADE =
  "nat: { mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload }";

/**
 * The text of a topology file: a mobile and a correspondent node, and a random network between them. Ports that are
 * counted up or shared, NAT64s, limits and further addresses come from sequences of their own, in place of others.
 */
export function drawNetwork(seed: number): string {
  const dice = diceOf(seed, "limits and addresses");
  return drawPorts(seed).replaceAll(/nat: \{([^}]*) \}/g, (_, keys: string) => `nat: {${drawLimits(dice, keys)} }`);
}

function drawLimits(dice: Dice, keys: string): string {
  const addresses = dice.chance(15)
    ? `, addresses: ${dice.between(2, 4)}, pooling: ${dice.oneOf(["paired", "arbitrary"])}`
    : "";
  const isPoisoned = dice.chance(40);
  const limits = [
    ...(dice.chance(12) ? [`, mappingsPerHost: ${dice.between(1, 12)}`] : []),
    ...(dice.chance(8) ? [`, mappingsPerSecond: ${dice.between(20, 60)}`] : []),
  ].join("");
  const isBlock = dice.chance(10);
  if (keys.includes("overload")) return `${keys}${isPoisoned ? ", unsolicited: poison" : ""}${addresses}`;
  if (!isBlock || keys.includes("parity: preserve")) return `${keys}${addresses}${limits}`;
  return `${keys.replace(/portAssignment: \w+/, "portAssignment: block, blockSize: 64")}${addresses}${limits}`;
}

function drawPorts(seed: number): string {
  const dice = diceOf(seed, "other ports");
  return drawNat64s(seed, drawPlainNetwork(seed)).replaceAll(/nat: \{[^}]*\}/g, (nat) => {
    if (dice.chance(12)) return MASQUERADE;
    return dice.chance(20) ? nat.replace("portAssignment: random", "portAssignment: sequential") : nat;
  });
}

/** Ends behind a NAT of IPv4 alone that have IPv6 alone instead, and the same NAT as a NAT64. */
function drawNat64s(seed: number, text: string): string {
  const dice = diceOf(seed, "nat64");
  return (["mn", "cn"] as const).reduce((drawn, node) => {
    const lan = `  ${node}-lan: { ipv4: 192.168.1.0/24`;
    const nat = new RegExp(`(lan: ${node}-lan, )nat: \\{ ([^}]*\\}(?:, forwards: \\[[^\\]]*\\])?) \\}`);
    const isIpv4Alone = drawn.includes(`${lan} }`) || drawn.includes(`${lan}, isolated`);
    const prefix = dice.oneOf(["64:ff9b::/96", "2001:db8:64::/48", "64:ff9b:1::/64"]);
    if (!dice.chance(20) || !isIpv4Alone || !nat.test(drawn)) return drawn;
    return drawn
      .replace(lan, `  ${node}-lan: { ipv6: "fd00:64:${OWN[node].digit}::/64"`)
      .replace(nat, `$1nat64: { prefix: "${prefix}", $2 }`);
  }, text);
}

function drawPlainNetwork(seed: number): string {
  const dice = diceOf(seed);
  // Both ends behind one more NAT, like customers of one carrier: their direct path hairpins there.
  const carrier = dice.chance(25) ? natOf(dice) : undefined;
  const outside = carrier === undefined ? "internet" : "carrier";
  const ends = [drawEnd(dice, "mn", outside), drawEnd(dice, "cn", outside)];
  const offer = dice.oneOf(["{ from: mn, to: cn, traffic: ping }", "{ from: cn, to: mn, traffic: ping }"]);
  return [
    "name: random",
    `summary: Drawn from ${seed}`,
    "segments:",
    "  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }",
    ...(carrier === undefined ? [] : [`  carrier: { ipv4: 100.64.0.0/24, isolated: ${dice.chance(30)} }`]),
    ...ends.flatMap(({ segments }) => segments),
    "nodes:",
    "  ha-a: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }",
    "  ha-b: { role: home-agent, on: internet, homePrefix: 2001:db8:b::/64 }",
    ...(carrier === undefined ? [] : [`  cgn: { role: router, wan: internet, lan: carrier, ${carrier} }`]),
    ...ends.flatMap(({ nodes }) => nodes),
    ...linksOf(ends.flatMap(({ links }) => links)),
    "sessions:",
    `  - ${offer}`,
    `seed: ${dice.between(1, 1_000_000)}`,
    "",
  ].join("\n");
}

interface End {
  readonly segments: readonly string[];
  readonly nodes: readonly string[];
  readonly links: readonly string[];
}

/** What distinguishes the two ends: disjoint networks inside and outside their routers. */
const OWN = {
  mn: { role: "mobile-node, homeAgent: ha-a", lan: "198.18.1.0/24", outside: "198.18.3.0/24", digit: 1 },
  cn: { role: "correspondent-node, homeAgent: ha-b", lan: "198.18.2.0/24", outside: "198.18.4.0/24", digit: 2 },
} as const;

/** No router, or one with NAT, prefix translation, or only a firewall; behind a carrier the LAN must be hidden. */
function drawEnd(dice: Dice, node: "mn" | "cn", outside: string): End {
  const [middlebox, lan] = [`box-${node}`, `${node}-lan`];
  const nodeLine = (on: string): string => `  ${node}: { role: ${OWN[node].role}, on: ${on} }`;
  const kind = dice.between(1, 100);
  if (kind <= 10) return { segments: [], nodes: [nodeLine(outside)], links: drawLink(dice, `${node}/${outside}`) };
  const { inside, keys } = drawMiddlebox(dice, node, outside === "internet" ? kind : 100);
  const isolated = dice.chance(15) ? ", isolated: true" : "";
  return {
    segments: [`  ${lan}: { ${inside}${isolated} }`],
    nodes: [`  ${middlebox}: { role: router, wan: ${outside}, lan: ${lan}, ${keys} }`, nodeLine(lan)],
    links: drawLink(dice, `${middlebox}/${outside}`),
  };
}

/** The network inside an end's router, and the router's keys. */
function drawMiddlebox(
  dice: Dice,
  node: "mn" | "cn",
  kind: number,
): { readonly inside: string; readonly keys: string } {
  const { lan, outside, digit } = OWN[node];
  const hidden = "ipv4: 192.168.1.0/24";
  if (kind <= 20) return { inside: `ipv4: ${lan}`, keys: firewallOf(dice) };
  if (kind <= 30) return { inside: hidden, keys: `prefixTranslation: { ipv4: ${outside} }, ${firewallOf(dice)}` };
  const translation = `${natOf(dice)}${forwardOf(dice, node)}`;
  if (kind > 40) return { inside: hidden, keys: translation };
  const prefix = `prefixTranslation: { ipv6: "2001:db8:a${digit}::/64" }`;
  return { inside: `${hidden}, ipv6: "fd00:${digit}::/64"`, keys: `${translation}, ${prefix}` };
}

const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

function natOf(dice: Dice): string {
  const first = dice.between(10_000, 60_000);
  const keys = [
    `mapping: ${dice.oneOf(DEPENDENCE)}`,
    `filtering: ${dice.oneOf(DEPENDENCE)}`,
    `portAssignment: ${dice.oneOf(["preserve", "random"])}`,
    `parity: ${dice.oneOf(["any", "preserve"])}`,
    `hairpinning: ${dice.chance(50)}`,
    `refresh: ${dice.oneOf(["both", "outbound"])}`,
    ...(dice.chance(30) ? [`ports: ${first}-${first + dice.between(200, 5000)}`] : []),
  ];
  return `nat: { ${keys.join(", ")} }`;
}

/** The candidates' port, through the same or another outside port; or an unused port. */
function forwardOf(dice: Dice, node: string): string {
  if (!dice.chance(25)) return "";
  const port = dice.oneOf([40_000, 4500, 61_000]);
  return `, forwards: [{ protocol: udp, port: ${port}, to: ${node}, toPort: ${dice.oneOf([40_000, port])} }]`;
}

function firewallOf(dice: Dice): string {
  return `firewall: ${dice.oneOf(["stateful", "open", "tunnel-only"])}`;
}

/** Never prevents a direct path: lost packets are retransmitted, late ones arrive, and checks are small and whole. */
function drawLink(dice: Dice, link: string): readonly string[] {
  if (!dice.chance(40)) return [];
  const delayMs = dice.between(1, 40);
  const jitterMs = dice.between(0, Math.min(delayMs, 8));
  const keys = [
    `delay: ${delayMs}ms`,
    `jitter: ${jitterMs}ms`,
    ...(dice.chance(50) ? [`loss: ${dice.between(1, 3)}%`] : []),
    ...(dice.chance(20) ? [`mtu: ${dice.between(1280, 1500)}, tooBig: ${dice.oneOf(["icmp", "drop"])}`] : []),
    ...(dice.chance(20) ? ["fragments: drop"] : []),
  ];
  return [`  ${link}: { ${keys.join(", ")} }`];
}

function linksOf(links: readonly string[]): readonly string[] {
  return links.length === 0 ? [] : ["links:", ...links];
}
