/**
 * The STUN server of a home agent: Binding (RFC 8489) and, with two addresses and two ports, NAT behaviour discovery
 * (RFC 5780 section 6). Stateless and unauthenticated: an answer depends on the request alone. On a port of its own it
 * also answers clients of RFC 3489.
 */

import type { SocketAddress } from "../address.ts";
import type { Datagram, Transmit } from "../machine.ts";
import type { ChangeRequest, StunAttribute, StunAttributeType } from "./attributes.ts";
import { type ClassicRequest, decodeClassicRequest, encodeClassicError, encodeClassicSuccess } from "./classic.ts";
import { notUnderstood } from "./comprehension.ts";
import { findAttribute, type StunMessage } from "./message.ts";
import { receiveStun } from "./receive.ts";
import { encodeErrorReply, encodeReply, type ReplyError } from "./reply.ts";

/** The four sockets of a server that supports CHANGE-REQUEST: each address with each port, of one IP version. */
export interface DiscoveryAddresses {
  readonly ips: readonly [string, string];
  readonly ports: readonly [number, number];
}

export interface StunServerConfig {
  /** At most one entry per IP version. A socket outside all entries does not support CHANGE-REQUEST. */
  readonly discovery?: readonly DiscoveryAddresses[];
}

/** Answers one datagram on a port that only STUN uses, where requests need neither FINGERPRINT nor cookie (SPEC 1.8). */
export function answerBinding({ local, remote, payload }: Datagram, config: StunServerConfig): readonly Transmit[] {
  const received = receiveStun(payload, { requireFingerprint: false });
  if (received.kind === "stun") return answerReceived({ local, remote, message: received.message }, config);
  const classic = decodeClassicRequest(payload);
  return classic === undefined ? [] : [answerClassic({ local, remote, request: classic }, config)];
}

/** A decoded message with its socket and source. */
interface ReceivedRequest extends Omit<Datagram, "payload"> {
  readonly message: StunMessage;
}

/**
 * Answers one Binding request; ignores everything else. The answer carries FINGERPRINT. Its `local` is one of the
 * server's sockets, another than the queried one if CHANGE-REQUEST asks for that.
 *
 * Errors answered: 420 for comprehension-required attributes that the server does not support, which include
 * CHANGE-REQUEST without a second address; 400 for RESPONSE-PORT together with PADDING (RFC 5780 section 6.1), and for
 * port 0.
 */
export function answerReceived(
  { local, remote, message }: ReceivedRequest,
  config: StunServerConfig,
): readonly Transmit[] {
  if (message.class !== "request") return [];
  const other = otherAddress(local, config.discovery ?? []);
  const refusal = refusalOf(message, other !== undefined);
  if (refusal !== undefined) return [{ local, remote, payload: encodeErrorReply(message, refusal) }];

  const origin = answerOrigin(local, other, findAttribute(message, "change-request"));
  const destination = { ip: remote.ip, port: findAttribute(message, "response-port") ?? remote.port };
  const attributes = answerAttributes({ mapped: remote, origin, other, padding: findAttribute(message, "padding") });
  return [{ local: origin, remote: destination, payload: encodeReply(message, "success", attributes) }];
}

/**
 * Answers a request of an RFC 3489 client (RFC 5389 section 12.2). CHANGE-REQUEST, which that section no longer knows,
 * is answered as any other, for it is the same in RFC 5780; RESPONSE-ADDRESS is answered 420.
 */
function answerClassic(
  { local, remote, request }: Omit<Datagram, "payload"> & { readonly request: ClassicRequest },
  config: StunServerConfig,
): Transmit {
  const other = otherAddress(local, config.discovery ?? []);
  const unknown = notUnderstood(request.message, other === undefined ? CLASSIC : CLASSIC_WITH_TWO_ADDRESSES);
  if (unknown.length > 0)
    return { local, remote, payload: encodeClassicError(request, { code: 420, notUnderstood: unknown }) };
  const origin = answerOrigin(local, other, findAttribute(request.message, "change-request"));
  return { local: origin, remote, payload: encodeClassicSuccess(request, remote) };
}

/** USERNAME and the like are understood and ignored: no credentials are required. */
const UNDERSTOOD: readonly StunAttributeType[] = [
  "username",
  "message-integrity",
  "realm",
  "nonce",
  "padding",
  "response-port",
];
const UNDERSTOOD_WITH_ONE_ADDRESS: ReadonlySet<StunAttributeType> = new Set(UNDERSTOOD);
const UNDERSTOOD_WITH_TWO: ReadonlySet<StunAttributeType> = new Set([...UNDERSTOOD, "change-request"] as const);
const CLASSIC: ReadonlySet<StunAttributeType> = new Set(["username", "message-integrity"] as const);
const CLASSIC_WITH_TWO_ADDRESSES: ReadonlySet<StunAttributeType> = new Set([...CLASSIC, "change-request"] as const);

function refusalOf(message: StunMessage, hasTwoAddresses: boolean): ReplyError | undefined {
  const unknown = notUnderstood(message, hasTwoAddresses ? UNDERSTOOD_WITH_TWO : UNDERSTOOD_WITH_ONE_ADDRESS);
  if (unknown.length > 0) return { code: 420, notUnderstood: unknown };
  const responsePort = findAttribute(message, "response-port");
  const isPadded = findAttribute(message, "padding") !== undefined;
  return responsePort === 0 || (responsePort !== undefined && isPadded) ? { code: 400 } : undefined;
}

/** The socket that differs from `local` in both address and port; undefined without the four sockets. */
function otherAddress(local: SocketAddress, discovery: readonly DiscoveryAddresses[]): SocketAddress | undefined {
  const own = discovery.find(({ ips, ports }) => ips.includes(local.ip) && ports.includes(local.port));
  const ip = own?.ips.find((each) => each !== local.ip);
  const port = own?.ports.find((each) => each !== local.port);
  return ip === undefined || port === undefined ? undefined : { ip, port };
}

function answerOrigin(
  local: SocketAddress,
  other: SocketAddress | undefined,
  change: ChangeRequest | undefined,
): SocketAddress {
  if (other === undefined || change === undefined) return local;
  return { ip: change.changeIp ? other.ip : local.ip, port: change.changePort ? other.port : local.port };
}

/**
 * A jumbo frame, which is fragmented on every path. More would leave no room for the rest of an answer in a datagram.
 */
const MAX_PADDING_OCTETS = 9000;

function answerAttributes(answer: {
  readonly mapped: SocketAddress;
  readonly origin: SocketAddress;
  readonly other: SocketAddress | undefined;
  readonly padding: number | undefined;
}): readonly StunAttribute[] {
  const attributes: StunAttribute[] = [
    { type: "xor-mapped-address", value: answer.mapped },
    { type: "mapped-address", value: answer.mapped },
    { type: "response-origin", value: answer.origin },
  ];
  if (answer.other !== undefined) attributes.push({ type: "other-address", value: answer.other });
  // As much padding as in the request, instead of the interface's MTU (RFC 5780 section 6.1): the server cannot be used
  // for amplification.
  if (answer.padding !== undefined)
    attributes.push({ type: "padding", value: Math.min(answer.padding, MAX_PADDING_OCTETS) });
  return attributes;
}
