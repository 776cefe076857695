/** Address and port translation in theory: outside ports by mapping key, and who they were used towards. */

import type { NatDependence } from "@testbed/agent/control";
import { withoutLength } from "../address-text.ts";
import type { NatProfile } from "../nat-profile.ts";
import type { ResolvedRouter } from "../resolved.ts";
import { type Endpoint, endpointKey, type ModelPacket, sameEndpoint } from "./packet.ts";
import { EXACT, type Translation } from "./translation.ts";

/** The translation of a box by such a profile, before its first packet. */
export function createNatTranslation(router: ResolvedRouter, profile: NatProfile): Translation {
  const wan = router.interfaces.find(({ interfaceName }) => interfaceName === router.wan);
  const outsideIp = withoutLength(wan?.ipv4 ?? "");
  const ports = new Map<string, number>();
  const inside = new Map<number, Endpoint>();
  const peers = new Set<string>();

  const assignPort = (source: Endpoint): number => {
    if (profile.portAssignment === "preserve" && !inside.has(source.port)) return source.port;
    const isFit = (port: number): boolean =>
      !inside.has(port) && (profile.parity === "any" || port % 2 === source.port % 2);
    let port = profile.ports.first;
    while (!isFit(port)) port += 1;
    return port;
  };
  const isToOutside = ({ destination }: ModelPacket): boolean => destination.ip === outsideIp;
  const isAdmitted = ({ source, destination }: ModelPacket, fromOutside: boolean): boolean => {
    if (!fromOutside) return profile.hairpinning;
    if (profile.filtering === "endpoint-independent") return true;
    return profile.filtering === "address-dependent" && peers.has(`${destination.port} ${source.ip}`);
  };
  const learn = (endpoint: Endpoint, port: number, peer: Endpoint): void => {
    ports.set(mappingKey(profile.mapping, endpoint, peer), port);
    inside.set(port, endpoint);
    peers.add(`${port} ${peer.ip}`);
  };

  return {
    isFirewalled: false,
    insideOf: (packet, fromOutside) =>
      isToOutside(packet) && isAdmitted(packet, fromOutside) ? inside.get(packet.destination.port) : undefined,
    /** Makes a mapping where there is none. */
    outsideOf({ source, destination }) {
      const isNew = ![...inside.values()].some((endpoint) => sameEndpoint(endpoint, source));
      const port = ports.get(mappingKey(profile.mapping, source, destination)) ?? assignPort(source);
      const why =
        isNew || profile.mapping === "endpoint-independent"
          ? "its one mapping for all destinations"
          : `a mapping of its own for this ${MAPPED_PER[profile.mapping]}`;
      learn(source, port, destination);
      return { source: { ip: outsideIp, port }, why: `${router.name} sends it from ${why}` };
    },
    /** A flow that the outside opened uses the mapping of its outside port from then on. */
    learnInbound({ source, destination }, endpoint) {
      if (profile.inboundRefresh) learn(endpoint, destination.port, source);
    },
    learnAnswer({ source, destination }, endpoint) {
      if (source.ip === outsideIp) learn(endpoint, source.port, destination);
    },
    admission: (fromOutside) =>
      fromOutside
        ? `${router.name} lets it in: ${ADMISSION[profile.filtering]}`
        : `${router.name} turns it round (hairpinning)`,
    refusal({ source, destination }, fromOutside) {
      if (!isToOutside({ source, destination })) return undefined;
      if (!inside.has(destination.port)) return "nobody inside uses that outside port";
      if (!fromOutside) return "it does not turn packets round (no hairpinning)";
      return profile.filtering === "address-dependent"
        ? "it filters by address, and from that outside port nothing was sent to this one"
        : "it filters by address and port, and from that outside port nothing was sent there";
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
