/**
 * How Linux reports an ICMP error about a datagram: `struct sock_extended_err` and the error's sender as control data,
 * and the datagram's destination as the message's name (IP_RECVERR of ip(7), IPV6_RECVERR of ipv6(7)).
 */

import type { RefusedDatagram } from "../../core/refusal.ts";
import { decodeSocketAddress, isSocketAddress } from "../native/socket-address.ts";

/** Level and type of the control data, by IP version. */
export const RECEIVE_ERRORS = { 4: { level: 0, option: 11 }, 6: { level: 41, option: 25 } } as const;

/** `struct cmsghdr`: length including itself, level, type; padded to a multiple of 8 octets. */
const CONTROL_HEADER_BYTES = 16;
const CONTROL_LEVEL_AT = 8;
const CONTROL_TYPE_AT = 12;
const CONTROL_ALIGNMENT = 8;

/** `struct sock_extended_err`: errno, origin, ICMP type and code, and fields not used here; then the sender. */
const ERROR_BYTES = 16;
const ORIGIN_AT = 4;
const TYPE_AT = 5;
const CODE_AT = 6;

/** Origins of errors from the network; others come from the node's own kernel, which sent nothing. */
const ICMP = 2;
const ICMPV6 = 3;

/** RFC 792 and RFC 1812 section 5.2.7.1, by type and code. Too big (3/4) is no refusal: the kernel sends fragments. */
const ICMP_REASONS: Readonly<Record<string, string>> = {
  "3/0": "network unreachable",
  "3/1": "host unreachable",
  "3/2": "protocol unreachable",
  "3/3": "port unreachable",
  "3/5": "source route failed",
  "3/6": "network unknown",
  "3/7": "host unknown",
  "3/8": "source host isolated",
  "3/9": "network administratively prohibited",
  "3/10": "host administratively prohibited",
  "3/11": "network unreachable for its type of service",
  "3/12": "host unreachable for its type of service",
  "3/13": "administratively prohibited",
  "3/14": "host precedence violation",
  "3/15": "precedence cut off",
  "11/0": "time to live exceeded",
};

/** RFC 4443 section 3; packet too big is a separate type (2). */
const ICMPV6_REASONS: Readonly<Record<string, string>> = {
  "1/0": "no route",
  "1/1": "administratively prohibited",
  "1/2": "beyond the scope of its source address",
  "1/3": "address unreachable",
  "1/4": "port unreachable",
  "1/5": "source address against policy",
  "1/6": "route rejected",
  "3/0": "hop limit exceeded",
};

/** Decodes one message of the error queue. Undefined if it is malformed or not an ICMP refusal. */
export function decodeIcmpError(name: Uint8Array, control: Uint8Array): Omit<RefusedDatagram, "local"> | undefined {
  const error = findError(control);
  if (error === undefined || !isSocketAddress(name)) return undefined;
  const offender = error.subarray(ERROR_BYTES);
  const reason = reasonOf(error);
  if (reason === undefined || !isSocketAddress(offender)) return undefined;
  return { remote: decodeSocketAddress(name), by: decodeSocketAddress(offender).ip, reason };
}

function reasonOf(error: Uint8Array): string | undefined {
  const key = `${error[TYPE_AT]}/${error[CODE_AT]}`;
  switch (error[ORIGIN_AT]) {
    case ICMP:
      return ICMP_REASONS[key];
    case ICMPV6:
      return ICMPV6_REASONS[key];
    default:
      return undefined;
  }
}

/** The error in the control data; undefined if there is no complete one. */
function findError(control: Uint8Array): Uint8Array | undefined {
  const view = new DataView(control.buffer, control.byteOffset, control.byteLength);
  for (let at = 0; at + CONTROL_HEADER_BYTES <= control.length; ) {
    const length = Number(view.getBigUint64(at, true));
    if (length < CONTROL_HEADER_BYTES || at + length > control.length) return undefined;
    const level = view.getInt32(at + CONTROL_LEVEL_AT, true);
    const type = view.getInt32(at + CONTROL_TYPE_AT, true);
    const isError = Object.values(RECEIVE_ERRORS).some((each) => each.level === level && each.option === type);
    if (isError && length >= CONTROL_HEADER_BYTES + ERROR_BYTES)
      return control.subarray(at + CONTROL_HEADER_BYTES, at + length);
    at += Math.ceil(length / CONTROL_ALIGNMENT) * CONTROL_ALIGNMENT;
  }
  return undefined;
}
