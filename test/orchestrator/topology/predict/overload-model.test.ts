import { describe, expect, test } from "vitest";
import { planProbes } from "../../../../orchestrator/plan/probe-plan.ts";
import { createMiddleboxModel } from "../../../../orchestrator/topology/predict/middlebox-model.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, issuesOf, resolved, routerOf, topologyText, twoHomes } from "../sample.ts";

const OVERLOAD =
  "nat: { mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload }";

/** Two mobile nodes of one home use one port; each has a session with a node behind another NAT. */
function twoLaptops(homeAgents: readonly [string, string], natB = "nat: port-restricted-cone") {
  const laptop = (i: 0 | 1): string =>
    `laptop-${i + 1}: { role: mobile-node, on: home, homeAgent: ${homeAgents[i]}, port: 41641 }`;
  return resolved(
    topologyText({
      segments: "home: { ipv4: 192.168.1.0/24 }, cafe: { ipv4: 192.168.2.0/24 }",
      nodes: `${HOME_AGENTS},
        nat-a: { role: router, wan: internet, lan: home, ${OVERLOAD} },
        nat-b: { role: router, wan: internet, lan: cafe, ${natB} },
        ${laptop(0)}, ${laptop(1)}, cn: { role: correspondent-node, on: cafe, homeAgent: ha-b }`,
      rest: "sessions: [{ from: laptop-1, to: cn }, { from: laptop-2, to: cn }]",
    }),
  );
}

function paths(topology: ReturnType<typeof twoLaptops>): readonly string[] {
  return topology.sessions.map((session) => predictSession(topology, session).path);
}

describe("two hosts on one port", () => {
  const router = routerOf(twoLaptops(["ha-a", "ha-a"]), "nat-a");
  const [one, other] = ["192.168.1.2", "192.168.1.3"].map((ip) => ({ ip, port: 41641 })) as [Host, Host];
  type Host = { readonly ip: string; readonly port: number };
  const far = (port: number): Host => ({ ip: "198.18.0.9", port });

  /** The outside ports of packets in this order, each to a port of the same destination. */
  function outside(packets: readonly (readonly [Host, number])[]): readonly number[] {
    const model = createMiddleboxModel(router);
    return packets.map(([source, to]) => {
      const passage = model.pass({ source, destination: far(to) }, "home", "internet");
      return passage.passes ? passage.packet.source.port : 0;
    });
  }

  test("share it towards different destinations, and not where their flows would be the same", () => {
    expect(outside([[one, 1], [other, 2]])).toEqual([41641, 41641]); // biome-ignore format: one line a case
    const [, , third] = outside([[one, 1], [other, 2], [other, 1]]); // biome-ignore format: one line a case
    expect(third).not.toBe(41641);
  });

  test("keep for other destinations what they had last, and for known ones what they had there", () => {
    const [, , drawn, next, known] = outside([[one, 1], [other, 2], [other, 1], [other, 3], [other, 2]]); // biome-ignore format: one line a case
    expect([next, known]).toEqual([drawn, 41641]);
  });
});

describe("sessions of two hosts on one port", () => {
  test("who meet at one home agent have ports of their own from there on: both paths are direct", () => {
    expect(paths(twoLaptops(["ha-a", "ha-a"]))).toEqual(["direct", "direct"]);
  });

  test("who meet only at their peer: it depends on who checks first, unless the peer's NAT filters nothing", () => {
    expect(paths(twoLaptops(["ha-a", "ha-b"]))).toEqual(["home-agents", "home-agents"]);
    expect(paths(twoLaptops(["ha-a", "ha-b"], "nat: full-cone"))).toEqual(["direct", "direct"]);
  });
});

test("of two probes from one LAN and the same ports, the second has a mapping that differs by destination", () => {
  const probes = planProbes(twoLaptops(["ha-a", "ha-a"])).probes.filter(({ lan }) => lan === "home");
  expect(probes.map(({ sharesPorts, expected }) => ({ sharesPorts, expected }))).toMatchObject([
    { sharesPorts: true, expected: { mapping: "endpoint-independent", portPreservation: true } },
    { sharesPorts: true, expected: { mapping: "address-dependent", portPreservation: true } },
  ]);
});

describe("a stray packet", () => {
  const between = (unsolicited: string) => {
    const nat = OVERLOAD.replace(" }", `, unsolicited: ${unsolicited} }`);
    return predictSession(...withSession(resolved(twoHomes(nat, nat))));
  };
  function withSession(topology: ReturnType<typeof resolved>): Parameters<typeof predictSession> {
    const [session] = topology.sessions;
    if (session === undefined) throw new Error("no session");
    return [topology, session];
  }

  test("that claims the port of the check that follows closes the way, whoever begins", () => {
    expect(between("poison").path).toBe("home-agents");
    expect(between("ignore").path).toBe("direct");
  });

  test("claims a port of the kernel's own NAT only", () => {
    expect(issuesOf(twoHomes("nat: { preset: symmetric, unsolicited: poison }", "nat: symmetric"))).toEqual([
      expect.stringContaining(
        "nodes.nat-a.nat.unsolicited: expected `ignore`, or `portAssignment: overload` beside it: only there a stray packet can claim a port; found poison with random",
      ),
    ]);
  });
});
