/** Received Mobility Headers: decoded, checked, and passed to their session or the home. */

import type { InstantMs } from "../machine.ts";
import type { Correspondent } from "../mip6/correspondent.ts";
import { createErrorRate } from "../mip6/error-rate.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../mip6/ipv6-packet.ts";
import { decodeMobilityMessage, type MobilityMessage, type MobilityMessageOf } from "../mip6/messages.ts";
import { refusedHeader } from "../mip6/parameter-problem.ts";
import { BINDING_ERROR_STATUS } from "../mip6/status.ts";
import type { Outbox } from "../node/outbox.ts";
import type { Home } from "./home/home.ts";
import { decodeMipIce } from "./option/mip-ice-option.ts";
import { HOME_WAY, type MobilityLink, type PacketWay } from "./session/mobility-link.ts";
import type { ReceivedMobility } from "./session/session-environment.ts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

export interface MobilityIntakeParts {
  readonly home: Home;
  readonly correspondent: Correspondent;
  readonly sessions: SessionTable;
  readonly link: MobilityLink;
  readonly outbox: Outbox;
  /** Addresses whose request for an offer may begin a session. */
  readonly peers: ReadonlySet<string>;
}

/** The answer to a message of an unknown type (RFC 6275 section 9.2). */
const UNKNOWN_TYPE: MobilityMessage = {
  type: "binding-error",
  status: BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType,
  homeAddress: "::",
  options: [],
};

/** Takes an IPv6 packet that may contain a Mobility Header; false when it does not and is data. */
export type MobilityIntake = (now: InstantMs, packet: Uint8Array, way: PacketWay) => boolean;

export function createMobilityIntake(parts: MobilityIntakeParts): MobilityIntake {
  const { outbox, link, correspondent } = parts;
  const errorRate = createErrorRate();

  const fromPeer = (now: InstantMs, peer: string, received: ReceivedMobility): void => {
    const { message, way } = received;
    if (message.type === "home-test-init") {
      if (way.type === "pair") {
        outbox.count("dropped.home-test-init-off-home-path");
        return;
      }
      return void link.send(peer, correspondent.answerHomeTest(now, peer, message), HOME_WAY);
    }
    const session = sessionFor(now, peer, message, parts);
    if ("refusal" in session) outbox.count(`dropped.${session.refusal}`);
    else session.handleMobility(now, received);
  };
  const take = (now: InstantMs, source: string, received: ReceivedMobility): void => {
    const { message, header } = received;
    if (source !== parts.home.agentAddress) fromPeer(now, source, received);
    else if (message.type === "binding-error") takeHomeAgentError(now, message, parts);
    else if (message.type !== "binding-acknowledgement") outbox.count("ignored.home-agent-message");
    else if (!parts.home.takeAcknowledgement(now, message, header)) outbox.count("dropped.acknowledgement-stale");
  };
  return (now, packet, way) => {
    const ip = decodeIpv6Packet(packet);
    if (!ip.ok) return drop(outbox, ip.error.code);
    const { nextHeader, payload, destination, homeAddress } = ip.value;
    const quoted = refusedHeader(ip.value);
    if (quoted !== undefined) return takeRefusal(now, { peer: ip.value.source, quoted, way }, parts);
    if (nextHeader !== NEXT_HEADER.mobility) return false;
    const source = homeAddress ?? ip.value.source;
    const message = decodeMobilityMessage(payload, { source, destination });
    if (!message.ok) return drop(outbox, message.error.code);
    // A Binding Update is authenticated; no other message may use a Home Address option (RFC 6275 section 9.3.1).
    if (homeAddress !== undefined && message.value.type !== "binding-update")
      return drop(outbox, "home-address-option");
    // The destination is the home address: no other node may use it as source.
    if (source === destination) return drop(outbox, "own-address");
    if (message.value.type === "unknown") {
      outbox.count("refused.unknown-mobility-header");
      if (errorRate.admits(now, source)) link.send(source, UNKNOWN_TYPE, way);
    } else take(now, source, { message: message.value, header: payload, way });
    return true;
  };
}

/**
 * Only a well-formed offer (S22) begins a session, and the request for one by a peer that this node expects: an offer
 * tells where a node is. Other messages belong to a session.
 */
function sessionFor(
  now: InstantMs,
  peer: string,
  message: MobilityMessage,
  { sessions, home, peers }: MobilityIntakeParts,
): Session | { readonly refusal: string } {
  const known = sessions.findByAddress(peer);
  if (known !== undefined) return known;
  const isWish = message.type === "binding-refresh-request" && home.agentAddress !== undefined;
  if (isWish && !peers.has(peer)) return { refusal: "offer-request-of-stranger" };
  const refusal = isWish ? undefined : whyNoOffer(message);
  const session = refusal ?? sessions.admit(now, peer);
  return typeof session === "string" ? { refusal: session } : session;
}

function whyNoOffer(message: MobilityMessage): string | undefined {
  if (message.type !== "care-of-test-init-ice") return "no-session";
  const offer = decodeMipIce(message.options);
  if (!offer.ok) return offer.error.code;
  return offer.value === undefined ? "offer-without-mip-ice" : undefined;
}

/**
 * Status 1: the home agent has no binding for this node's outer address. The message is not authenticated, so it is
 * only a hint to register again.
 */
function takeHomeAgentError(
  now: InstantMs,
  { status }: MobilityMessageOf<"binding-error">,
  { home, outbox }: MobilityIntakeParts,
): void {
  const isUnknown = status === BINDING_ERROR_STATUS.unknownBindingForHomeAddress;
  outbox.count(isUnknown && home.confirm(now) ? "resumed.registration" : "ignored.home-agent-error");
}

/** An ICMPv6 error of a peer about a Mobility Header, and its path. */
interface Refusal {
  readonly peer: string;
  readonly quoted: Uint8Array;
  readonly way: PacketWay;
}

/**
 * The peer's kernel does not support Mobility Headers. On the direct path such an error does not come from a kernel.
 */
function takeRefusal(now: InstantMs, { peer, quoted, way }: Refusal, { sessions, outbox }: MobilityIntakeParts): true {
  const session = way.type === "pair" ? undefined : sessions.findByAddress(peer);
  if (session === undefined) outbox.count("dropped.parameter-problem-unexpected");
  else session.handleNoMobility(now, quoted);
  return true;
}

function drop(outbox: Outbox, reason: string): true {
  outbox.count(`dropped.${reason}`);
  return true;
}
