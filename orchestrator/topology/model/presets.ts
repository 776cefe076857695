/** Presets of a topology file: names for combinations of the behaviours of RFC 4787, and for firewall policies. */

import { CONE_NAT, DSMIPV6_PORT, type NatDependence, type NatPoint, STUN_PORT } from "@testbed/agent/control";
import type { ResolvedFirewall, TcpNat } from "./resolved.ts";

interface Preset<T> {
  /** What the preset is. */
  readonly summary: string;
  /** Products and networks known to behave this way. */
  readonly seenIn: string;
  /** Where that is documented or measured: Markdown with links. */
  readonly source: string;
  readonly behaviour: T;
}

const rfc = (number: number, section: string): string =>
  `[RFC ${number}, ${section}](https://www.rfc-editor.org/rfc/rfc${number})`;

const CONNTRACK = "[nf_conntrack-sysctl](https://www.kernel.org/doc/html/latest/networking/nf_conntrack-sysctl.html)";
const NETGATE = "https://docs.netgate.com/pfsense/en/latest";

/**
 * Prefix translation (1:1 NAT, NPTv6) in the terms of RFC 4787, without what the firewall adds: filtering and the
 * lifetime of flows.
 */
export const PREFIX_TRANSLATION: Omit<NatPoint, "filtering" | "udpLifetimeSec"> = {
  ...CONE_NAT,
  parity: "preserve",
  hairpinning: true,
};

/** The NAT presets by name. The four classic names are those of RFC 3489 section 5. */
export const NAT_PRESETS = {
  "full-cone": {
    summary: "One mapping for all destinations, open to everybody.",
    seenIn:
      "Gateways whose owner forwarded a port or whose program asked for it (UPnP, NAT-PMP): `open` or `type 1` to game consoles.",
    source: `${rfc(3489, "section 5")}; [Netgate, games](${NETGATE}/recipes/games.html)`,
    behaviour: { ...CONE_NAT, filtering: "endpoint-independent", hairpinning: true },
  },
  "restricted-cone": {
    summary: "One mapping for all destinations, open to every address that was sent to.",
    seenIn: "NATs that put strict filtering first and follow RFC 4787 in it.",
    source: `${rfc(4787, "REQ-8")}; ${rfc(3489, "section 5")}`,
    behaviour: { ...CONE_NAT, filtering: "address-dependent" },
  },
  "port-restricted-cone": {
    summary: "One mapping for all destinations, open to exactly the address and port that was sent to.",
    seenIn: "Linux `MASQUERADE` with one inside host a port, which is most home routers; pf with static port.",
    source: `measured on Linux 6.18; lifetime: ${CONNTRACK}; [Netgate, games](${NETGATE}/recipes/games.html)`,
    behaviour: { ...CONE_NAT, filtering: "address-and-port-dependent" },
  },
  symmetric: {
    summary: "A new random port for every destination, open to that destination only.",
    seenIn: "pfSense as it comes; VPP's NAT44-ED; Linux `MASQUERADE --random-fully`.",
    source: `[Tailscale, pfSense](https://tailscale.com/kb/1146/pfsense); [VPP, NAT44-ED](https://s3-docs.fd.io/vpp/24.06/_sources/developer/plugins/nat44_ed_doc.rst.txt)`,
    behaviour: {
      ...CONE_NAT,
      mapping: "address-and-port-dependent",
      filtering: "address-and-port-dependent",
      portAssignment: "random",
    },
  },
  "home-router": {
    summary: "Ports kept where free, port-restricted, packets turned round (hairpinning).",
    seenIn:
      "Linux home gateways with a loopback rule; how long real ones remember, and what they keep, varies from model to model.",
    source: `${rfc(4787, "REQ-9")}; [Hätönen et al., 34 home gateways measured, IMC 2010](https://www.cs.helsinki.fi/group/wiseciti/nat-study/index.html)`,
    behaviour: { ...CONE_NAT, filtering: "address-and-port-dependent", hairpinning: true },
  },
  "carrier-grade": {
    summary: "Endpoint-independent mapping and filtering, random ports, hairpinning, 5 min.",
    seenIn:
      "Carriers that follow RFC 6888: all of RFC 4787, and its open filter recommended; 5 min is the default of RFC 4787.",
    source: `${rfc(6888, "REQ-1 and REQ-7")}; ${rfc(4787, "REQ-5")}; ${rfc(7857, "port randomization")}`,
    behaviour: {
      ...CONE_NAT,
      filtering: "endpoint-independent",
      portAssignment: "random",
      ports: { first: 1024, last: 65535 },
      hairpinning: true,
      udpLifetimeSec: 300,
    },
  },
  corporate: {
    summary: "A new random port for every destination, and UDP forgotten after 30 s.",
    seenIn:
      "Company gateways of the kind that pfSense is, with the lifetime that Linux gives an unanswered flow, and Google Cloud NAT any UDP.",
    source: `[Netgate, outbound NAT](${NETGATE}/nat/outbound.html); ${CONNTRACK}; [cloud NAT timeouts](https://cloudnetworking.pro/cloud-nat-timeouts-demystified)`,
    behaviour: {
      ...CONE_NAT,
      mapping: "address-and-port-dependent",
      filtering: "address-and-port-dependent",
      portAssignment: "random",
      udpLifetimeSec: 30,
    },
  },
} as const satisfies Record<string, Preset<NatPoint>>;

export type NatPresetName = keyof typeof NAT_PRESETS;
export const NAT_PRESET_NAMES = Object.keys(NAT_PRESETS) as NatPresetName[];

/** What no preset decides. */
const UNSAID = { denied: "drop", udpIdleSec: CONE_NAT.udpLifetimeSec, pinholes: [] } as const;

/** Firewall presets by name. */
export const FIREWALL_PRESETS = {
  open: {
    summary: "Lets everything through both ways.",
    seenIn: "A plain router.",
    source: rfc(1812, "section 5.2"),
    behaviour: { inbound: "open", outboundUdp: "all", ...UNSAID },
  },
  stateful: {
    summary: "Everything out, only answers in.",
    seenIn: "What home gateways do for IPv6 (simple security).",
    source: `${rfc(6092, "section 3.2")}; ${rfc(4487, "section 5")}`,
    behaviour: { inbound: "stateful", outboundUdp: "all", ...UNSAID },
  },
  "udp-blocked": {
    summary: "No UDP out at all.",
    seenIn: "Strict company networks: 3 % to 5 % of networks block UDP.",
    source: rfc(9308, "section 2"),
    behaviour: { inbound: "stateful", outboundUdp: "none", ...UNSAID },
  },
  "tunnel-only": {
    summary: `UDP out only to the home agents' ports ${DSMIPV6_PORT} and ${STUN_PORT}: direct paths are blocked, tunnels work.`,
    seenIn: "Uplink filters with an exception for Mobile IPv6.",
    source: rfc(4487, "section 5.2"),
    behaviour: { inbound: "stateful", outboundUdp: [STUN_PORT, DSMIPV6_PORT], ...UNSAID },
  },
} as const satisfies Record<string, Preset<ResolvedFirewall>>;

export type FirewallPresetName = keyof typeof FIREWALL_PRESETS;
export const FIREWALL_PRESET_NAMES = Object.keys(FIREWALL_PRESETS) as FirewallPresetName[];

/** What a firewall answers to a SYN to the router itself. */
export function unsolicitedSynBy({ denied }: Pick<ResolvedFirewall, "denied">): TcpNat["unsolicitedSyn"] {
  return denied === "reject" ? "icmp" : "drop";
}

/** Idle times of TCP: the least of RFC 5382 REQ-5. */
const TCP_TIMES = { establishedSec: 7440, transitorySec: 240 } as const;

/** What a NAT does with TCP where its file says nothing of it: the same as with UDP. */
export function tcpLikeUdp(nat: NatPoint, firewall: Pick<ResolvedFirewall, "denied">): TcpNat {
  const { mapping, filtering, hairpinning } = nat;
  return { mapping, filtering, hairpinning, unsolicitedSyn: unsolicitedSynBy(firewall), ...TCP_TIMES };
}

/** What is different with TCP, such as `TCP EIM/APDF, reset`; empty where nothing is. */
export function describeTcp(tcp: TcpNat, nat: NatPoint, firewall: Pick<ResolvedFirewall, "denied">): readonly string[] {
  const usual = tcpLikeUdp(nat, firewall);
  const isPoint = tcp.mapping === usual.mapping && tcp.filtering === usual.filtering;
  const words = [
    ...(isPoint ? [] : [describePoint(tcp)]),
    ...(tcp.hairpinning === usual.hairpinning ? [] : [tcp.hairpinning ? "hairpinning" : "no hairpinning"]),
    ...(tcp.unsolicitedSyn === usual.unsolicitedSyn ? [] : [`unsolicited SYN: ${tcp.unsolicitedSyn}`]),
    ...(tcp.establishedSec === usual.establishedSec ? [] : [`established ${tcp.establishedSec} s`]),
    ...(tcp.transitorySec === usual.transitorySec ? [] : [`transitory ${tcp.transitorySec} s`]),
  ];
  return words.length === 0 ? [] : [`TCP ${words.join(", ")}`];
}

/** `EI`, as in `EIM/ADF`. */
export const DEPENDENCE_ABBREVIATIONS: Readonly<Record<NatDependence, string>> = {
  "endpoint-independent": "EI",
  "address-dependent": "AD",
  "address-and-port-dependent": "APD",
};

/** A NAT in a word: the preset that behaves the same, or else its mapping and filtering, such as `EIM/ADF`. */
export function describeNat(nat: NatPoint): string {
  const preset = NAT_PRESET_NAMES.find((name) => samePoint(NAT_PRESETS[name].behaviour, nat));
  return preset ?? describePoint(nat);
}

function describePoint({ mapping, filtering }: Pick<NatPoint, "mapping" | "filtering">): string {
  return `${DEPENDENCE_ABBREVIATIONS[mapping]}M/${DEPENDENCE_ABBREVIATIONS[filtering]}F`;
}

/** Whether a NAT has every behaviour of this point. */
function samePoint({ ports, ...behaviour }: NatPoint, nat: NatPoint): boolean {
  const names = Object.keys(behaviour) as (keyof typeof behaviour)[];
  return (
    ports.first === nat.ports.first &&
    ports.last === nat.ports.last &&
    names.every((name) => behaviour[name] === nat[name])
  );
}

/** A firewall in a few words: the preset that behaves the same, or else `own rules`, and whether it rejects by ICMP. */
export function describeFirewall(firewall: ResolvedFirewall): string {
  const preset = FIREWALL_PRESET_NAMES.find((name) => {
    const { inbound, outboundUdp } = FIREWALL_PRESETS[name].behaviour;
    return inbound === firewall.inbound && String(outboundUdp) === String(firewall.outboundUdp);
  });
  const policy = firewall.pinholes.length === 0 && preset !== undefined ? preset : "own rules";
  return firewall.denied === "reject" ? `${policy}, rejecting` : policy;
}
