import { expect, test } from "vitest";
import { hasValidChecksum, ipv6PseudoHeader } from "../../../../agent/src/core/checksum.ts";
import { packetTooBig } from "../../../../agent/src/core/icmp/too-big.ts";
import { decodeIpv6Packet, encodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";

const ENDS = { source: "2001:db8:a::100", destination: "2001:db8:b::200" };

const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

test("a packet that is too large is refused to its sender with the MTU, a valid checksum and the packet itself", () => {
  const payload = Uint8Array.from({ length: 1408 }, (_, i) => i % 251);
  const refused = encodeIpv6Packet({ ...ENDS, nextHeader: NEXT_HEADER.udp, payload });
  const error = decodeIpv6Packet(packetTooBig(refused, 1280));
  expect(error).toMatchObject({
    ok: true,
    value: { source: ENDS.destination, destination: ENDS.source, nextHeader: NEXT_HEADER.icmpv6 },
  });
  const message = error.ok ? error.value.payload : new Uint8Array(0);
  const ends = { source: ENDS.destination, destination: ENDS.source };
  const pseudoHeader = ipv6PseudoHeader({ ...ends, length: message.length, nextHeader: NEXT_HEADER.icmpv6 });
  expect(hasValidChecksum(pseudoHeader, message)).toBe(true);
  expect(hexOf(message.subarray(0, 2))).toBe("0200");
  expect(hexOf(message.subarray(4, 8))).toBe("00000500");
  expect(message.length).toBe(1240);
  expect(hexOf(message.subarray(8))).toBe(hexOf(refused.subarray(0, 1232)));
});
