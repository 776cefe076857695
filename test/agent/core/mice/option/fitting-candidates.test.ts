import { describe, expect, test } from "vitest";
import {
  hostCandidate,
  type LocalCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
  withoutRedundant,
} from "../../../../../agent/src/core/ice/candidate.ts";
import { fittingCandidates } from "../../../../../agent/src/core/mice/option/fitting-candidates.ts";
import { makeCredentials } from "../../../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import { encodeMipIce } from "../../../../../agent/src/core/mice/option/mip-ice-option.ts";
import { encodeMobilityMessage } from "../../../../../agent/src/core/mip6/messages.ts";
import { seededRng } from "../../../../../agent/src/testing/index.ts";

const HOME = "2001:db8:a::100";
const LAN = { ip: "192.168.1.2", port: 1 };

/** So many hosts of either IP version, then one that is reached from anywhere, and the home address. */
function candidatesOf(ipv4: number, ipv6: number): readonly LocalCandidate[] {
  const hosts = [
    ...Array.from({ length: ipv4 }, (_, i) => `10.${i >> 8}.${i & 255}.2`),
    ...Array.from({ length: ipv6 }, (_, i) => `fd00::${i + 1}`),
  ];
  return withoutRedundant([
    ...hosts.map((ip, rank) => hostCandidate({ ip, port: 1 }, rank)),
    serverReflexiveCandidate({ ip: "198.51.100.10", port: 61001 }, LAN, 60_000),
    relayedCandidate({ ip: HOME, port: 1 }),
  ]);
}

describe("an offer", () => {
  test.each([
    { ipv4: 3, ipv6: 0, iceOptions: [], count: 5, octets: 200 },
    { ipv4: 40, ipv6: 0, iceOptions: [], count: 41, octets: 1176 },
    { ipv4: 48, ipv6: 0, iceOptions: [], count: 41, octets: 1176 },
    { ipv4: 500, ipv6: 0, iceOptions: [], count: 41, octets: 1176 },
    { ipv4: 0, ipv6: 200, iceOptions: [], count: 21, octets: 1152 },
    { ipv4: 24, ipv6: 24, iceOptions: ["rrkeys"], count: 33, octets: 1192 },
  ])("of $ipv4 and $ipv6 addresses names $count candidates and crosses a link of 1280 octets in the tunnel", (each) => {
    const candidates = fittingCandidates(candidatesOf(each.ipv4, each.ipv6), each.iceOptions);
    const packet = 40 + offerOf(candidates, each.iceOptions).length;
    expect({ count: candidates.length, octets: packet - 40 }).toEqual({ count: each.count, octets: each.octets });
    expect(packet + 48).toBeLessThanOrEqual(1280);
  });

  test("keeps the home address and what is reached from anywhere, best first", () => {
    const all = candidatesOf(500, 0);
    const told = fittingCandidates(all, []);
    expect(told.slice(-2)).toEqual(all.slice(-2));
    expect(told.slice(0, -2)).toEqual(all.slice(0, told.length - 2));
  });

  test("that fits is not changed", () => {
    const all = candidatesOf(7, 3);
    expect(fittingCandidates(all, [])).toEqual(all);
  });
});

/** The Mobility Header of the larger of both messages, which has a keygen token. */
function offerOf(candidates: readonly LocalCandidate[], options: readonly string[]): Uint8Array {
  const credentials = makeCredentials(seededRng(1));
  const description = { isLite: false, isMismatch: false, credentials, options, candidates, remoteCandidates: [] };
  return encodeMobilityMessage(
    {
      type: "care-of-test-ice",
      careOfNonceIndex: 1,
      careOfInitCookie: new Uint8Array(8),
      careOfKeygenToken: new Uint8Array(8),
      options: encodeMipIce(description),
    },
    { source: HOME, destination: "2001:db8:b::200" },
  );
}
