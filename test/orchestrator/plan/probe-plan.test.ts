import { describe, expect, test } from "vitest";
import { planProbes, portsOf } from "../../../orchestrator/plan/probe-plan.ts";
import { resolved } from "../topology/sample.ts";
import { planBehind } from "./middlebox-topology.ts";

function plan(segments: string, nodes: string) {
  return planProbes(
    resolved(`
name: t
summary: For a test
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: "2001:db8:0:1::/64" }
${segments}
nodes:
  ha-a: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" }
  ha-b: { role: home-agent, on: internet, homePrefix: "2001:db8:b::/64" }
${nodes}
`),
  );
}

describe("who asks", () => {
  test("a mobile node inside asks its own home agent's two addresses", () => {
    const { probes, notProbed } = plan(
      "  home: { ipv4: 192.168.1.0/24 }",
      "  nat-a: { role: router, wan: internet, lan: home, nat: symmetric }\n  mn: { role: mobile-node, on: home, homeAgent: ha-b }",
    );
    expect(notProbed).toEqual([]);
    expect(probes).toMatchObject([
      {
        router: "nat-a",
        lan: "home",
        node: "mn",
        ipVersion: 4,
        local: "192.168.1.2",
        server: {
          node: "ha-b",
          first: { ip: "198.18.0.3", port: 3478 },
          second: { ip: "198.18.0.253", port: 3479 },
        },
        through: ["nat-a"],
        needs: ["mn", "ha-b", "nat-a"],
        drawnFrom: { first: 49152, last: 65535 },
        lifetimeSec: 120,
      },
    ]);
  });

  test("a home agent that lies inside of a middlebox itself is not asked where another server is in the open", () => {
    const { probes } = plan(
      "  site: { ipv4: 198.18.1.0/24 }\n  home: { ipv4: 192.168.1.0/24 }",
      `  wall: { role: router, wan: internet, lan: site, firewall: stateful }
  nat-a: { role: router, wan: internet, lan: home, nat: symmetric }
  ha-c: { role: home-agent, on: site, homePrefix: "2001:db8:c::/64" }
  inside: { role: host, on: home, image: x }
  mn: { role: mobile-node, on: home, homeAgent: ha-c }`,
    );
    const asked = probes.map(({ node, server, through }) => [node, server.node, through.join()]);
    expect(asked).toEqual([
      ["ha-c", "ha-a", "wall"],
      ["inside", "ha-a", "nat-a"],
      ["mn", "ha-a", "nat-a"],
    ]);
  });

  test("from a dual-stack LAN both IP versions are asked about", () => {
    const { probes } = plan(
      '  home: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:0:2::/64" }',
      "  middlebox: { role: router, wan: internet, lan: home, nat: symmetric }\n  inside: { role: host, on: home, image: x }",
    );
    expect(probes.map(({ ipVersion, local }) => [ipVersion, local])).toEqual([
      [4, "192.168.1.2"],
      [6, "2001:db8:0:2::2"],
    ]);
  });

  test("two hosts on one LAN ask from the same ports, a third one stays out", () => {
    const hosts = ["one", "two", "three"].map((name) => `  ${name}: { role: host, on: home, image: x }`).join("\n");
    const { probes } = plan(
      "  home: { ipv4: 192.168.1.0/24 }",
      `  middlebox: { role: router, wan: internet, lan: home, nat: symmetric }\n${hosts}`,
    );
    expect(probes.map(({ node, rival, firstPort }) => [node, rival, firstPort])).toEqual([
      ["one", "two", 20000],
      ["two", "one", 20000],
    ]);
    // They start with different servers.
    expect(probes.map(({ server }) => [server.first, server.second])).toEqual([
      [
        { ip: "198.18.0.2", port: 3478 },
        { ip: "198.18.0.254", port: 3479 },
      ],
      [
        { ip: "198.18.0.2", port: 3479 },
        { ip: "198.18.0.254", port: 3478 },
      ],
    ]);
  });

  test("a plain router has nothing to prove, and is passed on the way to a middlebox that has", () => {
    const { probes } = planBehind(["nat: none", "nat: full-cone"]);
    expect(probes).toMatchObject([{ router: "middlebox1", lan: "lan1", through: ["middlebox1"], node: "inside" }]);
    expect(probes[0]?.needs).toEqual(["inside", "stun", "middlebox0", "middlebox1"]);
  });

  test("middleboxes in a chain are seen together; the outer one's own LAN has nobody to ask", () => {
    const { probes, notProbed } = planBehind([
      "nat: home-router",
      "nat: { preset: carrier-grade, udpLifetime: 60s, portAssignment: random }",
    ]);
    expect(probes).toMatchObject([
      { router: "middlebox0", through: ["middlebox0", "middlebox1"], lifetimeSec: 60, drawnFrom: { first: 1024 } },
    ]);
    expect(notProbed).toEqual([
      {
        router: "middlebox1",
        lan: "lan1",
        reason: "no node on lan1; seen together with what lies inside of it: middlebox0",
      },
    ]);
  });

  test("a node whose way leads elsewhere does not ask about this middlebox", () => {
    const { probes, notProbed } = plan(
      "  site: { ipv4: 10.0.0.0/24 }",
      `  one: { role: router, wan: internet, lan: site, firewall: stateful }
  other: { role: router, wan: internet, lan: site, firewall: stateful }
  inside: { role: host, on: site, image: x, gateway: other }`,
    );
    expect(probes.map(({ router }) => router)).toEqual(["other"]);
    expect(notProbed).toEqual([
      {
        router: "one",
        lan: "site",
        reason: "no node on site has a way through one to a STUN server with two addresses",
      },
    ]);
  });

  test("hosts with outside addresses of their own do not share ports, and where all may come in nothing is forgotten", () => {
    const rivals = (middlebox: string) =>
      plan(
        "  site: { ipv4: 10.0.0.0/24 }",
        `  edge: { role: router, wan: internet, lan: site, ${middlebox} }
  one: { role: host, on: site, image: x }
  two: { role: host, on: site, image: x }`,
      ).probes.map(({ rival, lifetimeSec, firstPort }) => ({ rival, lifetimeSec, firstPort }));
    const [first] = rivals("prefixTranslation: { ipv4: 198.18.1.0/24 }");
    expect(rivals("prefixTranslation: { ipv4: 198.18.1.0/24 }")).toEqual([first, first]);
    expect(first).toMatchObject({ rival: undefined, lifetimeSec: undefined });
    expect(rivals("prefixTranslation: { ipv4: 198.18.1.0/24 }, firewall: stateful")).toMatchObject([
      { rival: undefined, lifetimeSec: 120 },
      { rival: undefined, lifetimeSec: 120 },
    ]);
    expect(rivals("nat: full-cone")).toMatchObject([
      { rival: "two", lifetimeSec: 120 },
      { rival: "one", lifetimeSec: 120 },
    ]);
  });

  test.each([
    [["parity: preserve"], true],
    [["parity: any"], false],
    [["parity: preserve", "parity: preserve"], true],
    [["parity: preserve", "parity: any"], false],
  ])("middleboxes with %j promise parity: %s", (middleboxes, parityPreservation) => {
    const { probes } = planBehind(middleboxes.map((middlebox) => `nat: { preset: symmetric, ${middlebox} }`));
    expect(probes[0]?.expected).toMatchObject({ type: "nat", parityPreservation });
  });

  test.each([
    [["refresh: both"], true],
    [["refresh: outbound"], false],
    [["refresh: both", "refresh: outbound"], undefined],
  ])("middleboxes with %j are refreshed from outside: %s", (middleboxes, inboundRefresh) => {
    const { probes } = planBehind(middleboxes.map((middlebox) => `nat: { preset: symmetric, ${middlebox} }`));
    expect(probes[0]?.inboundRefresh).toBe(inboundRefresh);
  });

  test("a node asks through the middlebox of a segment from its address there alone", () => {
    const { probes, notProbed } = plan(
      "  docker0: { ipv4: 10.99.0.0/24 }\n  home: { ipv4: 192.168.1.0/24 }",
      `  nat-a: { role: router, wan: internet, lan: home, nat: port-restricted-cone }
  mn: { role: mobile-node, on: [docker0, home], homeAgent: ha-a }`,
    );
    expect(probes.map(({ local, expected }) => [local, expected.type])).toEqual([["192.168.1.2", "nat"]]);
    expect(notProbed).toEqual([]);
  });

  test("what no node can ask from its own segment is not verified", () => {
    const { probes, notProbed } = plan(
      "  office: { ipv4: 10.0.0.0/24 }\n  yard: { ipv4: 10.0.1.0/24 }",
      `  one: { role: router, wan: internet, lan: office, nat: home-router }
  two: { role: router, wan: internet, lan: yard, nat: home-router }
  both: { role: home-agent, on: [office, yard], homePrefix: "2001:db8:c::/64" }`,
    );
    expect(probes.map(({ router, local }) => [router, local])).toEqual([["one", "10.0.0.2"]]);
    expect(notProbed).toEqual([
      {
        router: "two",
        lan: "yard",
        reason: "no node on yard has a way through two to a STUN server with two addresses",
      },
    ]);
  });

  test.each([
    ["symmetric, ports: 50000-50003", "middlebox0 has 4 ports to draw, and probes could take up to 36 from its nodes"],
    ["symmetric, ports: 50000-50042", "middlebox0 has 43 ports to draw, and probes could take up to 36 from its nodes"],
    ["symmetric, ports: 50000-50043", undefined],
    [
      "carrier-grade, ports: 50000-50019",
      "middlebox0 has 20 ports to draw, and probes could take up to 20 from its nodes",
    ],
    ["carrier-grade, ports: 50000-50020", undefined],
    ["home-router, ports: 50000-50000", undefined],
  ])("a NAT that is %s: %s", (preset, reason) => {
    const { probes, notProbed } = planBehind([`nat: { preset: ${preset} }`]);
    expect(notProbed.map((unprobed) => unprobed.reason)).toEqual(reason === undefined ? [] : [reason]);
    expect(probes).toHaveLength(reason === undefined ? 1 : 0);
  });

  test("LANs of one NAT, and NATs inside of it, spend its ports together", () => {
    const homes = (count: number, ports: string): string =>
      Array.from(
        { length: count },
        (_, i) => `  nat-${i}: { role: router, wan: isp, lan: home-${i}, nat: full-cone }
  inside-${i}: { role: host, on: home-${i}, image: x }`,
      ).join("\n") +
      `\n  carrier: { role: router, wan: internet, lan: [isp, other], nat: { preset: symmetric, ports: ${ports} } }`;
    const { probes, notProbed } = plan(
      "  isp: { ipv4: 100.64.0.0/24 }\n  other: { ipv4: 100.65.0.0/24 }\n" +
        [0, 1, 2].map((i) => `  home-${i}: { ipv4: 192.168.1.0/24 }`).join("\n"),
      homes(3, "50000-50099"),
    );
    expect(probes.map(({ router }) => router)).toEqual(["nat-0", "nat-1"]);
    expect(notProbed.map(({ router, reason }) => [router, reason])).toContainEqual([
      "nat-2",
      "carrier has 100 ports to draw, and probes could take up to 36 from its nodes",
    ]);
  });

  test("an empty LAN is named, once for both IP versions", () => {
    const { probes, notProbed } = plan(
      '  home: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:0:2::/64" }',
      "  middlebox: { role: router, wan: internet, lan: home, nat: symmetric }",
    );
    expect(probes).toEqual([]);
    expect(notProbed).toEqual([{ router: "middlebox", lan: "home", reason: "no node on home" }]);
  });
});

describe("ports", () => {
  test("each attempt has five of its own", () => {
    expect(portsOf(20000, 0)).toEqual([20000, 20001, 20002, 20003, 20004]);
    expect(portsOf(20000, 3)).toEqual([20015, 20016, 20017, 20018, 20019]);
  });

  test("they are none that a middlebox draws or a candidate uses, and other ones for each LAN", () => {
    const { probes } = plan(
      "  home: { ipv4: 192.168.1.0/24 }\n  cafe: { ipv4: 192.168.1.0/24 }",
      `  nat-a: { role: router, wan: internet, lan: home, nat: { preset: symmetric, ports: 20010-20070 } }
  nat-b: { role: router, wan: internet, lan: cafe, nat: symmetric }
  mn: { role: mobile-node, on: home, homeAgent: ha-a, port: 20090 }
  cn: { role: correspondent-node, on: cafe, homeAgent: ha-b }`,
    );
    expect(probes.map(({ firstPort }) => firstPort)).toEqual([20120, 20160]);
  });

  test("where middleboxes draw from everywhere, only candidates are kept clear of", () => {
    const { probes } = planBehind(["nat: { preset: symmetric, ports: 1024-65535 }"]);
    expect(probes.map(({ firstPort }) => firstPort)).toEqual([20000]);
  });
});
