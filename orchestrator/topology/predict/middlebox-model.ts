/**
 * The model of a NAT and firewall: which packets pass, and with which addresses. It matches what the kernel does with
 * the rules of `render/`, without time: no state expires.
 */

import { contains, type Family, familyOfText, parseNetwork } from "../model/address-text.ts";
import { outsideAddresses } from "../model/outside.ts";
import type { ResolvedFirewall, ResolvedRouter } from "../model/resolved.ts";
import { createNatTranslation } from "./nat-model.ts";
import { createOverloadTranslation } from "./overload-model.ts";
import { type Endpoint, type ModelPacket, sameEndpoint } from "./packet.ts";
import { chosenAddress, createPooledTranslation } from "./pool-model.ts";
import { createPrefixTranslation } from "./prefix-model.ts";
import { EXACT, type Translation } from "./translation.ts";

/** What a router did with a packet, and why, as the end of a sentence about it. */
type Passage =
  | { readonly passes: true; readonly packet: ModelPacket; readonly why?: string }
  | { readonly passes: false; readonly why: string };

export interface MiddleboxModel {
  /** The destination by which a packet is routed, before its outgoing interface is known. */
  destinationOf(packet: ModelPacket, from: string): Endpoint;
  /** The outside interface by which a packet from inside leaves, should it leave; undefined where routes decide. */
  uplinkOf(packet: ModelPacket, from: string): string | undefined;
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
  const isOutside = (interfaceName: string): boolean => router.wan.includes(interfaceName);
  const translations = { 4: createTranslation(router, 4), 6: createTranslation(router, 6) } as const;
  const translationOf = ({ destination }: ModelPacket): Translation | undefined =>
    translations[familyOfText(destination.ip)];

  const known = (packet: ModelPacket) => flowOf(flows, packet);
  const destinationOf = (packet: ModelPacket, from: string): Endpoint => {
    const found = known(packet);
    if (found !== undefined) return found.isAnswer ? found.flow.original.source : found.flow.answer.source;
    return translationOf(packet)?.insideOf(packet, isOutside(from)) ?? packet.destination;
  };
  const refusalOf = (packet: ModelPacket, destination: Endpoint, from: string, to: string): string | undefined => {
    const isTranslated = !sameEndpoint(destination, packet.destination);
    const isJudged = !isTranslated || (isOutside(from) && translationOf(packet)?.isFirewalled === true);
    if (!isJudged) return undefined;
    return policyRefusal(router, { source: packet.source, destination }, from, to);
  };
  const passNew = (packet: ModelPacket, from: string, to: string): Passage => {
    const translation = translationOf(packet);
    const isFromOutside = isOutside(from);
    const destination = destinationOf(packet, from);
    const isTranslated = !sameEndpoint(destination, packet.destination);
    const refusal = refusalOf(packet, destination, from, to);
    if (refusal !== undefined)
      return { passes: false, why: `${router.name} ${DENIES[router.firewall.denied]} it: ${refusal}` };
    const outside = isOutside(to) || (isTranslated && !isFromOutside) ? translation?.outsideOf(packet) : undefined;
    if (outside !== undefined && "dropped" in outside)
      return { passes: false, why: `${router.name} drops it: ${outside.dropped}` };
    const why = isTranslated ? translation?.admission(packet, isFromOutside) : outside?.why;
    if (isTranslated && isFromOutside) translation?.learnInbound(packet, destination);
    return opened(flows, packet, { source: outside?.source, destination, why });
  };
  return {
    destinationOf,
    uplinkOf(packet, from) {
      if (isOutside(from)) return undefined;
      const found = known(packet);
      return uplinkOf(router, packet, found?.isAnswer === true ? found.flow : undefined);
    },
    pass(packet, from, to) {
      const found = known(packet);
      if (found === undefined) return passNew(packet, from, to);
      const { original, answer, why } = found.flow;
      const next = found.isAnswer
        ? { source: original.destination, destination: original.source }
        : { source: answer.destination, destination: answer.source };
      if (found.isAnswer && isOutside(to)) translationOf(packet)?.learnAnswer(next, packet.source);
      const isInboundAnswer = found.isAnswer && isOutside(from);
      const remark = isInboundAnswer ? `${router.name} lets it in: ${EXACT}` : found.isAnswer ? undefined : why;
      return { passes: true, packet: next, ...(remark === undefined ? {} : { why: remark }) };
    },
    enforce(changed) {
      router = changed;
      flows.length = 0;
    },
    refusal: (packet, from) => `${router.name} drops it: ${refused(translationOf(packet), packet, isOutside(from))}`,
  };
}

/** Records the flow that a packet opens, with its other addresses behind the router. */
function opened(
  flows: Flow[],
  packet: ModelPacket,
  {
    destination,
    why,
    ...outside
  }: { readonly source: Endpoint | undefined } & Pick<ModelPacket, "destination"> & Pick<Flow, "why">,
): Passage {
  const source = outside.source ?? freeSource(flows, packet.source, destination);
  flows.push({ original: packet, answer: { source: destination, destination: source }, why });
  return { passes: true, packet: { source, destination }, ...(why === undefined ? {} : { why }) };
}

function refused(translation: Translation | undefined, packet: ModelPacket, isFromOutside: boolean): string {
  const why = translation?.refusal(packet, isFromOutside) ?? "it is addressed to the middlebox itself";
  if (isFromOutside) translation?.learnRefused?.(packet);
  return why;
}

/** Where a packet from inside leaves, which may answer a flow from outside: that leaves where the question came in. */
function uplinkOf(router: ResolvedRouter, packet: ModelPacket, answered: Flow | undefined): string | undefined {
  const { nat, wan } = router;
  if (nat === undefined || wan.length === 1) return undefined;
  const addresses = outsideAddresses(router);
  if (answered === undefined) return addresses[chosenAddress(packet, nat, addresses.length)]?.interfaceName;
  return addresses.find(({ ip }) => ip === answered.original.destination.ip)?.interfaceName;
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
  const { nat } = router;
  const create = nat.portAssignment === "overload" ? createOverloadTranslation : createNatTranslation;
  const addresses = outsideAddresses(router);
  const [only] = addresses;
  if (addresses.length > 1) return createPooledTranslation(nat, addresses, (ip) => create(router, nat, ip));
  return create(router, nat, only?.ip ?? "");
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
  const isOutside = (interfaceName: string): boolean => router.wan.includes(interfaceName);
  if (!isOutside(from) && isOutside(to)) {
    if (outboundUdp === "all") return undefined;
    if (outboundUdp === "none") return "it lets no UDP out";
    return outboundUdp.includes(destination.port)
      ? undefined
      : `it lets UDP out to ports ${outboundUdp.join(", ")} only`;
  }
  if (inbound === "open") return undefined;
  if (!isOutside(from)) return "its inside segments are isolated from each other";
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
