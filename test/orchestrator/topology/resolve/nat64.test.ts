import { expect, test } from "vitest";
import { buildPlan } from "../../../../orchestrator/plan/build-plan.ts";
import { planProbes } from "../../../../orchestrator/plan/probe-plan.ts";
import { renderFirewall } from "../../../../orchestrator/render/firewall.ts";
import { renderNat } from "../../../../orchestrator/render/nat.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, issuesOf, resolved, routerOf, topologyText } from "../sample.ts";

const text = (
  keys: string,
  segments = 'mobile: { ipv6: "2001:db8:1:1::/64" }',
  peer = "port-restricted-cone",
): string =>
  topologyText({
    segments: `${segments}, cafe: { ipv4: 192.168.2.0/24 }`,
    nodes: `${HOME_AGENTS},
      plat: { role: router, wan: internet, lan: mobile, ${keys} },
      nat-b: { role: router, wan: internet, lan: cafe, nat: ${peer} },
      mn: { role: mobile-node, on: mobile, homeAgent: ha-a },
      other: { role: host, on: mobile, command: [/bin/true] },
      cn: { role: correspondent-node, on: cafe, homeAgent: ha-b }`,
    rest: "sessions: [{ from: mn, to: cn }]",
  });

const CONE = 'nat64: { prefix: "64:ff9b::/96", preset: port-restricted-cone }';

test("the node has IPv6 alone, and is told how its sockets reach IPv4", () => {
  const plan = buildPlan(resolved(text(CONE)), { capture: false });
  const setup = plan.nodes.find(({ name }) => name === "mn")?.setup;
  expect(setup?.interfaces[0]).toMatchObject({
    addresses: ["2001:db8:1:1::2/64", "2001:db8:1:1::c1a7:2/64"],
    nat64: { prefix: "64:ff9b::/96", ipv4: "100.127.0.2/24", ipv6: "2001:db8:1:1::c1a7:2" },
  });
  expect(setup?.routes.map(({ to }) => to)).not.toContain("0.0.0.0/0");
  expect(setup?.role).toMatchObject({ localAddresses: ["2001:db8:1:1::2", "100.127.0.2"] });
});

test("a host that is no agent has IPv6 and nothing else", () => {
  const plan = buildPlan(resolved(text(CONE)), { capture: false });
  const setup = plan.nodes.find(({ name }) => name === "other")?.setup;
  expect(setup?.interfaces[0]).toMatchObject({ addresses: ["2001:db8:1:1::3/64"] });
  expect(setup?.interfaces[0]).not.toHaveProperty("nat64");
});

test("the router translates its inside networks, and its rules begin where IPv4 does", () => {
  const topology = resolved(text(CONE));
  const plan = buildPlan(topology, { capture: false });
  const plat = plan.nodes.find(({ name }) => name === "plat");
  expect(plat?.tun).toBe(true);
  expect(plat?.setup.role).toEqual({
    type: "router",
    nat64: { prefix: "64:ff9b::/96", networks: [{ ipv6: "2001:db8:1:1::/64", pool: "100.127.0.0/24" }] },
  });
  const router = routerOf(topology, "plat");
  expect(renderFirewall(router, 4)).toContain("-A FORWARD -i tun64 -o internet -j ACCEPT\n");
  expect(renderFirewall(router, 4)).not.toContain("mobile");
  expect(renderFirewall(router, 6)).toContain(
    "-A FORWARD -i mobile -o internet -j ACCEPT\n-A FORWARD -i mobile -o tun64 -j ACCEPT\n-A FORWARD -i tun64 -o mobile -j ACCEPT\n",
  );
  const { nat } = router;
  if (nat === undefined) throw new Error("no NAT");
  expect(renderNat({ ...router, nat: { ...nat, hairpinning: true } })).toContain(
    'iifname { "tun64" } oifname { "tun64" } ct status dnat jump translate;',
  );
});

test("it is verified over IPv4, as a NAT of IPv4 is", () => {
  const { probes } = planProbes(resolved(text(CONE)));
  expect(probes.filter(({ node }) => node === "mn").map(({ ipVersion }) => ipVersion)).toEqual([4, 6]);
});

test.each([
  ["port-restricted-cone", "port-restricted-cone", "direct"],
  ["symmetric", "port-restricted-cone", "home-agents"],
  ["symmetric", "full-cone", "direct"],
])("a NAT64 that is %s, towards %s: %s", (preset, peer, path) => {
  const topology = resolved(text(`nat64: { prefix: "64:ff9b::/96", preset: ${preset} }`, undefined, peer));
  const [session] = topology.sessions;
  expect(session && predictSession(topology, session).path).toBe(path);
});

test.each(["2001:db8:6464::/48", "64:ff9b:1::/64"])("%s is a prefix that may be", (prefix) => {
  expect(issuesOf(text(`nat64: { prefix: "${prefix}", preset: full-cone }`))).toEqual([]);
});

test.each([
  [
    "a prefix of a length that RFC 6052 has not",
    text('nat64: { prefix: "64:ff9b::/80", preset: full-cone }'),
    "expected a prefix of 32, 40, 48, 56, 64, 96 bits (RFC 6052 section 2.2); found 64:ff9b::/80",
  ],
  [
    "a prefix that a segment has",
    text('nat64: { prefix: "2001:db8:1:1::/96", preset: full-cone }'),
    "expected a prefix apart from segment mobile (2001:db8:1:1::/64)",
  ],
  [
    "a prefix that a home network is in",
    text('nat64: { prefix: "2001:db8:a::/48", preset: full-cone }'),
    "expected a prefix apart from home prefix of ha-a (2001:db8:a::/64)",
  ],
  ["IPv4 alone inside", text(CONE, "mobile: { ipv4: 192.168.1.0/24 }"), "found IPv4 alone; give the segment `ipv6`"],
  [
    "IPv4 beside IPv6 inside",
    text(CONE, 'mobile: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:1:1::/64" }'),
    "expected IPv6 alone on mobile, behind `nat64`; found 192.168.1.0/24 too",
  ],
  ["a NAT beside it", text(`${CONE}, nat: full-cone`), "expected no `nat` beside `nat64`"],
  [
    "neither a preset nor a point",
    text('nat64: { prefix: "64:ff9b::/96" }'),
    "expected `mapping` or `preset`; found neither",
  ],
  ["no prefix", text("nat64: { preset: full-cone }"), "prefix"],
])("%s is refused, with its place and what to do", (_, topology, message) => {
  const issues = issuesOf(topology);
  expect(issues.join("\n")).toContain(message);
  expect(issues.every((issue) => /^t\.yaml:\d+:\d+ /.test(issue))).toBe(true);
});

const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const NINE = DEPENDENCE.flatMap((mapping) =>
  DEPENDENCE.map((filtering) => `mapping: ${mapping}, filtering: ${filtering}`),
);

test.each(NINE)("a NAT64 with %s is to every peer what the same NAT of IPv4 is", (point) => {
  const pathOf = (keys: string, segments: string | undefined, peer: string) => {
    const topology = resolved(text(keys, segments, peer));
    const [session] = topology.sessions;
    return session && predictSession(topology, session).path;
  };
  for (const peer of NINE.map((other) => `{ ${other} }`)) {
    const path = pathOf(`nat: { ${point} }`, "mobile: { ipv4: 192.168.1.0/24 }", peer);
    expect(pathOf(`nat64: { prefix: "64:ff9b::/96", ${point} }`, undefined, peer)).toBe(path);
  }
  const probe = planProbes(resolved(text(`nat64: { prefix: "64:ff9b::/96", ${point} }`))).probes[0];
  const [, mapping, filtering] = /mapping: (.*), filtering: (.*)/.exec(point) ?? [];
  expect(probe).toMatchObject({ ipVersion: 4, expected: { type: "nat", mapping, filtering } });
});
