import { describe, expect, test } from "vitest";
import { buildPlan } from "../../../../orchestrator/plan/build-plan.ts";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

/** A NAT for IPv4 alone, with a mobile node behind it. */
const homes = (parts: { readonly lan?: string; readonly links?: string; readonly traffic?: string }): string =>
  topologyText({
    segments: `home: { ipv4: 192.168.1.0/24, ${parts.lan ?? ""} }`,
    nodes: `${HOME_AGENTS},
      nat-a: { role: router, wan: internet, lan: home, nat: home-router },
      mn: { role: mobile-node, on: home, homeAgent: ha-a },
      cn: { role: correspondent-node, on: internet, homeAgent: ha-b }`,
    rest: `links: { ${parts.links ?? ""} }\nsessions: [{ from: mn, to: cn, traffic: ${parts.traffic ?? "echo"} }]`,
  });

const messagesOf = (text: string): readonly string[] =>
  issuesOf(text).map((issue) => issue.replace(/^t\.yaml:\d+:\d+ /, ""));

describe("the MTU of a link", () => {
  test.each([
    ["mtu: 1124", { limits: { mtuOctets: 1124 } }],
    ["mtu: 576, tooBig: drop", { limits: { mtuOctets: 576, isSilent: true } }],
    ["mtu: 1400, tooBig: icmp, fragments: drop", { limits: { mtuOctets: 1400, dropsFragments: true } }],
    ["corrupt: 0.5%", { corruptRate: 0.005 }],
  ])("%s holds in both directions", (text, impairment) => {
    const topology = resolved(homes({ links: `nat-a/internet: { ${text} }` }));
    expect(nodeOf(topology, "nat-a").interfaces[0]?.impairment).toEqual({ out: impairment, in: impairment });
  });

  test("stands beside what holds in one direction", () => {
    const topology = resolved(homes({ links: "nat-a/internet: { mtu: 1300, out: { delay: 5ms } }" }));
    expect(nodeOf(topology, "nat-a").interfaces[0]?.impairment).toEqual({
      out: { delayMs: 5, limits: { mtuOctets: 1300 } },
      in: { limits: { mtuOctets: 1300 } },
    });
  });
});

test("the MTU of a segment is that of its interfaces, and leaves its nodes less for the tunnel", () => {
  const { nodes } = buildPlan(resolved(homes({ lan: "mtu: 1400" })), { capture: false });
  const planned = nodes.flatMap(({ name, setup }) =>
    setup.interfaces.map(({ segment, mtuOctets }) => [name, segment, mtuOctets]),
  );
  expect(planned.filter(([, , mtuOctets]) => mtuOctets !== undefined)).toEqual([
    ["nat-a", "home", 1400],
    ["mn", "home", 1400],
  ]);
  const tunMtuOf = (of: string) => nodes.find(({ name }) => name === of)?.setup.role;
  expect(tunMtuOf("mn")).toMatchObject({ tunMtu: 1372 });
  expect(tunMtuOf("cn")).toMatchObject({ tunMtu: 1452 });
});

describe("an MTU that is wrong", () => {
  test.each([
    [{ lan: "mtu: 575" }, "segments.home.mtu: expected a number of at least 576; found 575"],
    [
      { links: "nat-a/internet: { mtu: 1501 }" },
      "links.nat-a/internet.mtu: expected a number of at most 1500; found 1501",
    ],
    [
      { lan: 'ipv6: "fd00::/64", mtu: 1279' },
      "segments.home.mtu: expected an MTU of at least 1280 where IPv6 runs; found 1279 on segment home; raise it, or leave IPv6 out there",
    ],
    [
      { links: "cn/internet: { mtu: 1124 }" },
      "links.cn/internet.mtu: expected an MTU of at least 1280 where IPv6 runs; found 1124 on link cn/internet; raise it, or leave IPv6 out there",
    ],
    [
      { links: "nat-a/internet: { tooBig: drop }" },
      "links.nat-a/internet.tooBig: expected `mtu` beside `tooBig`; found none; add it, or remove `tooBig`",
    ],
    [
      { traffic: "{ kind: ping, size: 1200 }" },
      "sessions[0].traffic.size: expected `kind: echo` beside `size`; found ping; change it, or remove `size`",
    ],
    [
      { traffic: "{ kind: none, rate: 5 }" },
      "sessions[0].traffic.rate: expected `kind: echo` or `kind: ping` beside `rate`; found none; change it, or remove `rate`",
    ],
  ])("%j is reported", (parts, message) => {
    expect(messagesOf(homes(parts))).toEqual([message]);
  });
});

test("traffic has its size and pace, or the testbed's", () => {
  const sessionsOf = (traffic: string) => resolved(homes({ traffic })).sessions;
  expect(sessionsOf("{ size: 1200, rate: 25 }")).toMatchObject([
    { traffic: "echo", pace: { sizeBytes: 1200, perSec: 25 } },
  ]);
  expect(sessionsOf("ping")).toEqual([{ name: "mn-cn", from: "mn", to: "cn", traffic: "ping" }]);
});
