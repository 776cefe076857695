/** Resolves the NAT and firewall of a router from presets and single keys. */

import type { NatPoint, NatProfile } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import { listNames } from "../file/nearest-name.ts";
import type { RouterEntry } from "../file/schema.ts";
import { canonicalText, familyOfText, isAddress, networkProblem, withoutLength } from "../model/address-text.ts";
import { durationMs } from "../model/duration.ts";
import { FIREWALL_PRESETS, NAT_PRESETS } from "../model/presets.ts";
import type { ResolvedFirewall } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import { natKeysOf } from "./attachment.ts";
import { given } from "./given.ts";
import { derivedNumber } from "./seed.ts";

/** A router, and what its keys may refer to. */
export interface MiddleboxContext {
  readonly name: string;
  readonly entry: RouterEntry;
  readonly seed: number;
  readonly interfaces: Interfaces;
  readonly report: Report;
}

/** The router's NAT; undefined if it has none. */
export function resolveNat({ name, entry, seed, report }: MiddleboxContext): NatProfile | undefined {
  const key = entry.nat64 === undefined ? "nat" : "nat64";
  const nat = entry[key];
  const path = ["nodes", name, key];
  if (nat === undefined || nat === "none") return undefined;
  const ownSeed = derivedNumber(seed, `${name}/ports`);
  if (typeof nat === "string") return { ...NAT_PRESETS[nat].behaviour, seed: ownSeed };
  if (nat.preset === undefined) {
    for (const key of ["mapping", "filtering"] as const)
      if (nat[key] === undefined)
        report("missing", path, `expected \`${key}\` or \`preset\`; found neither; add one`, "key");
  }
  // Keys whose name and values are those of the profile are passed unchanged.
  const { preset, ports, udpLifetime, refresh, tcp, portMapping: _asked, addresses: _pool, ...rest } = nat;
  const { prefix: _, ...same } = { prefix: undefined, ...rest };
  const base: NatPoint = preset === undefined ? defaultPoint(nat.mapping) : NAT_PRESETS[preset].behaviour;
  const parity = nat.parity ?? base.parity;
  const profile: NatProfile = {
    ...base,
    seed: ownSeed,
    ...given(same),
    ports: ports === undefined ? base.ports : portRange(ports, parity, [...path, "ports"], report),
    udpLifetimeSec: seconds(udpLifetime, base.udpLifetimeSec, [...path, "udpLifetime"], report),
    inboundRefresh: refresh === undefined ? base.inboundRefresh : refresh === "both",
  };
  checkBlockKeys(profile, path, report);
  if (profile.pooling === "arbitrary") checkSeveralAddresses(entry, path, report);
  if (profile.portAssignment === "overload") refuseUnlikeMasquerade(profile, ports, path, report);
  else if (profile.unsolicited === "poison") {
    const message = `expected \`ignore\`, or \`portAssignment: overload\` beside it: only there a stray packet can claim a port; found poison with ${profile.portAssignment}`;
    report("unsupported", [...path, "unsolicited"], message);
  }
  return profile;
}

/** What `portAssignment: overload` comes with: the kernel's own NAT has these values, and no others. */
const MASQUERADE = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  parity: "any",
  hairpinning: false,
} as const satisfies Partial<NatPoint>;

function checkBlockKeys({ portAssignment, blockSize, parity }: NatProfile, path: IssuePath, report: Report): void {
  if (portAssignment === "block" && blockSize === undefined)
    report(
      "missing",
      path,
      "expected `blockSize` beside `portAssignment: block`; found none; add it, such as 64",
      "key",
    );
  if (portAssignment !== "block" && blockSize !== undefined) {
    const message = `expected \`portAssignment: block\` beside \`blockSize\`; found ${portAssignment}; change one`;
    report("unsupported", [...path, "blockSize"], message);
  }
  if (portAssignment === "block" && parity === "preserve")
    report("unsupported", [...path, "parity"], "expected any beside `portAssignment: block`; found preserve");
}

function checkSeveralAddresses(entry: RouterEntry, path: IssuePath, report: Report): void {
  const { addresses = 1 } = natKeysOf(entry) ?? {};
  if ([entry.wan].flat().length > 1 || (typeof addresses === "number" ? addresses : addresses.length) > 1) return;
  const message =
    "expected several outside addresses beside `pooling: arbitrary`; found one; add `addresses`, or a second `wan`";
  report("missing", [...path, "pooling"], message);
}

function refusing(path: IssuePath, report: Report) {
  return (key: string, expected: string, found: string): void => {
    const message = `expected ${expected}, which is all that \`portAssignment: overload\` (plain Linux MASQUERADE) does; found ${found}`;
    report("unsupported", [...path, key], message);
  };
}

/** Reports what is said of TCP in `path` that plain masquerading does not do. */
export function refuseTcpUnlikeMasquerade(
  tcp: { readonly [Key in "mapping" | "filtering" | "hairpinning"]?: NatPoint[Key] | undefined },
  path: IssuePath,
  report: Report,
): void {
  const refuse = refusing(path, report);
  for (const key of ["mapping", "filtering", "hairpinning"] as const)
    if (tcp[key] !== undefined && tcp[key] !== MASQUERADE[key]) refuse(key, String(MASQUERADE[key]), String(tcp[key]));
}

function refuseUnlikeMasquerade(nat: NatProfile, ports: string | undefined, path: IssuePath, report: Report): void {
  const refuse = refusing(path, report);
  for (const key of ["mapping", "filtering", "parity", "hairpinning"] as const)
    if (nat[key] !== MASQUERADE[key]) refuse(key, String(MASQUERADE[key]), String(nat[key]));
  if (!nat.inboundRefresh) refuse("refresh", "both", "outbound");
  for (const key of ["mappingsPerHost", "mappingsPerSecond"] as const)
    if (nat[key] !== undefined) refuse(key, `no \`${key}\`, for it has flows and no mappings`, String(nat[key]));
  if (ports !== undefined) refuse("ports", "no `ports`", `"${ports}"`);
}

/** The router's firewall. The default is stateful with a NAT and open without. */
export function resolveFirewall(context: MiddleboxContext, nat: NatProfile | undefined): ResolvedFirewall {
  const { name, entry, report } = context;
  const { firewall } = entry;
  const path = ["nodes", name, "firewall"];
  const given: FirewallEntry = typeof firewall === "string" ? { preset: firewall } : (firewall ?? {});
  const base: ResolvedFirewall = FIREWALL_PRESETS[given.preset ?? (nat === undefined ? "open" : "stateful")].behaviour;
  const udpIdleSec = seconds(given.udpIdle, nat?.udpLifetimeSec ?? base.udpIdleSec, [...path, "udpIdle"], report);
  if (nat !== undefined && udpIdleSec !== nat.udpLifetimeSec) {
    const message = `expected ${nat.udpLifetimeSec}s, the \`udpLifetime\` of its address translation: a middlebox has one idle time for UDP; found ${udpIdleSec}s`;
    report("bad-value", [...path, "udpIdle"], message);
  }
  return {
    inbound: given.inbound ?? base.inbound,
    outboundUdp: given.outboundUdp ?? base.outboundUdp,
    denied: given.denied ?? base.denied,
    udpIdleSec,
    pinholes: (given.pinholes ?? []).flatMap((pinhole, i) =>
      resolvePinhole(context, pinhole, [...path, "pinholes", i], nat !== undefined),
    ),
  };
}

function defaultPoint(mapping: NatPoint["mapping"] = "endpoint-independent"): NatPoint {
  const cone = NAT_PRESETS["port-restricted-cone"].behaviour;
  return { ...cone, portAssignment: mapping === "endpoint-independent" ? "preserve" : "random" };
}

function portRange(text: string, parity: NatProfile["parity"], path: IssuePath, report: Report): NatProfile["ports"] {
  const [first = 0, last = 0] = text.split("-").map(Number);
  if (first < 1 || last > 65535 || first > last)
    report("bad-value", path, `expected a port range within 1-65535, the lower end first; found "${text}"`);
  else if (parity === "preserve" && first === last)
    report("bad-value", path, `expected an even port and an odd one, for \`parity: preserve\`; found "${text}"`);
  return { first, last };
}

/** A duration in whole seconds, in which the kernel counts the lifetime of a flow. */
export function seconds(text: string | undefined, fallback: number, path: IssuePath, report: Report): number {
  if (text === undefined) return fallback;
  const sec = durationMs(text) / 1000;
  if (Number.isInteger(sec) && sec >= 1) return sec;
  report("bad-value", path, `expected whole seconds, at least 1s: the kernel counts so; found "${text}"`);
  return fallback;
}

type FirewallEntry = Extract<RouterEntry["firewall"], object>;
type PinholeEntry = NonNullable<FirewallEntry["pinholes"]>[number];

/** Rules that one pinhole may become: one for each pair of addresses of the nodes that it names. */
const MOST_PAIRS = 64;

function resolvePinhole(
  context: MiddleboxContext,
  pinhole: PinholeEntry,
  path: IssuePath,
  hidesIpv4: boolean,
): ResolvedFirewall["pinholes"] {
  const { protocol, port } = pinhole;
  if (protocol === "mh" && port !== undefined)
    context.report("bad-value", [...path, "port"], "expected no port: the Mobility Header has none; remove it");
  const from = pinhole.from === undefined ? undefined : placesOf(context, pinhole.from, [...path, "from"]);
  const to = placesOf(context, pinhole.to, [...path, "to"]);
  if (to.length * (from?.length ?? 1) > MOST_PAIRS) {
    const message = `expected at most ${MOST_PAIRS} pairs of addresses; found ${to.length} × ${from?.length ?? 1}; name addresses in place of nodes`;
    context.report("bad-value", path, message);
    return [];
  }
  const reachable = to.filter((place) => familyOfText(place) === 6 || (protocol === "udp" && !hidesIpv4));
  if (to.length > 0 && reachable.length === 0) {
    const why =
      protocol === "mh" ? "the Mobility Header needs IPv6" : "IPv4 is translated, where `forwards` open a way in";
    context.report(
      "unsupported",
      [...path, "to"],
      `expected a destination with an IPv6 address: ${why}; found ${pinhole.to}`,
    );
  }
  return reachable.flatMap((place) => {
    const hole = { protocol, to: place, ...(port === undefined ? {} : { port }) };
    if (from === undefined) return [hole];
    return from
      .filter((source) => familyOfText(source) === familyOfText(place))
      .map((source) => ({ ...hole, from: source }));
  });
}

/** The addresses of a named node, or the address or network itself. */
function placesOf({ interfaces, report }: MiddleboxContext, text: string, path: IssuePath): readonly string[] {
  const node = interfaces.get(text);
  if (node !== undefined)
    return node.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((own) => own !== undefined).map(withoutLength));
  if (isAddress(text, 4) || isAddress(text, 6)) return [canonicalText(text)];
  if (networkProblem(text, familyOfText(text)) === undefined) return [text];
  const nodes = listNames([...interfaces.keys()]);
  report("unknown-reference", path, `expected a node, an address or a network; found "${text}"; nodes: ${nodes}`);
  return [];
}
