/**
 * A box in theory: which packets pass it, and from which address they go on. It does what the rule texts of `render/` make
 * the kernel do, without time: nothing it has learned expires.
 */

import type { NatDependence } from "@testbed/agent/control";
import { contains, familyOfText, parseNetwork, withoutLength } from "../address-text.ts";
import type { NatProfile } from "../nat-profile.ts";
import type { ResolvedRouter } from "../resolved.ts";
import { type Endpoint, endpointKey, type ModelPacket, sameEndpoint } from "./packet.ts";
import { prefixInside, prefixOutside } from "./prefix-model.ts";

/** What became of a packet at a box, and why, as the end of a sentence about it. */
type Passage =
  | { readonly passes: true; readonly packet: ModelPacket; readonly why?: string }
  | { readonly passes: false; readonly why: string };

export interface BoxModel {
  /** A packet's destination as it is routed, before it is known by which interface it leaves. */
  destinationOf(packet: ModelPacket, from: string): Endpoint;
  /** Decides about a packet that arrived on one interface and is routed to another one; remembers what it does. */
  pass(packet: ModelPacket, from: string, to: string): Passage;
  /** Why a packet ends here: it is addressed to the box, and nothing inside stands behind that. */
  refusal(packet: ModelPacket, from: string): string;
}

/** A flow as connection tracking remembers it: its first packet, and the answer it expects. */
interface Flow {
  readonly original: ModelPacket;
  readonly answer: ModelPacket;
  /** Why its first packet passed as it did. */
  readonly why: string | undefined;
}

/** Makes a box that has seen nothing. */
export function createBoxModel(router: ResolvedRouter): BoxModel {
  const flows: Flow[] = [];
  const nat = router.nat === undefined ? undefined : createTranslation(router, router.nat);

  const known = (packet: ModelPacket): { flow: Flow; isAnswer: boolean } | undefined => {
    for (const flow of flows) {
      if (samePacket(flow.original, packet)) return { flow, isAnswer: false };
      if (samePacket(flow.answer, packet)) return { flow, isAnswer: true };
    }
    return undefined;
  };
  const destinationOf = (packet: ModelPacket, from: string): Endpoint => {
    const found = known(packet);
    if (found !== undefined) return found.isAnswer ? found.flow.original.source : found.flow.answer.source;
    const inside = nat?.insideOf(packet, from === router.wan) ?? prefixInside(router.prefixes, packet.destination);
    return inside ?? packet.destination;
  };
  const prefixPassage = (packet: ModelPacket, from: string, to: string): Passage => {
    const destination = destinationOf(packet, from);
    const isTurned = from === to && from !== router.wan;
    const refusal = isTurned ? undefined : policyRefusal(router, { source: packet.source, destination }, from, to);
    if (refusal !== undefined) return { passes: false, why: `${router.name} drops it: ${refusal}` };
    const mapped = to === router.wan || isTurned ? prefixOutside(router.prefixes, packet.source) : undefined;
    const source = mapped ?? freeSource(flows, packet.source, destination);
    const why =
      mapped === undefined ? undefined : `${router.name} sends it from the address that stands for it outside`;
    flows.push({ original: packet, answer: { source: destination, destination: source }, why });
    return { passes: true, packet: { source, destination }, ...(why === undefined ? {} : { why }) };
  };
  const passNew = (packet: ModelPacket, from: string, to: string): Passage => {
    const destination = destinationOf(packet, from);
    const isTranslated = !sameEndpoint(destination, packet.destination);
    const refusal = isTranslated ? undefined : policyRefusal(router, packet, from, to);
    if (refusal !== undefined) return { passes: false, why: `${router.name} drops it: ${refusal}` };
    const isHidden =
      nat !== undefined && familyOfText(destination.ip) === 4 && (to === router.wan || from !== router.wan);
    const outside = isHidden ? nat.outsideOf(packet) : { source: freeSource(flows, packet.source, destination) };
    if (isTranslated && from === router.wan) nat?.learnInbound(packet, destination);
    const why = isTranslated ? nat?.admission(from === router.wan) : "why" in outside ? outside.why : undefined;
    flows.push({ original: packet, answer: { source: destination, destination: outside.source }, why });
    return { passes: true, packet: { source: outside.source, destination }, ...(why === undefined ? {} : { why }) };
  };
  return {
    destinationOf,
    pass(packet, from, to) {
      const found = known(packet);
      if (found === undefined)
        return concernsPrefix(router, packet) ? prefixPassage(packet, from, to) : passNew(packet, from, to);
      const { original, answer, why } = found.flow;
      const next = found.isAnswer
        ? { source: original.destination, destination: original.source }
        : { source: answer.destination, destination: answer.source };
      if (found.isAnswer && to === router.wan) nat?.learnAnswer(next, packet.source);
      const isInboundAnswer = found.isAnswer && from === router.wan;
      const remark = isInboundAnswer ? `${router.name} lets it in: ${EXACT}` : found.isAnswer ? undefined : why;
      return { passes: true, packet: next, ...(remark === undefined ? {} : { why: remark }) };
    },
    refusal: (packet, from) =>
      `${router.name} drops it: ${nat?.refusal(packet, from === router.wan) ?? "it is addressed to the box itself"}`,
  };
}

/** Whether one end of a packet is an address that prefix translation exchanges. */
function concernsPrefix({ prefixes }: ResolvedRouter, { source, destination }: ModelPacket): boolean {
  return prefixInside(prefixes, destination) !== undefined || prefixOutside(prefixes, source) !== undefined;
}

/**
 * The kernel tells flows apart by both directions. A flow from outside whose answers would look like a flow that exists
 * already, one the inside began from another mapping, comes in with another source port.
 */
function freeSource(flows: readonly Flow[], source: Endpoint, destination: Endpoint): Endpoint {
  const isTaken = (candidate: Endpoint): boolean => {
    const answer = { source: destination, destination: candidate };
    return flows.some((flow) => samePacket(flow.original, answer) || samePacket(flow.answer, answer));
  };
  let free = source;
  while (isTaken(free)) free = { ip: free.ip, port: free.port === 65535 ? 1024 : free.port + 1 };
  return free;
}

const EXACT = "exactly this address and port was sent to from inside";

function samePacket(a: ModelPacket, b: ModelPacket): boolean {
  return sameEndpoint(a.source, b.source) && sameEndpoint(a.destination, b.destination);
}

/** Why policy stops a new packet, or undefined. */
function policyRefusal(
  router: ResolvedRouter,
  { source, destination }: ModelPacket,
  from: string,
  to: string,
): string | undefined {
  const { inbound, outboundUdp, pinholes } = router.firewall;
  if (from !== router.wan && to === router.wan) {
    if (outboundUdp === "all") return undefined;
    if (outboundUdp === "none") return "it lets no UDP out";
    return outboundUdp.includes(destination.port)
      ? undefined
      : `it lets UDP out to ports ${outboundUdp.join(", ")} only`;
  }
  if (inbound === "open") return undefined;
  if (from !== router.wan) return "its inside wires are isolated from each other";
  const isExpected = pinholes.some(
    (hole) =>
      hole.protocol === "udp" &&
      covers(hole.to, destination.ip) &&
      (hole.port === undefined || hole.port === destination.port) &&
      (hole.from === undefined || covers(hole.from, source.ip)),
  );
  return isExpected ? undefined : "its firewall lets in only what answers packets from inside";
}

function covers(place: string, ip: string): boolean {
  return place.includes("/") ? contains(parseNetwork(place), ip) : place === ip;
}

/** Address translation: outside ports by mapping key, and who they were used towards. */
function createTranslation(router: ResolvedRouter, profile: NatProfile) {
  const wan = router.interfaces.find(({ interfaceName }) => interfaceName === router.wan);
  const outsideIp = withoutLength(wan?.ipv4 ?? "");
  const ports = new Map<string, number>();
  const inside = new Map<number, Endpoint>();
  const peers = new Set<string>();
  let nextPort = profile.ports.first;

  const assignPort = (source: Endpoint): number => {
    if (profile.portAssignment === "preserve" && !inside.has(source.port)) return source.port;
    while (inside.has(nextPort)) nextPort += 1;
    return nextPort;
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
    /** The inside endpoint that a packet to the outside address is for, if it may pass. */
    insideOf: (packet: ModelPacket, fromOutside: boolean): Endpoint | undefined =>
      isToOutside(packet) && isAdmitted(packet, fromOutside) ? inside.get(packet.destination.port) : undefined,
    /** The outside address of a packet from inside; makes a mapping where there is none. */
    outsideOf({ source, destination }: ModelPacket): { readonly source: Endpoint; readonly why: string } {
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
    learnInbound: ({ source, destination }: ModelPacket, endpoint: Endpoint): void => {
      if (profile.inboundRefresh) learn(endpoint, destination.port, source);
    },
    learnAnswer: ({ source, destination }: ModelPacket, endpoint: Endpoint): void => {
      if (source.ip === outsideIp) learn(endpoint, source.port, destination);
    },
    /** Why a packet to the outside address went in. */
    admission: (fromOutside: boolean): string =>
      fromOutside
        ? `${router.name} lets it in: ${ADMISSION[profile.filtering]}`
        : `${router.name} turns it round (hairpinning)`,
    /** Why a packet to the outside address did not go in. */
    refusal({ source, destination }: ModelPacket, fromOutside: boolean): string | undefined {
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
