import { describe, expect, test } from "vitest";
import {
  candidateView,
  hostCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
  withoutRedundant,
} from "../../../../agent/src/core/ice/candidate.ts";

const HOST = { ip: "10.1.0.5", port: 40001 };
const MAPPED = { ip: "198.51.100.10", port: 61001 };
const HOME = { ip: "2001:db8:a::100", port: 40001 };

describe("redundant candidates", () => {
  test("a server-reflexive candidate equal to its base disappears: there is no NAT", () => {
    expect(withoutRedundant([serverReflexiveCandidate(HOST, HOST), hostCandidate(HOST)])).toEqual([
      hostCandidate(HOST),
    ]);
  });

  test("two servers that see the same mapping give one candidate, the better ranked", () => {
    const first = serverReflexiveCandidate(MAPPED, HOST, 0);
    expect(withoutRedundant([serverReflexiveCandidate(MAPPED, HOST, 1), first])).toEqual([first]);
  });

  test("a home address that is a socket of the node is no relayed candidate", () => {
    expect(withoutRedundant([relayedCandidate(HOME), hostCandidate(HOME)])).toEqual([hostCandidate(HOME)]);
  });

  test("one address seen from two bases stays two candidates", () => {
    const other = { ip: "10.1.0.6", port: 40001 };
    expect(
      withoutRedundant([serverReflexiveCandidate(MAPPED, HOST), serverReflexiveCandidate(MAPPED, other)]),
    ).toHaveLength(2);
  });

  test("the rest is sorted best first", () => {
    const all = [relayedCandidate(HOME, MAPPED), serverReflexiveCandidate(MAPPED, HOST), hostCandidate(HOST)];
    expect(withoutRedundant(all).map(({ type }) => type)).toEqual(["host", "server-reflexive", "relayed"]);
  });
});

test("views show the base of local candidates only, and no credentials or related addresses", () => {
  expect(candidateView(serverReflexiveCandidate(MAPPED, HOST))).toEqual({
    type: "server-reflexive",
    address: MAPPED,
    base: HOST,
    priority: 0x64ffffff,
  });
  expect(candidateView({ type: "host", address: HOST, priority: 5 })).toEqual({
    type: "host",
    address: HOST,
    priority: 5,
  });
});

test("related addresses are those of SPEC 2.2", () => {
  expect(hostCandidate(HOST).related).toBeUndefined();
  expect(serverReflexiveCandidate(MAPPED, HOST).related).toEqual(HOST);
  expect(relayedCandidate(HOME, MAPPED).related).toEqual(MAPPED);
});
