import { expect, test } from "vitest";
import type { Difference } from "../../../orchestrator/lab/difference.ts";
import type { InboundVerification } from "../../../orchestrator/lab/inbound-verification.ts";
import type { LabEvent, LabEventBody } from "../../../orchestrator/lab/lab-event.ts";
import type { NatVerification } from "../../../orchestrator/lab/nat-verification.ts";
import { describeEvent } from "../../../orchestrator/report/progress.ts";
import { routerResults } from "../../../orchestrator/report/router-result.ts";
import { formatRouters, PLAIN } from "../../../orchestrator/report/table.ts";
import { resolved } from "../topology/sample.ts";

const TOPOLOGY = resolved(`
name: t
summary: For a test
segments:
  internet: { ipv4: 198.18.0.0/24 }
  street: { ipv4: 100.64.0.0/24 }
  home: { ipv4: 192.168.1.0/24 }
  empty: { ipv4: 10.0.0.0/24 }
nodes:
  stun: { role: stun-server, on: internet }
  carrier: { role: router, wan: internet, lan: [street, empty], nat: carrier-grade }
  nat-a: { role: router, wan: street, lan: home, nat: home-router }
  inside: { role: host, on: home, image: x }
  neighbour: { role: host, on: street, image: x }
`);

const SEEN: NatVerification["observed"] = {
  type: "nat",
  mapping: "endpoint-independent",
  filtering: "endpoint-independent",
  hairpinning: true,
  portPreservation: false,
  parityPreservation: false,
  mapped: { ip: "198.18.0.3", port: 2048 },
};

function verification(changes: Partial<NatVerification>): LabEventBody {
  const alone = { router: "carrier", lan: "street", through: ["carrier"], node: "neighbour", server: "stun" };
  const seen = { ipVersion: 4 as const, expected: SEEN, observed: SEEN, differences: [], attempts: 1 };
  return { type: "nat-verification", verification: { ...alone, ...seen, ...changes } };
}

const HAIRPINNING: Difference = { declared: "hairpinning", observed: "none", isSilence: true };

const EVENTS: readonly LabEvent[] = [
  verification({}),
  verification({
    router: "nat-a",
    lan: "home",
    through: ["nat-a", "carrier"],
    node: "inside",
    observed: { ...SEEN, hairpinning: false },
    differences: [HAIRPINNING],
  }),
  { type: "not-verified", router: "carrier", lan: "empty", reason: "nobody there" } as const,
].map((event) => ({ ...event, at: 0 }));

test("networks that stand for each other are declared in the terms of RFC 4787, the firewall as their filter", () => {
  const declared = (firewall: string) =>
    routerResults(
      resolved(`
name: t
summary: For a test
segments: { internet: { ipv4: 198.18.0.0/24 }, site: { ipv4: 10.0.0.0/24 } }
nodes:
  edge: { role: router, wan: internet, lan: site, prefixTranslation: { ipv4: 198.18.1.0/24 }, firewall: ${firewall} }
`),
      [],
    )[0]?.declared;
  const shared = { mapping: "endpoint-independent", portAssignment: "preserve", hairpinning: true };
  expect(declared("stateful")).toMatchObject({ ...shared, filtering: "address-and-port-dependent" });
  expect(declared("open")).toMatchObject({ ...shared, filtering: "endpoint-independent" });
});

test("every router of a result has its probes, and agrees when all that went through it do", () => {
  expect(routerResults(TOPOLOGY, EVENTS)).toMatchObject([
    {
      name: "carrier",
      observed: {
        mapping: "endpoint-independent",
        filtering: "endpoint-independent",
        hairpinning: true,
        portAssignment: "random",
      },
      agrees: false,
      probes: [{ lan: "street", node: "neighbour", differences: [], observed: { mapped: { port: 2048 } } }],
      notProbed: ["empty: nobody there"],
    },
    {
      name: "nat-a",
      agrees: false,
      probes: [
        {
          through: ["nat-a", "carrier"],
          differences: ["routers nat-a inside of carrier together declared hairpinning, observed none"],
        },
      ],
    },
  ]);
  // What two NATs show together is the behaviour of neither.
  expect(routerResults(TOPOLOGY, EVENTS)[1]).not.toHaveProperty("observed");
});

test("a router that nobody asked neither agrees nor disagrees", () => {
  const [carrier] = routerResults(TOPOLOGY, []);
  expect(carrier).not.toHaveProperty("agrees");
  expect(carrier).toMatchObject({ probes: [], notProbed: [] });
});

test("the table shows what is declared beside what was seen, where they differ", () => {
  expect(formatRouters(routerResults(TOPOLOGY, EVENTS), PLAIN)).toEqual([
    "",
    "verdict  router                   seen from                  mapping               filtering             hairpinning       ports",
    "pass     carrier                  neighbour on street, IPv4  endpoint-independent  endpoint-independent  yes               drawn",
    "fail     nat-a inside of carrier  inside on home, IPv4       endpoint-independent  endpoint-independent  yes, observed no  drawn",
    "carrier not probed from empty: nobody there",
  ]);
  expect(formatRouters(routerResults(TOPOLOGY, []), PLAIN)).toEqual([]);
});

test("lifetimes have a column where they were measured", () => {
  const { router, lan, through, node } = { router: "carrier", lan: "street", through: ["carrier"], node: "neighbour" };
  const observed = { aliveAfterMs: 299_500, goneAfterMs: 300_500, outboundRefresh: true };
  const lifetime = { router, lan, through, node, ipVersion: 4 as const, declaredSec: 300, observed, differences: [] };
  const events = [...EVENTS.slice(0, 1), { at: 0, type: "lifetime-verification" as const, verification: lifetime }];
  const [, header, row] = formatRouters(routerResults(TOPOLOGY, events), PLAIN);
  expect(header).toMatch(/ {2}UDP lifetime$/);
  expect(row).toMatch(/ {2}300 s: alive after 299.5 s, gone after 300.5 s, refreshed outbound$/);
});

test("while a run goes on, each proof is one line", () => {
  expect(EVENTS.map(describeEvent)).toEqual([
    "carrier: verified as declared: maps endpoint-independent, filters endpoint-independent, hairpins",
    "nat-a, then carrier: not as declared: declared hairpinning, found none",
    "carrier: not probed from empty: nobody there",
  ]);
});

test("ways in are tried from outside: their rows say where datagrams came out, and a wrong one disagrees", () => {
  const way = {
    router: "nat-a",
    kind: "forward" as const,
    protocol: "udp" as const,
    from: { node: "neighbour", ip: "100.64.0.3" },
    destination: { ip: "100.64.0.2", port: 8080 },
    target: { node: "inside", ip: "192.168.1.2", port: 80 },
    closedPort: 8081,
    ipVersion: 4 as const,
    differences: [],
    attempts: 1,
  };
  const rowsOf = (verification: Partial<InboundVerification>) => {
    const events: LabEvent[] = [{ at: 0, type: "inbound-verification", verification: { ...way, ...verification } }];
    return {
      lines: formatRouters(routerResults(TOPOLOGY, events), PLAIN),
      agrees: routerResults(TOPOLOGY, events)[1]?.agrees,
    };
  };
  expect(rowsOf({ reachedPort: 80 })).toEqual({
    agrees: true,
    lines: [
      "",
      "verdict  router  sent by          way in             to         port beside it",
      "pass     nat-a   neighbour, IPv4  forward, UDP 8080  inside:80  8081 closed",
    ],
  });
  const differences = [{ declared: "a way", observed: "none", isSilence: true }];
  const { lines, agrees } = rowsOf({ closedReachedPort: 81, differences });
  expect(agrees).toBe(false);
  expect(lines[2]).toBe(
    "fail     nat-a   neighbour, IPv4  forward, UDP 8080  inside:80, observed nothing there  8081 closed, observed open to port 81",
  );
});
