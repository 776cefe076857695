/**
 * The model of a NAT and firewall: which packets pass, and with which addresses. It matches what the kernel does with
 * the rules of `render/`, without time: no state expires.
 */

import { contains, type Family, familyOfText, parseNetwork } from "../model/address-text.ts";
import type { ResolvedFirewall, ResolvedRouter } from "../model/resolved.ts";
import { createNatTranslation } from "./nat-model.ts";
import { createOverloadTranslation } from "./overload-model.ts";
import { type Endpoint, type ModelPacket, sameEndpoint } from "./packet.ts";
import { createPrefixTranslation } from "./prefix-model.ts";
import { EXACT, type Translation } from "./translation.ts";

/** What a router did with a packet, and why, as the end of a sentence about it. */
type Passage =
  | { readonly passes: true; readonly packet: ModelPacket; readonly why?: string }
  | { readonly passes: false; readonly why: string };

export interface MiddleboxModel {
  /** The destination by which a packet is routed, before its outgoing interface is known. */
  destinationOf(packet: ModelPacket, from: string): Endpoint;
  /** Decides on a packet that arrived on one interface and is routed to another one, and updates the state. */
  pass(packet: ModelPacket, from: string, to: string): Passage;
  /** Judges all packets by another policy from now on, those of known flows too. Mappings stay. */
  enforce(router: ResolvedRouter): void;
  /** Why a packet to the router itself is not translated to an inside endpoint; records it where it leaves something. */
  refusal(packet: ModelPacket, from: string): string;
}

/** A flow of connection tracking: its first packet, and the answer it expects. */
interface Flow {
  readonly original: ModelPacket;
  readonly answer: ModelPacket;
  /** Why its first packet passed. */
  readonly why: string | undefined;
}

/** What a firewall does with a packet that policy stops. */
const DENIES: Readonly<Record<ResolvedFirewall["denied"], string>> = { drop: "drops", reject: "refuses" };

/** Makes the model of a router without state. */
export function createMiddleboxModel(initial: ResolvedRouter): MiddleboxModel {
  let router = initial;
  const flows: Flow[] = [];
  const translations = { 4: createTranslation(router, 4), 6: createTranslation(router, 6) } as const;
  const translationOf = ({ destination }: ModelPacket): Translation | undefined =>
    translations[familyOfText(destination.ip)];

  const known = (packet: ModelPacket) => flowOf(flows, packet);
  const destinationOf = (packet: ModelPacket, from: string): Endpoint => {
    const found = known(packet);
    if (found !== undefined) return found.isAnswer ? found.flow.original.source : found.flow.answer.source;
    return translationOf(packet)?.insideOf(packet, from === router.wan) ?? packet.destination;
  };
  const refusalOf = (packet: ModelPacket, destination: Endpoint, from: string, to: string): string | undefined => {
    const isTranslated = !sameEndpoint(destination, packet.destination);
    const isJudged = !isTranslated || (from === router.wan && translationOf(packet)?.isFirewalled === true);
    if (!isJudged) return undefined;
    return policyRefusal(router, { source: packet.source, destination }, from, to);
  };
  const passNew = (packet: ModelPacket, from: string, to: string): Passage => {
    const translation = translationOf(packet);
    const isFromOutside = from === router.wan;
    const destination = destinationOf(packet, from);
    const isTranslated = !sameEndpoint(destination, packet.destination);
    const refusal = refusalOf(packet, destination, from, to);
    if (refusal !== undefined)
      return { passes: false, why: `${router.name} ${DENIES[router.firewall.denied]} it: ${refusal}` };
    const outside = to === router.wan || (isTranslated && !isFromOutside) ? translation?.outsideOf(packet) : undefined;
    const source = outside?.source ?? freeSource(flows, packet.source, destination);
    if (isTranslated && isFromOutside) translation?.learnInbound(packet, destination);
    const why = isTranslated ? translation?.admission(packet, isFromOutside) : outside?.why;
    flows.push({ original: packet, answer: { source: destination, destination: source }, why });
    return { passes: true, packet: { source, destination }, ...(why === undefined ? {} : { why }) };
  };
  return {
    destinationOf,
    pass(packet, from, to) {
      const found = known(packet);
      if (found === undefined) return passNew(packet, from, to);
      const { original, answer, why } = found.flow;
      const next = found.isAnswer
        ? { source: original.destination, destination: original.source }
        : { source: answer.destination, destination: answer.source };
      if (found.isAnswer && to === router.wan) translationOf(packet)?.learnAnswer(next, packet.source);
      const isInboundAnswer = found.isAnswer && from === router.wan;
      const remark = isInboundAnswer ? `${router.name} lets it in: ${EXACT}` : found.isAnswer ? undefined : why;
      return { passes: true, packet: next, ...(remark === undefined ? {} : { why: remark }) };
    },
    enforce(changed) {
      router = changed;
      flows.length = 0;
    },
    refusal(packet, from) {
      const translation = translationOf(packet);
      const why = translation?.refusal(packet, from === router.wan) ?? "it is addressed to the middlebox itself";
      if (from === router.wan) translation?.learnRefused?.(packet);
      return `${router.name} drops it: ${why}`;
    },
  };
}

/** The flow that a packet belongs to, and whether it is an answer. */
function flowOf(
  flows: readonly Flow[],
  packet: ModelPacket,
): { readonly flow: Flow; readonly isAnswer: boolean } | undefined {
  for (const flow of flows) {
    if (samePacket(flow.original, packet)) return { flow, isAnswer: false };
    if (samePacket(flow.answer, packet)) return { flow, isAnswer: true };
  }
  return undefined;
}

/** The router's address translation for an IP version, if any. */
function createTranslation(router: ResolvedRouter, family: Family): Translation | undefined {
  const prefix = router.prefixes.find(({ inside }) => familyOfText(inside) === family);
  if (prefix !== undefined) return createPrefixTranslation(router.name, prefix);
  if (family === 6 || router.nat === undefined) return undefined;
  const create = router.nat.portAssignment === "overload" ? createOverloadTranslation : createNatTranslation;
  return create(router, router.nat);
}

/**
 * The kernel identifies flows by both directions. A flow from outside whose answers would clash with an existing flow,
 * one from inside with another mapping, gets another source port.
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
  if (from !== router.wan) return "its inside segments are isolated from each other";
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
