import { describe, expect, test } from "vitest";
import { decodeIpv6Packet, encodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import { isHeaderRefused } from "../../../../agent/src/core/mip6/parameter-problem.ts";
import { parameterProblem } from "../../../support/parameter-problem.ts";

const HOME = "2001:db8:a::100";
const PEER = "2001:db8::20";

const sent = (nextHeader: number): Uint8Array =>
  encodeIpv6Packet({ source: HOME, destination: PEER, nextHeader, payload: new Uint8Array(16) });
const homeTestInit = sent(NEXT_HEADER.mobility);
const back = { source: PEER, destination: HOME };

function isRefused(packet: Uint8Array): boolean {
  const ip = decodeIpv6Packet(packet);
  return ip.ok && isHeaderRefused(ip.value);
}

test("a kernel that knows no Mobility Headers points at the Next Header of the one it got", () => {
  expect(isRefused(parameterProblem(homeTestInit, back))).toBe(true);
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
    expect(isRefused(packet)).toBe(false);
  });

  test("cut at any octet", () => {
    for (let length = 0; length < 48; length += 1) {
      const complaint = parameterProblem(homeTestInit.subarray(0, length), back);
      if (length < 40) expect(isRefused(complaint)).toBe(false);
    }
  });
});
