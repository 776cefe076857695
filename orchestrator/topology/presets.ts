/** Names for points in the space of RFC 4787, and for firewall policies: what a topology file may write in one word. */

import type { NatProfile } from "./nat-profile.ts";
import type { ResolvedFirewall } from "./resolved.ts";

/** A NAT behaviour without the seed, which belongs to the topology. */
export type NatPoint = Omit<NatProfile, "seed">;

interface Preset<T> {
  /** What the name stands for, and who is known to behave so. */
  readonly summary: string;
  readonly behaviour: T;
}

/** IANA's dynamic ports: what a box draws from unless told otherwise (RFC 6335 section 6). */
const DYNAMIC_PORTS = { first: 49152, last: 65535 } as const;

/** Linux conntrack's lifetime of a UDP flow that was answered (nf_conntrack_udp_timeout_stream). */
const LINUX_UDP_LIFETIME_SEC = 120;

const CONE: Omit<NatPoint, "filtering"> = {
  mapping: "endpoint-independent",
  portAssignment: "preserve",
  ports: DYNAMIC_PORTS,
  hairpinning: false,
  udpLifetimeSec: LINUX_UDP_LIFETIME_SEC,
  inboundRefresh: true,
};

/** The NAT presets by name. The four classic names are those of RFC 3489 section 5. */
export const NAT_PRESETS = {
  "full-cone": {
    summary:
      "One mapping for all destinations, open to everybody: static port forwards, UPnP gateways, game consoles' DMZ.",
    behaviour: { ...CONE, filtering: "endpoint-independent", hairpinning: true },
  },
  "restricted-cone": {
    summary:
      "One mapping for all destinations, open to every address that was sent to (the minimum of RFC 4787 REQ-8b).",
    behaviour: { ...CONE, filtering: "address-dependent" },
  },
  "port-restricted-cone": {
    summary:
      "One mapping for all destinations, open to exactly the address and port that was sent to: plain home routers.",
    behaviour: { ...CONE, filtering: "address-and-port-dependent" },
  },
  symmetric: {
    summary:
      "A new random port for every destination, open to that destination only: enterprise firewalls, `--random-fully`.",
    behaviour: {
      ...CONE,
      mapping: "address-and-port-dependent",
      filtering: "address-and-port-dependent",
      portAssignment: "random",
    },
  },
  "home-router": {
    summary: "Linux-based home gateways: ports kept where free, port-restricted, hairpinning by a loopback rule.",
    behaviour: { ...CONE, filtering: "address-and-port-dependent", hairpinning: true },
  },
  "carrier-grade": {
    summary:
      "A carrier's NAT after RFC 6888: endpoint-independent mapping and filtering, random ports, hairpinning, 5 min.",
    behaviour: {
      ...CONE,
      filtering: "endpoint-independent",
      portAssignment: "random",
      ports: { first: 1024, last: 65535 },
      hairpinning: true,
      udpLifetimeSec: 300,
    },
  },
  corporate: {
    summary: "A company's gateway: a new random port for every destination and UDP forgotten after 30 s.",
    behaviour: {
      ...CONE,
      mapping: "address-and-port-dependent",
      filtering: "address-and-port-dependent",
      portAssignment: "random",
      udpLifetimeSec: 30,
    },
  },
} as const satisfies Record<string, Preset<NatPoint>>;

export type NatPresetName = keyof typeof NAT_PRESETS;
export const NAT_PRESET_NAMES = Object.keys(NAT_PRESETS) as NatPresetName[];

/** Firewall presets by name. */
export const FIREWALL_PRESETS = {
  open: {
    summary: "Lets everything through both ways: a plain router.",
    behaviour: { inbound: "open", outboundUdp: "all", udpIdleSec: LINUX_UDP_LIFETIME_SEC, pinholes: [] },
  },
  stateful: {
    summary: "Everything out, only answers in: what home gateways do for IPv6 (RFC 6092 simple security).",
    behaviour: { inbound: "stateful", outboundUdp: "all", udpIdleSec: LINUX_UDP_LIFETIME_SEC, pinholes: [] },
  },
  "udp-blocked": {
    summary: "No UDP out at all: strict company networks.",
    behaviour: { inbound: "stateful", outboundUdp: "none", udpIdleSec: LINUX_UDP_LIFETIME_SEC, pinholes: [] },
  },
  "tunnel-only": {
    summary: "UDP out only to the home agents' ports 4191 and 3478: direct paths are blocked, tunnels work.",
    behaviour: { inbound: "stateful", outboundUdp: [3478, 4191], udpIdleSec: LINUX_UDP_LIFETIME_SEC, pinholes: [] },
  },
} as const satisfies Record<string, Preset<ResolvedFirewall>>;

export type FirewallPresetName = keyof typeof FIREWALL_PRESETS;
export const FIREWALL_PRESET_NAMES = Object.keys(FIREWALL_PRESETS) as FirewallPresetName[];

const SHORT: Readonly<Record<NatProfile["mapping"], string>> = {
  "endpoint-independent": "EI",
  "address-dependent": "AD",
  "address-and-port-dependent": "APD",
};

/** A NAT in a word: the preset that behaves so, or else its mapping and filtering, such as `EIM/ADF`. */
export function describeNat(nat: NatPoint): string {
  const preset = NAT_PRESET_NAMES.find((name) => samePoint(NAT_PRESETS[name].behaviour, nat));
  return preset ?? `${SHORT[nat.mapping]}M/${SHORT[nat.filtering]}F`;
}

function samePoint(a: NatPoint, b: NatPoint): boolean {
  return (
    a.mapping === b.mapping &&
    a.filtering === b.filtering &&
    a.portAssignment === b.portAssignment &&
    a.ports.first === b.ports.first &&
    a.ports.last === b.ports.last &&
    a.hairpinning === b.hairpinning &&
    a.udpLifetimeSec === b.udpLifetimeSec &&
    a.inboundRefresh === b.inboundRefresh
  );
}

/** A firewall in a word: the preset that behaves so, or else `own rules`. */
export function describeFirewall(firewall: ResolvedFirewall): string {
  const preset = FIREWALL_PRESET_NAMES.find((name) => {
    const { inbound, outboundUdp } = FIREWALL_PRESETS[name].behaviour;
    return inbound === firewall.inbound && String(outboundUdp) === String(firewall.outboundUdp);
  });
  return firewall.pinholes.length === 0 && preset !== undefined ? preset : "own rules";
}
