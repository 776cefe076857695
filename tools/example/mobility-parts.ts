/** Mobility Headers, field by field and option by option. */

import { formatSocketAddress, type SocketAddress } from "../../agent/src/core/address.ts";
import { ByteReader } from "../../agent/src/core/bytes.ts";
import { decodeEntry } from "../../agent/src/core/mice/option/mip-ice-candidate.ts";
import { decodeMipIce } from "../../agent/src/core/mice/option/mip-ice-option.ts";
import type { Ipv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeMobilityMessage, type MobilityMessage } from "../../agent/src/core/mip6/messages.ts";
import { MOBILITY_OPTION, type MobilityOption } from "../../agent/src/core/mip6/options.ts";
import { describeStatus } from "../../agent/src/core/mip6/status.ts";
import { toHex } from "../../test/vectors/hex.ts";
import type { Part } from "./message.ts";

/** Names from the specifications, and the offset of the options. */
const MESSAGES: Readonly<Record<MobilityMessage["type"], { readonly name: string; readonly optionsAt: number }>> = {
  "binding-refresh-request": { name: "BRR", optionsAt: 8 },
  "home-test-init": { name: "HoTI", optionsAt: 16 },
  "care-of-test-init": { name: "CoTI", optionsAt: 16 },
  "home-test": { name: "HoT", optionsAt: 24 },
  "care-of-test": { name: "CoT", optionsAt: 24 },
  "binding-update": { name: "BU", optionsAt: 12 },
  "binding-acknowledgement": { name: "BA", optionsAt: 12 },
  "binding-error": { name: "BE", optionsAt: 24 },
  "care-of-test-init-ice": { name: "CoTI-ICE", optionsAt: 16 },
  "care-of-test-ice": { name: "CoT-ICE", optionsAt: 24 },
};

export function mobilityKind(ip: Ipv6Packet): string {
  return MESSAGES[messageOf(ip).type].name;
}

export function mobilityParts(ip: Ipv6Packet): readonly Part[] {
  const message = messageOf(ip);
  const { optionsAt } = MESSAGES[message.type];
  const fixed = { octets: ip.payload.subarray(0, optionsAt), meaning: describeMessage(message) };
  return [fixed, ...optionParts(ip.payload, optionsAt, message.options)];
}

function messageOf(ip: Ipv6Packet): MobilityMessage {
  const message = decodeMobilityMessage(ip.payload, ip);
  if (message.ok && message.value.type !== "unknown") return message.value;
  throw new Error("the capture holds a Mobility Header that cannot be read");
}

function describeMessage(message: MobilityMessage): string {
  const { name } = MESSAGES[message.type];
  switch (message.type) {
    case "home-test-init":
      return `${name}: home init cookie ${toHex(message.homeInitCookie)}`;
    case "care-of-test-init":
    case "care-of-test-init-ice":
      return `${name}: care-of init cookie ${toHex(message.careOfInitCookie)}`;
    case "home-test":
      return `${name}: home nonce index ${message.homeNonceIndex}, the cookie again, home keygen token ${toHex(message.homeKeygenToken)}`;
    case "care-of-test":
    case "care-of-test-ice":
      return `${name}: care-of nonce index ${message.careOfNonceIndex}, the cookie again, care-of keygen token ${toHex(message.careOfKeygenToken)}`;
    case "binding-update": {
      const { acknowledge, homeRegistration, forceUdp } = message.flags;
      const flags = [...(acknowledge ? ["A"] : []), ...(homeRegistration ? ["H"] : []), ...(forceUdp ? ["F"] : [])];
      return `${name}: sequence ${message.sequence}, flags ${flags.join(" ")}, lifetime ${message.lifetimeSec} s`;
    }
    case "binding-acknowledgement":
      return `${name}: status ${describeStatus(message.status)}, sequence ${message.sequence}, lifetime ${message.lifetimeSec} s`;
    case "binding-error":
      return `${name}: status ${message.status}`;
    case "binding-refresh-request":
      return name;
  }
}

function optionParts(header: Uint8Array, start: number, options: readonly MobilityOption[]): readonly Part[] {
  const parts: Part[] = [];
  const rest = [...options];
  for (let at = start; at < header.length; ) {
    const type = header[at];
    const end = type === MOBILITY_OPTION.pad1 ? at + 1 : at + 2 + (header[at + 1] ?? 0);
    const octets = header.subarray(at, end);
    if (type === MOBILITY_OPTION.pad1 || type === MOBILITY_OPTION.padN) parts.push({ octets, meaning: "padding" });
    else {
      const option = rest.shift();
      if (option?.type === "opaque") parts.push(...mipIceParts(octets, option));
      else if (option !== undefined) parts.push({ octets, meaning: describeOption(option) });
    }
    at = end;
  }
  return parts;
}

function describeOption(option: Exclude<MobilityOption, { type: "opaque" }>): string {
  switch (option.type) {
    case "binding-refresh-advice":
      return `Binding Refresh Advice ${option.intervalSec} s`;
    case "alternate-care-of-address":
      return `Alternate Care-of Address ${option.address}`;
    case "nonce-indices":
      return `Nonce Indices ${option.home} and ${option.careOf}`;
    case "binding-authorization-data":
      return "Binding Authorization Data: HMAC-SHA1 with Kbm, 96 bits";
    case "authentication":
      return `Authentication (RFC 4285), SPI ${option.spi}: HMAC-SHA1 with the shared key, 96 bits`;
    case "replay-protection":
      return `Mobility message replay protection (RFC 4285): ${option.timestamp >> 32n} s since 1900`;
    case "ipv4-home-address":
    case "ipv4-address-acknowledgement":
      return `${option.type} ${option.address}`;
    case "nat-detection":
      return `NAT Detection: there is one; refresh after ${option.refreshSec} s`;
    case "ipv4-care-of-address":
      return `IPv4 Care-of Address ${option.address}`;
  }
}

/** Octets of the option before its ice-options. */
const HEAD_LENGTH = 28;

/** The head of the option, and each candidate entry. */
function mipIceParts(octets: Uint8Array, option: Extract<MobilityOption, { type: "opaque" }>): readonly Part[] {
  const decoded = decodeMipIce([option]);
  if (!decoded.ok || decoded.value === undefined) throw new Error("the capture holds a MIP-ICE option of other kind");
  const { credentials, isLite, isMismatch } = decoded.value.description;
  const flags = `L ${isLite ? 1 : 0}, M ${isMismatch ? 1 : 0}`;
  const entriesAt = HEAD_LENGTH + Math.ceil((octets[HEAD_LENGTH - 1] ?? 0) / 4) * 4;
  const meaning = `MIP-ICE: ${octets[3]} entries, ${flags}, ice-pwd ${credentials.pwd}, ice-ufrag ${credentials.ufrag}`;
  const parts: Part[] = [{ octets: octets.subarray(0, entriesAt), meaning }];
  for (const reader = new ByteReader(octets, entriesAt); reader.remaining > 0; ) {
    const at = reader.offset;
    const entry = decodeEntry(reader);
    if (!entry.ok) throw new Error("the capture holds a candidate entry that cannot be read");
    parts.push({ octets: octets.subarray(at, reader.offset), meaning: describeEntry(entry.value) });
  }
  return parts;
}

function describeEntry(entry: Extract<ReturnType<typeof decodeEntry>, { ok: true }>["value"]): string {
  switch (entry.kind) {
    case "candidate": {
      const { type, address, priority, related } = entry.candidate;
      return `${type} ${formatSocketAddress(address)}, priority ${priority}${relation(related)}`;
    }
    case "remote-candidate":
      return `remote candidate ${formatSocketAddress(entry.address)}`;
    case "skipped":
      return `stepped over: ${entry.reason}`;
  }
}

function relation(related: SocketAddress | undefined): string {
  return related === undefined ? "" : `, related ${formatSocketAddress(related)}`;
}
