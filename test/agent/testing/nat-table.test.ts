import { describe, expect, test } from "vitest";
import { HOME_ROUTER, type NatProfile, NatTable } from "../../../agent/src/testing/index.ts";

const INSIDE = { ip: "192.168.1.2", port: 45_000 };
const OTHER_INSIDE = { ip: "192.168.1.3", port: 45_000 };
const A1 = { ip: "198.18.0.1", port: 1000 };
const A2 = { ip: "198.18.0.1", port: 2000 };
const B1 = { ip: "198.18.0.9", port: 1000 };

function table(change: Partial<NatProfile>): NatTable {
  return new NatTable({ ...HOME_ROUTER, ...change });
}

describe("mapping (RFC 4787 section 4.1)", () => {
  test.each([
    { mapping: "endpoint-independent", samePortFor: { A2: true, B1: true } },
    { mapping: "address-dependent", samePortFor: { A2: true, B1: false } },
    { mapping: "address-and-port-dependent", samePortFor: { A2: false, B1: false } },
  ] as const)("$mapping", ({ mapping, samePortFor }) => {
    const nat = table({ mapping, portAssignment: "random" });
    const first = nat.outbound(0, INSIDE, A1).externalPort;
    const observed = {
      A2: nat.outbound(0, INSIDE, A2).externalPort === first,
      B1: nat.outbound(0, INSIDE, B1).externalPort === first,
    };
    expect(observed).toEqual(samePortFor);
    expect(nat.outbound(0, INSIDE, A1).externalPort).toBe(first);
  });
});

describe("filtering (RFC 4787 section 5)", () => {
  test.each([
    { filtering: "endpoint-independent", admits: { A1: true, A2: true, B1: true } },
    { filtering: "address-dependent", admits: { A1: true, A2: true, B1: false } },
    { filtering: "address-and-port-dependent", admits: { A1: true, A2: false, B1: false } },
  ] as const)("$filtering", ({ filtering, admits }) => {
    const nat = table({ filtering });
    const { externalPort } = nat.outbound(0, INSIDE, A1);
    const admitted = (peer: typeof A1): boolean => nat.inbound(0, peer, externalPort) !== undefined;
    expect({ A1: admitted(A1), A2: admitted(A2), B1: admitted(B1) }).toEqual(admits);
  });

  test("a packet to a port without mapping leaves no trace", () => {
    const nat = table({ filtering: "endpoint-independent" });
    expect(nat.inbound(0, A1, 45_000)).toBeUndefined();
    expect(nat.outbound(0, INSIDE, A1).externalPort).toBe(45_000);
  });
});

describe("port assignment (RFC 4787 section 4.2)", () => {
  test("keeps a free port, and draws one from the range for the second inside host with that port", () => {
    const nat = table({});
    expect(nat.outbound(0, INSIDE, A1).externalPort).toBe(45_000);
    const second = nat.outbound(0, OTHER_INSIDE, A1).externalPort;
    expect(second).not.toBe(45_000);
    expect(second).toBeGreaterThanOrEqual(HOME_ROUTER.ports.first);
    expect(second).toBeLessThanOrEqual(HOME_ROUTER.ports.last);
  });

  test("draws even ports for even ones and odd ports for odd ones where parity is preserved", () => {
    const nat = table({ portAssignment: "random", parity: "preserve", ports: { first: 40_000, last: 40_005 } });
    const portOf = (port: number): number => nat.outbound(0, { ...INSIDE, port }, A1).externalPort;
    const even = [2000, 2002, 2004].map(portOf).toSorted();
    expect(even).toEqual([40_000, 40_002, 40_004]);
    expect(portOf(2001) % 2).toBe(1);
    expect(() => portOf(2006)).toThrow("no port left");
  });

  test("draws the same ports from the same seed, others from another", () => {
    const drawn = (seed: number): number[] => {
      const nat = table({ mapping: "address-and-port-dependent", portAssignment: "random", seed });
      return [A1, A2, B1].map((peer) => nat.outbound(0, INSIDE, peer).externalPort);
    };
    expect(drawn(5)).toEqual(drawn(5));
    expect(drawn(5)).not.toEqual(drawn(6));
  });
});

describe("lifetime (RFC 4787 REQ-5 and REQ-6)", () => {
  test("a mapping is forgotten its lifetime after the last packet from inside", () => {
    const nat = table({ udpLifetimeSec: 30, inboundRefresh: false, portAssignment: "random" });
    const { externalPort } = nat.outbound(0, INSIDE, A1);
    nat.outbound(20_000, INSIDE, A1);
    expect(nat.inbound(49_999, A1, externalPort)).toBeDefined();
    expect(nat.inbound(50_000, A1, externalPort)).toBeUndefined();
    expect(nat.size).toBe(0);
  });

  test("packets from outside keep it alive where the middlebox lets them", () => {
    const nat = table({ udpLifetimeSec: 30, inboundRefresh: true });
    const { externalPort } = nat.outbound(0, INSIDE, A1);
    nat.inbound(20_000, A1, externalPort);
    expect(nat.inbound(40_000, A1, externalPort)).toBeDefined();
  });
});

describe("what the kernel's connection tracking adds", () => {
  test("answers to a flow that came in from outside leave by the port it came in by", () => {
    const nat = table({ mapping: "address-and-port-dependent", filtering: "endpoint-independent" });
    const { externalPort } = nat.outbound(0, INSIDE, A1);
    expect(nat.inbound(0, B1, externalPort)).toEqual({ inside: INSIDE, peer: B1 });
    expect(nat.outbound(0, INSIDE, B1)).toEqual({ externalPort, peer: B1 });
  });

  test("a peer known from another external port is shown with another source port, and answers reach the real one", () => {
    const nat = table({ mapping: "address-and-port-dependent", filtering: "endpoint-independent" });
    const toServer = nat.outbound(0, INSIDE, A1).externalPort;
    const toPeer = nat.outbound(0, INSIDE, B1).externalPort;
    const arrival = nat.inbound(0, B1, toServer);
    expect(arrival).toEqual({ inside: INSIDE, peer: { ip: B1.ip, port: 1001 } });
    expect(nat.inbound(0, B1, toServer)).toEqual(arrival);
    expect(nat.outbound(0, INSIDE, { ip: B1.ip, port: 1001 })).toEqual({ externalPort: toServer, peer: B1 });
    expect(nat.outbound(0, INSIDE, B1)).toEqual({ externalPort: toPeer, peer: B1 });
  });
});

test("ports that are counted up follow each other, and begin anew after the last", () => {
  const ports = { first: 50_000, last: 50_002 };
  const nat = table({ mapping: "address-and-port-dependent", portAssignment: "sequential", ports, seed: 4 });
  const counted = [A1, A2, B1].map((peer) => nat.outbound(0, INSIDE, peer).externalPort);
  expect(counted).toEqual([50_002, 50_000, 50_001]);
});

test("hosts share a port while their peers differ; where they do not, one gets another and keeps it", () => {
  const nat = table({ filtering: "address-and-port-dependent", portAssignment: "overload", hairpinning: false });
  const port = (inside: typeof INSIDE, peer: typeof A1): number => nat.outbound(0, inside, peer).externalPort;
  expect([port(INSIDE, A1), port(OTHER_INSIDE, A2)]).toEqual([45_000, 45_000]);
  expect(nat.inbound(0, A2, 45_000)?.inside).toEqual(OTHER_INSIDE);
  expect(nat.inbound(0, A1, 45_000)?.inside).toEqual(INSIDE);
  expect(nat.inbound(0, B1, 45_000)).toBeUndefined();
  const other = port(OTHER_INSIDE, A1);
  expect(other).not.toBe(45_000);
  expect(nat.inbound(0, A1, other)?.inside).toEqual(OTHER_INSIDE);
  expect(nat.size).toBe(3);
});

test.each([
  ["poison", false],
  ["ignore", true],
] as const)("a stray packet with unsolicited: %s; the port is kept towards its sender: %s", (unsolicited, isKept) => {
  const nat = table({
    filtering: "address-and-port-dependent",
    portAssignment: "overload",
    hairpinning: false,
    unsolicited,
  });
  expect(nat.inbound(0, A1, INSIDE.port)).toBeUndefined();
  expect(nat.outbound(0, INSIDE, A1).externalPort === INSIDE.port).toBe(isKept);
  expect(nat.outbound(0, INSIDE, A2).externalPort === INSIDE.port).toBe(isKept);
  expect(nat.outbound(200_000, OTHER_INSIDE, A1).externalPort).toBe(OTHER_INSIDE.port);
});
