import { describe, expect, test } from "vitest";
import { decodeIpv6Packet, encodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import { refusedHeader } from "../../../../agent/src/core/mip6/parameter-problem.ts";
import { parameterProblem } from "../../../support/parameter-problem.ts";

const HOME = "2001:db8:a::100";
const PEER = "2001:db8::20";

const HEADER = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const sent = (nextHeader: number): Uint8Array =>
  encodeIpv6Packet({ source: HOME, destination: PEER, nextHeader, payload: HEADER });
const homeTestInit = sent(NEXT_HEADER.mobility);
const back = { source: PEER, destination: HOME };

function refused(packet: Uint8Array): Uint8Array | undefined {
  const ip = decodeIpv6Packet(packet);
  return ip.ok ? refusedHeader(ip.value) : undefined;
}

test("a kernel that knows no Mobility Headers points at the Next Header of the one it got, and quotes it", () => {
  expect(refused(parameterProblem(homeTestInit, back))).toEqual(HEADER);
});

describe("of the Mobility Header it gives", () => {
  test("what there is, where the quote is cut", () => {
    for (let length = 0; length <= HEADER.length; length += 1)
      expect(refused(parameterProblem(homeTestInit.subarray(0, 40 + length), back))).toEqual(
        HEADER.subarray(0, length),
      );
  });

  test("nothing that follows the packet", () => {
    expect(refused(parameterProblem(Uint8Array.of(...homeTestInit, 0, 0), back))).toEqual(HEADER);
  });
});

describe("nothing else counts:", () => {
  const damaged = parameterProblem(homeTestInit, back);
  damaged.set([0xff], 50);
  test.each([
    ["another code", parameterProblem(homeTestInit, back, { code: 0 })],
    ["another field", parameterProblem(homeTestInit, back, { pointer: 4 })],
    ["another protocol", parameterProblem(sent(NEXT_HEADER.udp), back)],
    ["from a third node", parameterProblem(homeTestInit, { ...back, source: "2001:db8::99" })],
    ["to another node", parameterProblem(homeTestInit, { ...back, destination: "2001:db8:a::101" })],
    ["damaged on the way", damaged],
    ["no ICMPv6 at all", homeTestInit],
  ])("%s", (_name, packet) => {
    expect(refused(packet)).toBeUndefined();
  });

  test("a quote without the whole IPv6 header", () => {
    for (let length = 0; length < 40; length += 1)
      expect(refused(parameterProblem(homeTestInit.subarray(0, length), back))).toBeUndefined();
  });
});
