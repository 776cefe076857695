import { describe, expect, test } from "vitest";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, routerOf, topologyText, twoHomes } from "../sample.ts";

const CONE = "nat: port-restricted-cone";

describe("addresses", () => {
  const topology = resolved(twoHomes(CONE, CONE));

  test("the router of a LAN has .1, hosts count from .2, and equal homes get equal addresses", () => {
    const addresses = topology.nodes.map(({ name, interfaces }) => [name, ...interfaces.map(({ ipv4 }) => ipv4)]);
    expect(addresses).toEqual([
      ["ha-a", "198.18.0.2/24"],
      ["ha-b", "198.18.0.3/24"],
      ["nat-a", "198.18.0.4/24", "192.168.1.1/24"],
      ["nat-b", "198.18.0.5/24", "192.168.1.1/24"],
      ["mn", "192.168.1.2/24"],
      ["cn", "192.168.1.2/24"],
    ]);
  });

  test("home addresses count from ::100, home agents are ::1, all mobile nodes use one port", () => {
    expect(nodeOf(topology, "mn")).toMatchObject({
      homeAddress: "2001:db8:a::100",
      port: 40000,
      agent: { profile: "ice16" },
    });
    expect(nodeOf(topology, "cn")).toMatchObject({ homeAddress: "2001:db8:b::100", port: 40000 });
    expect(nodeOf(topology, "ha-a")).toMatchObject({
      address: "2001:db8:a::1",
      listen: ["198.18.0.2", "2001:db8:0:1::2"],
    });
  });

  test("MAC addresses are local, unique and the same every time", () => {
    const macs = topology.nodes.flatMap(({ interfaces }) => interfaces.map(({ mac }) => mac));
    expect(macs).toEqual(resolved(twoHomes(CONE, CONE)).nodes.flatMap((node) => node.interfaces.map(({ mac }) => mac)));
    expect(new Set(macs).size).toBe(macs.length);
    expect(macs[0]).toBe("02:00:00:00:01:01");
  });

  test("fixed addresses are kept and stepped over", () => {
    const nodes = `${HOME_AGENTS},
      h1: { role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18.0.4, ipv6: "2001:DB8:0:1:0::9", mac: "02:00:00:00:00:aa" } } },
      h2: { role: host, on: internet, image: x }`;
    const topo = resolved(topologyText({ nodes }));
    expect(nodeOf(topo, "h1").interfaces[0]).toMatchObject({
      ipv4: "198.18.0.4/24",
      ipv6: "2001:db8:0:1::9/64",
      mac: "02:00:00:00:00:aa",
    });
    expect(nodeOf(topo, "h2").interfaces[0]).toMatchObject({ ipv4: "198.18.0.5/24", ipv6: "2001:db8:0:1::4/64" });
  });

  test("two mobile nodes of one home agent have different home addresses, given ones stepped over", () => {
    const nodes = `${HOME_AGENTS},
      m1: { role: mobile-node, on: internet, homeAgent: ha-a },
      m2: { role: mobile-node, on: internet, homeAgent: ha-a, homeAddress: "2001:db8:a::101" },
      m3: { role: mobile-node, on: internet, homeAgent: ha-a }`;
    const topo = resolved(topologyText({ nodes }));
    const homes = ["m1", "m2", "m3"]
      .map((name) => nodeOf(topo, name))
      .map((node) => "homeAddress" in node && node.homeAddress);
    expect(homes).toEqual(["2001:db8:a::100", "2001:db8:a::101", "2001:db8:a::102"]);
  });

  test.each([
    [
      "an address outside its segment",
      "ipv4: 10.0.0.7",
      "expected an address inside internet (198.18.0.0/24); found 10.0.0.7",
    ],
    [
      "a network's own address",
      "ipv4: 198.18.0.0",
      "expected the address of a host; found 198.18.0.0, which 198.18.0.0/24 keeps for itself",
    ],
    [
      "the broadcast address",
      "ipv4: 198.18.0.255",
      "expected the address of a host; found 198.18.0.255, which 198.18.0.0/24 keeps for itself",
    ],
  ])("%s is refused", (_name, entry, message) => {
    const nodes = `h: { role: host, on: internet, image: x, addresses: { internet: { ${entry} } } }`;
    expect(issuesOf(topologyText({ nodes }))[0]).toContain(`h.addresses.internet.ipv4: ${message}`);
  });

  test("an address of an IP version that the segment lacks is refused", () => {
    const nodes = 'h: { role: host, on: lan, image: x, addresses: { lan: { ipv6: "2001:db8::7" } } }';
    expect(issuesOf(topologyText({ segments: "lan: { ipv4: 10.0.0.0/24 }", nodes }))[0]).toContain(
      "expected no IPv6 address: segment lan has no IPv6 network; found 2001:db8::7",
    );
  });

  test("a segment too small for its nodes is refused", () => {
    const hosts = Array.from({ length: 4 }, (_, i) => `h${i}: { role: host, on: tiny, image: x }`).join(", ");
    expect(issuesOf(topologyText({ segments: "tiny: { ipv4: 10.0.0.0/30 }", nodes: hosts }))[0]).toContain(
      "expected room for h1; tiny is full; take a shorter prefix",
    );
  });

  test("equal MAC addresses on one segment are refused", () => {
    const host = (name: string) =>
      `${name}: { role: host, on: internet, image: x, addresses: { internet: { mac: "02:00:00:00:00:aa" } } }`;
    expect(issuesOf(topologyText({ nodes: `${host("h1")}, ${host("h2")}` }))[0]).toContain(
      "h2.addresses.internet.mac: expected a MAC address of its own; found 02:00:00:00:00:aa, which h1 has",
    );
  });
});

describe("networks", () => {
  test.each([
    ["172.17.0.0/24", "Docker draws its own networks"],
    ["172.31.255.0/24", "Docker draws its own networks"],
    ["172.16.0.0/12", "Docker draws its own networks"],
    ["192.0.2.0/24", "machines that run tests use it"],
    ["203.0.113.128/25", "machines that run tests use it"],
    ["127.0.0.0/8", "it never leaves a machine"],
    ["224.0.0.0/24", "it is multicast"],
  ])("%s is refused with the reason", (network, reason) => {
    expect(issuesOf(topologyText({ segments: `s: { ipv4: ${network} }` }))[0]).toContain(
      `which is not free: ${reason}`,
    );
  });

  test.each(["172.16.0.0/16", "172.32.0.0/16", "100.64.0.0/10", "10.0.0.0/8", "192.168.0.0/16"])(
    "%s is free",
    (network) => {
      expect(issuesOf(topologyText({ segments: `s: { ipv4: ${network} }` }))).toEqual([]);
    },
  );

  test("two homes behind translation may overlap; a home may not overlap what lies outside of it", () => {
    expect(issuesOf(twoHomes(CONE, CONE))).toEqual([]);
    const nodes = "nat: { role: router, wan: internet, lan: home, nat: symmetric }";
    expect(issuesOf(topologyText({ segments: "home: { ipv4: 198.18.0.0/16 }", nodes }))[0]).toContain(
      "segments.home.ipv4: expected a network apart from segment internet (198.18.0.0/24), which the same nodes have to reach; found 198.18.0.0/16",
    );
  });

  test("a home two translations deep may not overlap the outermost network", () => {
    const segments = "isp: { ipv4: 100.64.0.0/24 }, home: { ipv4: 198.18.0.0/25 }";
    const nodes = `cgn: { role: router, wan: internet, lan: isp, nat: carrier-grade },
      nat: { role: router, wan: isp, lan: home, nat: home-router }`;
    expect(issuesOf(topologyText({ segments, nodes }))).toHaveLength(1);
  });

  test("two LANs behind plain routers may not overlap", () => {
    const nodes = `r1: { role: router, wan: internet, lan: a }, r2: { role: router, wan: internet, lan: b }`;
    expect(
      issuesOf(topologyText({ segments: "a: { ipv4: 10.0.0.0/16 }, b: { ipv4: 10.0.1.0/24 }", nodes }))[0],
    ).toContain("expected a network apart from segment a (10.0.0.0/16)");
  });

  test("IPv6 knows no translation: prefixes differ everywhere, home prefixes included", () => {
    const nodes = 'ha: { role: home-agent, on: internet, homePrefix: "2001:db8:0:1::/64" }';
    expect(issuesOf(topologyText({ nodes }))[0]).toContain(
      "nodes.ha.homePrefix: expected a network apart from segment internet",
    );
  });

  test("interface names are the segments', shortened and unique, never one of the kernel's", () => {
    const segments =
      "a-very-long-name-one: { ipv4: 10.1.0.0/24 }, a-very-long-name-two: { ipv4: 10.2.0.0/24 }, eth0: { ipv4: 10.3.0.0/24 }";
    expect(resolved(topologyText({ segments })).segments.map(({ interfaceName }) => interfaceName)).toEqual([
      "internet",
      "a-very-long-nam",
      "a-very-long-n-2",
      "net-eth0",
    ]);
  });
});

describe("routes", () => {
  test("a node's default route is the router whose LAN it is on; nobody else has one", () => {
    const topology = resolved(twoHomes(CONE, CONE));
    expect(nodeOf(topology, "mn").routes).toEqual([{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "home-a" }]);
    expect(nodeOf(topology, "nat-a").routes.filter(({ to }) => to === "0.0.0.0/0")).toEqual([]);
  });

  test("home agents and routers reach the other home prefixes, mobile nodes go through their home agent", () => {
    const topology = resolved(
      topologyText({ nodes: `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }` }),
    );
    expect(nodeOf(topology, "ha-a").routes).toEqual([
      { to: "2001:db8:b::/64", via: "2001:db8:0:1::3", interfaceName: "internet" },
    ]);
    expect(nodeOf(topology, "mn").routes).toEqual([]);
  });

  test("a carrier above a home: defaults lead outwards step by step, translation hides what is inside", () => {
    const segments = "isp: { ipv4: 100.64.0.0/24 }, home: { ipv4: 192.168.1.0/24 }";
    const nodes = `${HOME_AGENTS}, cgn: { role: router, wan: internet, lan: isp, nat: carrier-grade },
      nat: { role: router, wan: isp, lan: home, nat: home-router },
      mn: { role: mobile-node, on: home, homeAgent: ha-a }`;
    const topology = resolved(topologyText({ segments, nodes }));
    expect(nodeOf(topology, "nat").routes).toEqual([{ to: "0.0.0.0/0", via: "100.64.0.1", interfaceName: "isp" }]);
    expect(nodeOf(topology, "cgn").routes.filter(({ to }) => !to.includes(":"))).toEqual([]);
  });

  test("networks behind plain routers get return routes, and IPv6 ones behind translation too", () => {
    const segments =
      'dmz: { ipv4: 10.1.0.0/24 }, lab: { ipv4: 10.2.0.0/24, ipv6: "2001:db8:0:3::/64" }, home: { ipv4: 10.9.0.0/24, ipv6: "2001:db8:0:9::/64" }';
    const nodes = `ha: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" },
      r1: { role: router, wan: internet, lan: dmz }, r2: { role: router, wan: dmz, lan: lab },
      nat: { role: router, wan: internet, lan: home, nat: symmetric }`;
    const topology = resolved(topologyText({ segments, nodes }));
    expect(nodeOf(topology, "ha").routes).toEqual([
      { to: "10.1.0.0/24", via: "198.18.0.3", interfaceName: "internet" },
      { to: "10.2.0.0/24", via: "198.18.0.3", interfaceName: "internet" },
      // r1 has no IPv6 on dmz, but receives lab's packets over the internet.
      { to: "2001:db8:0:3::/64", via: "2001:db8:0:1::3", interfaceName: "internet" },
      { to: "2001:db8:0:9::/64", via: "2001:db8:0:1::4", interfaceName: "internet" },
    ]);
    expect(nodeOf(topology, "r1").routes).toContainEqual({ to: "10.2.0.0/24", via: "10.1.0.2", interfaceName: "dmz" });
  });

  test("with two routers on a segment the gateway must be named, and can be", () => {
    const segments = "home: { ipv4: 192.168.1.0/24 }";
    const nodes = (
      gateway: string,
    ): string => `${HOME_AGENTS}, r1: { role: router, wan: internet, lan: home, nat: symmetric },
      r2: { role: router, wan: internet, lan: home, nat: symmetric },
      mn: { role: mobile-node, on: home, homeAgent: ha-a ${gateway} }`;
    expect(issuesOf(topologyText({ segments, nodes: nodes("") }))[0]).toContain(
      "expected one router that serves home; found r1 and r2; add `gateway` to mn",
    );
    expect(nodeOf(resolved(topologyText({ segments, nodes: nodes(", gateway: r2") })), "mn").routes).toEqual([
      { to: "0.0.0.0/0", via: "192.168.1.2", interfaceName: "home" },
    ]);
  });

  test("of two routers that lead to one network the first takes the packets, and neither looks for it outside", () => {
    const nodes = `r1: { role: router, wan: internet, lan: site }, r2: { role: router, wan: internet, lan: site },
      ha: { role: home-agent, on: site, homePrefix: "2001:db8:a::/64", gateway: r2 },
      other: { role: stun-server, on: internet }`;
    const topology = resolved(topologyText({ segments: 'site: { ipv6: "2001:db8:0:3::/64" }', nodes }));
    const [site, home] = ["2001:db8:0:3::/64", "2001:db8:a::/64"];
    const viaFirst = { via: "2001:db8:0:1::2", interfaceName: "internet" };
    expect(nodeOf(topology, "other").routes).toEqual([
      { to: site, ...viaFirst },
      { to: home, ...viaFirst },
    ]);
    for (const router of ["r1", "r2"])
      expect(nodeOf(topology, router).routes).toEqual([{ to: home, via: "2001:db8:0:3::3", interfaceName: "site" }]);
  });

  test("a default route that leads nowhere is refused", () => {
    const segments = "island: { ipv4: 10.1.0.0/24 }, home: { ipv4: 10.2.0.0/24 }";
    const nodes = `${HOME_AGENTS}, nat: { role: router, wan: internet, lan: home, nat: symmetric },
      mn: { role: mobile-node, on: island, homeAgent: ha-a, gateway: nat }`;
    expect(issuesOf(topologyText({ segments, nodes }))[0]).toContain(
      "nodes.mn.gateway: expected a router that serves island, the segment of mn; found nat, which has no `lan` there: the default route would lead nowhere",
    );
  });

  test("default routes in a circle are refused", () => {
    const segments = "x: { ipv4: 10.1.0.0/24 }, y: { ipv4: 10.2.0.0/24 }";
    const nodes = "r1: { role: router, wan: x, lan: y }, r2: { role: router, wan: y, lan: x }";
    expect(issuesOf(topologyText({ segments, nodes }))).toEqual([
      "t.yaml:4:10 nodes.r1: expected a default route that leads outwards; found a circle: r1 → r2 → r1; change a `wan`",
    ]);
  });

  test("a mobile node on an island is told that it cannot reach its home agent", () => {
    const nodes = `${HOME_AGENTS}, mn: { role: mobile-node, on: island, homeAgent: ha-a }`;
    expect(issuesOf(topologyText({ segments: "island: { ipv4: 10.1.0.0/24 }", nodes }))[0]).toContain(
      "nodes.mn: expected a way from mn to its home agent ha-a; mn has no route to 198.18.0.2",
    );
  });

  test("home agents that cannot reach each other over IPv6 are refused when a session needs it", () => {
    const segments = "other: { ipv4: 198.18.1.0/24 }";
    const nodes = `ha-a: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" },
      ha-b: { role: home-agent, on: other, homePrefix: "2001:db8:b::/64" },
      mn: { role: mobile-node, on: internet, homeAgent: ha-a }, cn: { role: mobile-node, on: other, homeAgent: ha-b }`;
    const issues = issuesOf(topologyText({ segments, nodes, rest: "sessions: [{ from: mn, to: cn }]" }));
    expect(issues[0]).toContain(
      "sessions[0]: expected a way over IPv6 from ha-a to the home prefix of ha-b; ha-a has no route",
    );
  });
});

describe("references", () => {
  test.each([
    [
      "a segment that is not there",
      "h: { role: host, on: internat, image: x }",
      'nodes.h.on: expected a segment; found "internat"; did you mean internet?',
    ],
    [
      "a home agent that is not there",
      "m: { role: mobile-node, on: internet, homeAgent: ha-c }",
      'nodes.m.homeAgent: expected a home-agent; found "ha-c"; did you mean ha-a?',
    ],
    [
      "a home agent that is something else",
      "m: { role: mobile-node, on: internet, homeAgent: h }, h: { role: host, on: internet, image: x }",
      "nodes.m.homeAgent: expected a home-agent; found h, which is a host; there are: ha-a, ha-b",
    ],
    [
      "a gateway that is no router",
      "h: { role: host, on: internet, image: x, gateway: ha-a }",
      "nodes.h.gateway: expected a router; found ha-a, which is a home-agent; there is none: add one",
    ],
    [
      "an address on a foreign segment",
      "h: { role: host, on: internet, image: x, addresses: { home: {} } }",
      "nodes.h.addresses.home: expected a segment that h is on (internet); found home",
    ],
    [
      "a segment that is both sides of a middlebox",
      "r: { role: router, wan: internet, lan: internet }",
      "nodes.r.lan: expected another segment; r is on internet already",
    ],
  ])("%s", (_name, nodes, message) => {
    expect(issuesOf(topologyText({ nodes: `${HOME_AGENTS}, ${nodes}` }))[0]).toContain(message);
  });

  test.each([
    [
      "a session of a node with itself",
      "sessions: [{ from: mn, to: mn }]",
      "sessions[0].to: expected another node than mn",
    ],
    [
      "a session with a home agent",
      "sessions: [{ from: mn, to: ha-a }]",
      "sessions[0].to: expected a mobile-node, correspondent-node or stationary-node; found ha-a, which is a home-agent",
    ],
    [
      "a session twice",
      "sessions: [{ from: mn, to: cn }, { from: mn, to: cn }]",
      "sessions[1]: expected each session once; found mn-cn again",
    ],
    [
      "an expectation of no session",
      "sessions: [{ from: mn, to: cn }]\nexpect: [{ session: cn-mn }]",
      'expect[0].session: expected a session; found "cn-mn"',
    ],
  ])("%s", (_name, rest, message) => {
    const nodes = `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }, cn: { role: mobile-node, on: internet, homeAgent: ha-b }`;
    expect(issuesOf(topologyText({ nodes, rest }))[0]).toContain(message);
  });
});

describe("middleboxes", () => {
  const middlebox = (keys: string): string => twoHomes(keys, CONE);

  test("a preset is a point, single keys override it, and the seed follows from topology and middlebox", () => {
    const topology = resolved(
      middlebox("nat: { preset: symmetric, udpLifetime: 45s, ports: 50000-50999, refresh: outbound }"),
    );
    expect(routerOf(topology, "nat-a").nat).toMatchObject({
      mapping: "address-and-port-dependent",
      filtering: "address-and-port-dependent",
      portAssignment: "random",
      ports: { first: 50000, last: 50999 },
      udpLifetimeSec: 45,
      inboundRefresh: false,
    });
    const seeds = [routerOf(topology, "nat-a"), routerOf(topology, "nat-b")].map(({ nat }) => nat?.seed);
    expect(seeds[0]).not.toBe(seeds[1]);
    expect(routerOf(resolved(middlebox(CONE), 9), "nat-a").nat?.seed).not.toBe(
      routerOf(resolved(middlebox(CONE), 8), "nat-a").nat?.seed,
    );
    expect(routerOf(resolved(middlebox("nat: { preset: symmetric, seed: 5 }"), 9), "nat-a").nat?.seed).toBe(5);
  });

  test("endpoint-independent mapping keeps ports unless told otherwise, the others draw them", () => {
    const point = (mapping: string) =>
      resolved(middlebox(`nat: { mapping: ${mapping}, filtering: address-dependent }`));
    expect(routerOf(point("endpoint-independent"), "nat-a").nat?.portAssignment).toBe("preserve");
    expect(routerOf(point("address-dependent"), "nat-a").nat?.portAssignment).toBe("random");
  });

  test("ports that hosts share come with the rest of what Linux MASQUERADE does, and nothing else", () => {
    const found = issuesOf(
      middlebox(
        "nat: { preset: full-cone, portAssignment: overload, parity: preserve, refresh: outbound, ports: 50000-50999 }",
      ),
    );
    const expected = (key: string, value: string, wrong: string): unknown =>
      expect.stringContaining(
        `nodes.nat-a.nat.${key}: expected ${value}, which is all that \`portAssignment: overload\` (plain Linux MASQUERADE) does; found ${wrong}`,
      );
    expect(found.toSorted()).toEqual([
      expected("parity", "any", "preserve"),
      expected("refresh", "both", "outbound"),
      expected("ports", "no `ports`", '"50000-50999"'),
      expected("filtering", "address-and-port-dependent", "endpoint-independent"),
      expected("hairpinning", "false", "true"),
    ]);
  });

  test("a middlebox that translates is stateful and remembers as long as it maps; a plain router is open", () => {
    expect(routerOf(resolved(middlebox("nat: { preset: symmetric, udpLifetime: 45s }")), "nat-a").firewall).toEqual({
      inbound: "stateful",
      outboundUdp: "all",
      denied: "drop",
      udpIdleSec: 45,
      pinholes: [],
    });
    const nodes = "r: { role: router, wan: internet, lan: lab }";
    const plain = resolved(topologyText({ segments: "lab: { ipv4: 10.0.0.0/24 }", nodes }));
    expect(routerOf(plain, "r").firewall.inbound).toBe("open");
    expect(routerOf(plain, "r").nat).toBeUndefined();
  });

  test.each([
    ["half a point", "nat: { mapping: address-dependent }", "expected `filtering` or `preset`"],
    [
      "a range upside down",
      "nat: { preset: symmetric, ports: 9-5 }",
      'expected a port range within 1-65535, the lower end first; found "9-5"',
    ],
    [
      "a range without an odd port where parity is asked for",
      "nat: { preset: symmetric, parity: preserve, ports: 5000-5000 }",
      'expected an even port and an odd one, for `parity: preserve`; found "5000-5000"',
    ],
    [
      "half a second",
      "nat: { preset: symmetric, udpLifetime: 500ms }",
      "expected whole seconds, at least 1s: the kernel counts so",
    ],
    [
      "two idle times",
      "nat: symmetric, firewall: { udpIdle: 5s }",
      "expected 120s, the `udpLifetime` of its address translation",
    ],
    [
      "a port of the Mobility Header",
      "nat: none, firewall: { pinholes: [{ protocol: mh, to: ha-a, port: 5 }] }",
      "expected no port: the Mobility Header has none",
    ],
    [
      "a pinhole to nobody",
      "nat: none, firewall: { pinholes: [{ protocol: udp, to: nobody }] }",
      'expected a node, an address or a network; found "nobody"',
    ],
    [
      "a port forward",
      "nat: symmetric, firewall: { pinholes: [{ protocol: udp, to: mn }] }",
      "IPv4 is translated, where `forwards` open a way in",
    ],
  ])("%s is refused", (_name, keys, message) => {
    expect(issuesOf(middlebox(keys)).join("\n")).toContain(message);
  });

  test("translation without IPv4 is refused", () => {
    const nodes = "nat: { role: router, wan: internet, lan: v6, nat: symmetric }";
    expect(issuesOf(topologyText({ segments: 'v6: { ipv6: "2001:db8:0:6::/64" }', nodes }))[0]).toContain(
      "expected IPv4 on every segment of a middlebox with address translation; found none on v6",
    );
  });

  test("pinholes name nodes or addresses, one rule for each address", () => {
    const segments = 'dc: { ipv4: 198.18.9.0/24, ipv6: "2001:db8:0:9::/64" }';
    const nodes = `fw: { role: router, wan: internet, lan: dc, firewall: { preset: stateful, pinholes: [
        { protocol: udp, to: ha, port: 4191 }, { protocol: mh, to: ha, from: "2001:db8:b::/64" }] } },
      ha: { role: home-agent, on: dc, homePrefix: "2001:db8:a::/64" }`;
    expect(routerOf(resolved(topologyText({ segments, nodes })), "fw").firewall.pinholes).toEqual([
      { protocol: "udp", to: "198.18.9.2", port: 4191 },
      { protocol: "udp", to: "2001:db8:0:9::2", port: 4191 },
      { protocol: "mh", to: "2001:db8:0:9::2", from: "2001:db8:b::/64" },
    ]);
  });
});

test("expectations keep their line, and promise only what they say", () => {
  const nodes = `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }, cn: { role: mobile-node, on: internet, homeAgent: ha-b }`;
  const rest = `sessions: [{ from: mn, to: cn, traffic: ping }]
expect:
  - { session: mn-cn, path: direct, selected: [host, host], within: 1.5s, roundTrip: 20ms, lost: 0 }
  - { session: mn-cn }`;
  const topology = resolved(topologyText({ nodes, rest }));
  expect(topology.sessions).toEqual([{ name: "mn-cn", from: "mn", to: "cn", traffic: "ping" }]);
  expect(topology.expectations).toEqual([
    {
      session: "mn-cn",
      source: "t.yaml:7",
      path: "direct",
      selected: ["host", "host"],
      nominatedWithinMs: 1500,
      roundTripWithinMs: 20,
      maxLost: 0,
    },
    { session: "mn-cn", source: "t.yaml:8" },
  ]);
});
