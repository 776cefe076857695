import { ByteWriter } from "../../agent/src/core/bytes.ts";
import { internetChecksum, ipv6PseudoHeader } from "../../agent/src/core/checksum.ts";
import { encodeIpv6Packet, NEXT_HEADER } from "../../agent/src/core/mip6/ipv6-packet.ts";

/** Code and pointer of an ICMPv6 Parameter Problem; by default those of a kernel without Mobile IPv6. */
export interface Complaint {
  readonly code?: number;
  readonly pointer?: number;
}

/** The ICMPv6 Parameter Problem of the node that received `refused`, a whole IPv6 packet (RFC 4443 section 3.4). */
export function parameterProblem(
  refused: Uint8Array,
  { source, destination }: { readonly source: string; readonly destination: string },
  { code = 1, pointer = 6 }: Complaint = {},
): Uint8Array {
  const icmp = new ByteWriter().u8(4).u8(code).u16(0).u32(pointer).bytes(refused);
  const nextHeader = NEXT_HEADER.icmpv6;
  const pseudoHeader = ipv6PseudoHeader({ source, destination, length: icmp.length, nextHeader });
  icmp.patchU16(2, internetChecksum(pseudoHeader, icmp.finish()));
  return encodeIpv6Packet({ source, destination, nextHeader, payload: icmp.finish() });
}
