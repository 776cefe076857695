/**
 * Candidate entries of the MIP-ICE option (SPEC 8.3):
 *
 *      +0   ver 4 bits, Length 16 bits (octets of the whole entry), type 4 bits, comp-id 8 bits
 *      +4   transport 8 bits (17 = UDP), 24 bits zero
 *      +8   Priority 32 bits
 *      +12  Connection-address 4 or 16, port 2, rel-port 2, Rel-address 4 or 16
 */

import { addressFromBytes, addressToBytes, familyOf, type SocketAddress, unmappedIpv4 } from "../../address.ts";
import { ByteReader, ByteWriter } from "../../bytes.ts";
import type { CandidateType } from "../../events.ts";
import type { RemoteCandidate } from "../../ice/candidate.ts";
import { COMPONENT_ID } from "../../ice/constants.ts";
import { ipv6BytesOf } from "../../mip6/options.ts";
import { type Decoded, decoded, malformed } from "../../result.ts";

/** A candidate in an offer or answer. */
export interface MipIceCandidate extends RemoteCandidate {
  /** Base of a reflexive candidate, mapped address of the tunnel for the relayed one; diagnostics only. */
  readonly related?: SocketAddress;
}

/** One entry: a candidate, the selected remote candidate of a completed session, or one to skip. */
export type MipIceEntry =
  | { readonly kind: "candidate"; readonly candidate: MipIceCandidate }
  | { readonly kind: "remote-candidate"; readonly address: SocketAddress }
  | { readonly kind: "skipped"; readonly reason: SkipReason };

/** Why an entry is skipped: unknown numbers of a later profile, or an address that no check may be sent to. */
export type SkipReason = "version" | "type" | "component" | "transport" | "address";

const TYPE_CODE: Readonly<Record<CandidateType, number>> = {
  host: 1,
  "server-reflexive": 2,
  "peer-reflexive": 3,
  relayed: 4,
};
const REMOTE_CANDIDATE_CODE = 15;
const UDP = 17;

/** Octets before the addresses. */
const FIXED_LENGTH = 12;

/** Octets of a complete entry, by IP version. */
export const ENTRY_LENGTH = { 4: 24, 6: 48 } as const;

/** Octets of the largest entry. */
export const MAX_ENTRY_LENGTH = ENTRY_LENGTH[6];

/** Encodes an entry for an offer or answer: 24 octets for IPv4, 48 for IPv6. */
export function encodeEntry(entry: Exclude<MipIceEntry, { kind: "skipped" }>): Uint8Array {
  if (entry.kind === "remote-candidate") return writeEntry(REMOTE_CANDIDATE_CODE, 0, entry.address);
  const { type, priority, address, related } = entry.candidate;
  return writeEntry(TYPE_CODE[type], priority, address, type === "host" ? undefined : related);
}

/**
 * Decodes the next entry. Refuses `mip-ice-candidate-length` (does not fit the option, or not the length of its IP
 * version) and `mip-ice-candidate-type` (0, so that octets of zero are never parsed).
 */
export function decodeEntry(reader: ByteReader): Decoded<MipIceEntry> {
  const start = reader.offset;
  const word = reader.u32();
  const version = word >>> 28;
  const length = (word >>> 12) & 0xffff;
  const typeCode = (word >>> 8) & 0x0f;
  const componentId = word & 0xff;
  const rest = reader.bytes(Math.max(length, FIXED_LENGTH) - 4);
  if (reader.overrun || length < FIXED_LENGTH) return malformed("mip-ice-candidate-length", start);
  if (typeCode === 0) return malformed("mip-ice-candidate-type", start);
  if (version !== 4 && version !== 6) return skipped("version");
  if (length !== ENTRY_LENGTH[version]) return malformed("mip-ice-candidate-length", start);
  if (componentId !== COMPONENT_ID) return skipped("component");
  return decodeKnownVersion(typeCode, version === 4 ? 4 : 16, new ByteReader(rest));
}

function decodeKnownVersion(typeCode: number, addressLength: 4 | 16, reader: ByteReader): Decoded<MipIceEntry> {
  const transport = reader.u8();
  reader.skip(3);
  const priority = reader.u32();
  const ip = addressFromBytes(reader.bytes(addressLength));
  const port = reader.u16();
  const relatedPort = reader.u16();
  const relatedAddress = reader.bytes(addressLength);
  if (transport !== UDP) return skipped("transport");
  if (port === 0 || !isUnicast(ip)) return skipped("address");
  const address = { ip, port };
  if (typeCode === REMOTE_CANDIDATE_CODE) return decoded({ kind: "remote-candidate", address });
  const type = candidateTypeOf(typeCode);
  if (type === undefined) return skipped("type");
  const related = relatedOf(relatedAddress, relatedPort);
  return decoded({ kind: "candidate", candidate: { type, address, priority, ...(related && { related }) } });
}

function writeEntry(typeCode: number, priority: number, address: SocketAddress, related?: SocketAddress): Uint8Array {
  const version = familyOf(address.ip);
  const length = ENTRY_LENGTH[version];
  const relatedOctets = related === undefined ? undefined : relatedBytes(related.ip, version);
  return new ByteWriter()
    .u8((version << 4) | (length >> 12))
    .u16(((length << 4) | typeCode) & 0xffff)
    .u8(COMPONENT_ID)
    .u8(UDP)
    .zeros(3)
    .u32(priority)
    .bytes(addressToBytes(address.ip))
    .u16(address.port)
    .u16(relatedOctets === undefined ? 0 : (related?.port ?? 0))
    .bytes(relatedOctets ?? new Uint8Array(version === 4 ? 4 : 16))
    .finish();
}

/** An IPv4 related address is IPv4-mapped in an IPv6 entry; an IPv6 one does not fit an IPv4 entry. */
function relatedBytes(ip: string, version: 4 | 6): Uint8Array | undefined {
  if (version === 6) return ipv6BytesOf(ip);
  return familyOf(ip) === 4 ? addressToBytes(ip) : undefined;
}

function relatedOf(octets: Uint8Array, port: number): SocketAddress | undefined {
  if (octets.every((octet) => octet === 0)) return undefined;
  return { ip: unmappedIpv4(octets) ?? addressFromBytes(octets), port };
}

function candidateTypeOf(code: number): CandidateType | undefined {
  switch (code) {
    case TYPE_CODE.host:
      return "host";
    case TYPE_CODE["server-reflexive"]:
      return "server-reflexive";
    case TYPE_CODE["peer-reflexive"]:
      return "peer-reflexive";
    case TYPE_CODE.relayed:
      return "relayed";
    default:
      return undefined;
  }
}

/** False for unspecified, loopback, multicast, broadcast and IPv4-mapped addresses: no checks are sent to those. */
function isUnicast(ip: string): boolean {
  if (familyOf(ip) === 6) return ip !== "::" && ip !== "::1" && !ip.startsWith("ff") && !ip.startsWith("::ffff:");
  const first = Number(ip.slice(0, ip.indexOf(".")));
  return first !== 0 && first !== 127 && first < 224;
}

function skipped(reason: SkipReason): Decoded<MipIceEntry> {
  return decoded({ kind: "skipped", reason });
}
