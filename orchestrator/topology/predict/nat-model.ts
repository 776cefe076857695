/** The model of a NAT: outside ports by mapping key, and the peers they were used towards. */

import type { NatDependence, NatProfile } from "@testbed/agent/control";
import { blockOf } from "../model/inside-hosts.ts";
import type { ResolvedRouter } from "../model/resolved.ts";
import { type Endpoint, endpointKey, type ModelPacket, sameEndpoint } from "./packet.ts";
import { EXACT, type Translation } from "./translation.ts";

/** The translation of a NAT with this profile and outside address, before its first packet. */
export function createNatTranslation(router: ResolvedRouter, profile: NatProfile, outsideIp: string): Translation {
  const forwards = router.forwards.filter(({ protocol }) => protocol === "udp");
  const mappings = createMappings(
    router,
    profile,
    forwards.map(({ port }) => port),
  );
  const isToOutside = ({ destination }: ModelPacket): boolean => destination.ip === outsideIp;
  const forwardOf = ({ destination }: ModelPacket) => forwards.find(({ port }) => port === destination.port);
  const isAdmitted = ({ source, destination }: ModelPacket, fromOutside: boolean): boolean => {
    if (!fromOutside) return profile.hairpinning;
    if (profile.filtering === "endpoint-independent") return true;
    return profile.filtering === "address-dependent" && mappings.isPeer(destination.port, source);
  };

  return {
    isFirewalled: false,
    insideOf(packet, fromOutside) {
      if (!isToOutside(packet)) return undefined;
      const forward = fromOutside || profile.hairpinning ? forwardOf(packet) : undefined;
      if (forward !== undefined) return { ip: forward.to, port: forward.toPort };
      return isAdmitted(packet, fromOutside) ? mappings.insideOf(packet.destination.port) : undefined;
    },
    /** Makes a mapping if there is none. */
    outsideOf({ source, destination }) {
      const forward = forwards.find(({ to, toPort }) => to === source.ip && toPort === source.port);
      const used = forward
        ? { port: forward.port, why: "the port that it forwards" }
        : mappings.use(source, destination);
      if ("dropped" in used) return used;
      const { port, why } = used;
      return { source: { ip: outsideIp, port }, why: `${router.name} sends it from ${why}` };
    },
    /** A flow opened from outside uses the mapping of its outside port. */
    learnInbound({ source, destination }, endpoint) {
      if (profile.inboundRefresh) mappings.learn(endpoint, destination.port, source);
    },
    learnAnswer({ source, destination }, endpoint) {
      if (source.ip === outsideIp) mappings.learn(endpoint, source.port, destination);
    },
    admission(packet, fromOutside) {
      if (!fromOutside) return `${router.name} turns it round (hairpinning)`;
      const why = forwardOf(packet) === undefined ? ADMISSION[profile.filtering] : "it forwards that port";
      return `${router.name} lets it in: ${why}`;
    },
    refusal(packet, fromOutside) {
      if (!isToOutside(packet)) return undefined;
      const isUsed = forwardOf(packet) !== undefined || mappings.insideOf(packet.destination.port) !== undefined;
      if (!isUsed) return "nobody inside uses that outside port";
      if (!fromOutside) return "it does not turn packets round (no hairpinning)";
      return profile.filtering === "address-dependent"
        ? "it filters by address, and from that outside port nothing was sent to this one"
        : "it filters by address and port, and from that outside port nothing was sent there";
    },
  };
}

/**
 * Mappings of a NAT: outside ports by mapping key, inside endpoints by outside port. `given` ports are never assigned.
 */
function createMappings(router: ResolvedRouter, profile: NatProfile, given: readonly number[]) {
  const ports = new Map<string, number>();
  const inside = new Map<number, Endpoint>();
  /** Mappings of each host, by key. */
  const held = new Map<string, Set<string>>();
  const peers = new Set<string>();

  const isFree = (port: number): boolean => !inside.has(port) && !given.includes(port);
  const assignPort = (source: Endpoint): number => {
    if (profile.portAssignment === "preserve" && isFree(source.port)) return source.port;
    const isFit = (port: number): boolean => isFree(port) && (profile.parity === "any" || port % 2 === source.port % 2);
    let port = blockOf(router, source.ip)?.first ?? profile.ports.first;
    while (!isFit(port)) port += 1;
    return port;
  };
  const excess = ({ ip }: Endpoint): string | undefined => {
    const count = held.get(ip)?.size ?? 0;
    const { mappingsPerHost, blockSize } = profile;
    if (mappingsPerHost !== undefined && count >= mappingsPerHost)
      return `${ip} has the ${mappingsPerHost} mappings that a host may have`;
    if (blockSize !== undefined && count >= blockSize) return `no port is left of the block of ${ip}`;
    return undefined;
  };
  const learn = (endpoint: Endpoint, port: number, peer: Endpoint): void => {
    const key = mappingKey(profile.mapping, endpoint, peer);
    ports.set(key, port);
    held.set(endpoint.ip, (held.get(endpoint.ip) ?? new Set()).add(key));
    inside.set(port, endpoint);
    peers.add(`${port} ${peer.ip}`);
  };
  return {
    learn,
    insideOf: (port: number): Endpoint | undefined => inside.get(port),
    isPeer: (port: number, { ip }: Endpoint): boolean => peers.has(`${port} ${ip}`),
    /** The outside port of a packet, and why it is that one; or why there is none. */
    use(
      source: Endpoint,
      destination: Endpoint,
    ): { readonly port: number; readonly why: string } | { readonly dropped: string } {
      const isNew = ![...inside.values()].some((endpoint) => sameEndpoint(endpoint, source));
      const known = ports.get(mappingKey(profile.mapping, source, destination));
      const dropped = known === undefined ? excess(source) : undefined;
      if (dropped !== undefined) return { dropped };
      const port = known ?? assignPort(source);
      learn(source, port, destination);
      const isOne = isNew || profile.mapping === "endpoint-independent";
      const why = isOne
        ? "its one mapping for all destinations"
        : `a mapping of its own for this ${MAPPED_PER[profile.mapping]}`;
      return { port, why };
    },
  };
}

const MAPPED_PER: Readonly<Record<NatDependence, string>> = {
  "endpoint-independent": "",
  "address-dependent": "address",
  "address-and-port-dependent": "address and port",
};

const ADMISSION: Readonly<Record<NatDependence, string>> = {
  "endpoint-independent": "it filters nothing",
  "address-dependent": "it filters by address only, and this one was sent to from inside",
  "address-and-port-dependent": EXACT,
};

function mappingKey(mapping: NatDependence, source: Endpoint, destination: Endpoint): string {
  switch (mapping) {
    case "endpoint-independent":
      return endpointKey(source);
    case "address-dependent":
      return `${endpointKey(source)} ${destination.ip}`;
    case "address-and-port-dependent":
      return `${endpointKey(source)} ${endpointKey(destination)}`;
  }
}
