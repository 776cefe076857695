import type { NatObservation } from "@testbed/agent/control";
import { describe, expect, test } from "vitest";
import { lifetimeDifferences } from "../../../orchestrator/lab/lifetime-verification.ts";
import { describeDifference, differencesOf, differencesOfRivals } from "../../../orchestrator/lab/nat-verification.ts";
import type { VerificationProbe } from "../../../orchestrator/plan/probe-plan.ts";

type Nat = Extract<NatObservation, { readonly type: "nat" }>;

const UNMAPPED: Nat = {
  type: "nat",
  filtering: "address-dependent",
  hairpinning: true,
  portPreservation: true,
  parityPreservation: false,
  mapped: { ip: "198.18.0.4", port: 20000 },
};
const DECLARED: Nat = { ...UNMAPPED, mapping: "endpoint-independent" };

function probe(changes: Partial<VerificationProbe> = {}): VerificationProbe {
  return {
    router: "nat-a",
    lan: "home",
    node: "mn",
    ipVersion: 4,
    local: "192.168.1.2",
    firstPort: 20000,
    server: { node: "ha-a", first: { ip: "198.18.0.2", port: 3478 }, second: { ip: "198.18.0.254", port: 3479 } },
    through: ["nat-a"],
    needs: [],
    expected: DECLARED,
    lifetimeSec: 120,
    roundTrip: { addedMs: 0, lossRate: 0 },
    seed: "00",
    ...changes,
  };
}

/** Sentences for an observation of a NAT; those that silence would explain end with a question mark. */
function sentences(observed: NatObservation, changes: Partial<VerificationProbe> = {}): readonly string[] {
  const asked = probe(changes);
  return differencesOf({ probe: asked, observed }).map(
    (difference) => `${describeDifference(asked, difference)}${difference.isSilence ? "?" : ""}`,
  );
}

describe("parity", () => {
  const expected = { expected: { ...DECLARED, parityPreservation: true } };

  test("that is promised must be seen", () => {
    expect(sentences({ ...DECLARED, parityPreservation: true }, expected)).toEqual([]);
    expect(sentences(DECLARED, expected)).toEqual([
      "router nat-a declared even ports for even ports, odd ones for odd ones, observed others",
    ]);
  });

  test("that nobody promised may be seen by chance", () => {
    expect(sentences({ ...DECLARED, parityPreservation: true })).toEqual([]);
  });
});

describe("a middlebox", () => {
  test("that is what it is declared to be shows no difference", () => {
    expect(sentences(DECLARED)).toEqual([]);
  });

  test.each<[string, NatObservation, string]>([
    [
      "maps by more than declared",
      { ...DECLARED, mapping: "address-and-port-dependent" },
      "router nat-a declared mapping endpoint-independent, observed address-and-port-dependent",
    ],
    [
      "does not answer enough to tell its mapping",
      UNMAPPED,
      "router nat-a declared mapping endpoint-independent, observed too few answers to tell?",
    ],
    [
      "lets more in",
      { ...DECLARED, filtering: "endpoint-independent" },
      "router nat-a declared filtering address-dependent, observed endpoint-independent",
    ],
    [
      "lets less in, or loses packets",
      { ...DECLARED, filtering: "address-and-port-dependent" },
      "router nat-a declared filtering address-dependent, observed address-and-port-dependent?",
    ],
    ["does not hairpin", { ...DECLARED, hairpinning: false }, "router nat-a declared hairpinning, observed none?"],
    [
      "draws ports instead of keeping them",
      { ...DECLARED, portPreservation: false, mapped: { ip: "198.18.0.4", port: 51234 } },
      "router nat-a declared ports kept, observed 51234 for a port from 20000 on",
    ],
    [
      "hides behind another address",
      { ...DECLARED, mapped: { ip: "198.18.0.5", port: 20000 } },
      "router nat-a declared the outside address 198.18.0.4, observed 198.18.0.5",
    ],
    [
      "does not translate",
      { type: "no-nat", filtering: "endpoint-independent" },
      "router nat-a declared address translation, observed no address translation",
    ],
    [
      "lets nothing through",
      { type: "udp-blocked" },
      "router nat-a declared mapping endpoint-independent, filtering address-dependent, hairpinning, ports kept, observed no UDP at all?",
    ],
  ])("that %s is told apart", (_name, observed, sentence) => {
    expect(sentences(observed)).toEqual([sentence]);
  });

  test("that draws ports draws them from its range", () => {
    const drawn = { expected: { ...DECLARED, portPreservation: false }, drawnFrom: { first: 50000, last: 50099 } };
    const at = (port: number): Nat => ({
      ...DECLARED,
      portPreservation: false,
      mapped: { ip: DECLARED.mapped.ip, port },
    });
    expect(sentences(at(50099), drawn)).toEqual([]);
    expect(sentences(at(50100), drawn)).toEqual(["router nat-a declared ports drawn from 50000-50099, observed 50100"]);
  });

  test("that is declared to block UDP lets nothing through", () => {
    expect(sentences(DECLARED, { expected: { type: "udp-blocked" } })).toEqual([
      "router nat-a declared no UDP at all, observed mapping endpoint-independent, filtering address-dependent, hairpinning, ports kept",
    ]);
  });

  test("inside of others is blamed together with them", () => {
    expect(sentences({ ...DECLARED, hairpinning: false }, { through: ["nat-a", "carrier"] })).toEqual([
      "routers nat-a inside of carrier together declared hairpinning, observed none?",
    ]);
  });
});

describe("two hosts that ask from one port", () => {
  const rivals = (ports: readonly [number, number], expected: Nat = DECLARED) =>
    differencesOfRivals(
      (["mn", "cn"] as const).map((node, i) => {
        const port = ports[i] ?? 0;
        return {
          probe: probe({ node, rival: node === "mn" ? "cn" : "mn", expected }),
          observed: { ...DECLARED, portPreservation: port === 20000, mapped: { ip: "198.18.0.4", port } },
        };
      }),
    ).map((difference) => describeDifference(probe(), difference));

  test("each get an outside port, and one of them keeps its own", () => {
    expect(rivals([51000, 20000])).toEqual([]);
    const observed = { ...DECLARED, portPreservation: false, mapped: { ip: "198.18.0.4", port: 51000 } };
    expect(sentences(observed, { rival: "cn" })).toEqual([]);
  });

  test("never share an outside port", () => {
    expect(rivals([20000, 20000])).toEqual([
      "router nat-a declared an outside port for each inside host, observed 198.18.0.4:20000 for both mn and cn",
    ]);
  });

  test("have their outside port written as everywhere, IPv6 in brackets", () => {
    const observed = { ...DECLARED, mapped: { ip: "2001:db8:9::4", port: 20000 } };
    const rival = { probe: probe({ ipVersion: 6 }), observed };
    expect(differencesOfRivals([rival, rival])[0]?.observed).toBe("[2001:db8:9::4]:20000 for both mn and mn");
  });

  test("are not both turned away from a port that is free", () => {
    expect(rivals([51000, 51001])).toEqual([
      "router nat-a declared ports kept where they are free, observed others for both mn and cn",
    ]);
    expect(rivals([51000, 51001], { ...DECLARED, portPreservation: false })).toEqual([]);
  });
});

test.each([
  [{ aliveAfterMs: 29_500, goneAfterMs: 30_500, outboundRefresh: true, inboundRefresh: false }, []],
  [
    { aliveAfterMs: 29_500, outboundRefresh: true, inboundRefresh: true },
    ["mappings not kept alive by inbound packets: kept"],
  ],
  [
    { aliveAfterMs: 29_500, outboundRefresh: false },
    [
      "mappings kept alive by outbound packets: not kept",
      "mappings not kept alive by inbound packets: no answer that would tell",
    ],
  ],
  [{ aliveAfterMs: 33_000 }, ["UDP lifetime 30 s: a mapping after 33 s of silence"]],
  [{ goneAfterMs: 3000 }, ["UDP lifetime 30 s: none after 3 s of silence"]],
  [{}, ["UDP lifetime 30 s: no answer to any question"]],
])("mappings of 30 s seen as %j differ in %j", (observed, expected) => {
  const found = lifetimeDifferences({ declaredSec: 30, inboundRefresh: false }, observed).map(
    ({ declared, observed: seen }) => `${declared}: ${seen}`,
  );
  expect(found).toEqual(expected);
});

test("where middleboxes on the way differ in what refreshes them, packets from outside may do either", () => {
  const seen = { aliveAfterMs: 29_500, outboundRefresh: true };
  expect(lifetimeDifferences({ declaredSec: 30 }, { ...seen, inboundRefresh: true })).toEqual([]);
  expect(lifetimeDifferences({ declaredSec: 30 }, { ...seen, inboundRefresh: false })).toEqual([]);
});

describe("hosts that share ports", () => {
  const shared = { sharesPorts: true, rival: "other" };

  test("are expected to get the same one", () => {
    const seen = ["mn", "other"].map((node) => ({ probe: probe({ ...shared, node }), observed: DECLARED }));
    expect(differencesOfRivals(seen)).toEqual([]);
    expect(sentences(DECLARED, shared)).toEqual([]);
  });

  test("and each shows it where one of them gets another", () => {
    const observed = { ...DECLARED, portPreservation: false, mapped: { ip: "198.18.0.4", port: 50000 } };
    expect(sentences(observed, shared)).toEqual([
      "router nat-a declared ports kept, observed 50000 for a port from 20000 on",
    ]);
  });

  test("whose mappings are others than expected are asked again: a lost packet changes who comes first", () => {
    expect(sentences({ ...DECLARED, mapping: "address-dependent" }, shared)).toEqual([
      "router nat-a declared mapping endpoint-independent, observed address-dependent?",
    ]);
  });
});
