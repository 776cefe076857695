import { describe, expect, test } from "vitest";
import { buildPlan } from "../../../../orchestrator/plan/build-plan.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

const MOBILE = `ha-a: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" },
  nat-a: { role: router, wan: internet, lan: home, nat: port-restricted-cone },
  mn: { role: mobile-node, on: home, homeAgent: ha-a }`;
const HOME = "home: { ipv4: 192.168.1.0/24 }";
const OFFICE = 'office: { ipv4: 198.18.2.0/24, ipv6: "2001:db8:2:1::/64" }';

function withStationary(nodes: string, { session = "{ from: mn, to: cn }", segments = "" } = {}): string {
  return topologyText({
    segments: `${HOME}, ${segments}`,
    nodes: `${MOBILE}, ${nodes}`,
    rest: `sessions: [${session}]`,
  });
}

function predict(text: string) {
  const topology = resolved(text);
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
}

describe("a stationary node", () => {
  test("is known by its own IPv6 address, and sends what is for home prefixes through its TUN device", () => {
    const topology = resolved(withStationary("cn: { role: stationary-node, on: internet, stun: ha-a }"));
    expect(nodeOf(topology, "cn")).toMatchObject({
      address: "2001:db8:0:1::4",
      port: 40000,
      agent: { profile: "ice16" },
    });
    const spec = buildPlan(topology, { capture: false, autostart: true }).nodes.find(({ name }) => name === "cn");
    expect(spec).toMatchObject({ tun: true, sysctls: { "net.ipv6.conf.all.forwarding": "1" } });
    expect(spec?.setup.role).toMatchObject({
      type: "stationary-node",
      address: "2001:db8:0:1::4",
      homePrefixes: ["2001:db8:a::/64"],
      stunServers: ["198.18.0.2", "2001:db8:0:1::2"],
      localAddresses: ["2001:db8:0:1::4", "198.18.0.4"],
    });
    expect(spec?.setup.hosts).toContainEqual({ address: "2001:db8:0:1::4", name: "cn" });
  });

  test("of plain IPv6 is a host of the lab and nothing more", () => {
    const topology = resolved(
      withStationary("cn: { role: stationary-node, on: internet, speaks: ipv6 }", {
        session: "{ from: mn, to: cn, traffic: ping }",
      }),
    );
    const spec = buildPlan(topology, { capture: false }).nodes.find(({ name }) => name === "cn");
    expect(spec).toMatchObject({
      tun: false,
      sysctls: { "net.ipv6.conf.all.forwarding": "0" },
      setup: { role: { type: "host" } },
    });
  });

  test.each([
    [
      "on a segment without IPv6",
      withStationary("cn: { role: stationary-node, on: home }"),
      "nodes.cn.on: expected IPv6 on home, by which home agents reach cn; found none; give the segment `ipv6`",
    ],
    [
      "that asks a node which is no STUN server",
      withStationary("cn: { role: stationary-node, on: internet, stun: nat-a }"),
      "nodes.cn.stun: expected a home-agent or stun-server; found nat-a, which is a router; did you mean ha-a?",
    ],
    [
      "that would speak with another one",
      withStationary("cn: { role: stationary-node, on: internet }, sn: { role: stationary-node, on: internet }", {
        session: "{ from: cn, to: sn }",
      }),
      "sessions[0].to: expected a node with a home agent at one end of a session; found none; make cn or sn a mobile-node",
    ],
    [
      "to which no home agent has a way",
      withStationary("cn: { role: stationary-node, on: office }", { segments: OFFICE }),
      "sessions[0]: expected a way over IPv6 from ha-a to cn; ha-a has no route to 2001:db8:2:1::2; put both on one segment with `ipv6`, or routers between them",
    ],
    [
      "of plain Mobile IPv6 that begins",
      withStationary("cn: { role: stationary-node, on: internet, speaks: mobile-ipv6 }", {
        session: "{ from: cn, to: mn }",
      }),
      "sessions[0].from: expected a node that speaks M-ICE to begin a session; found cn, which speaks no M-ICE; let mn begin",
    ],
    [
      "of plain IPv6 that should answer echo traffic",
      withStationary("cn: { role: stationary-node, on: internet, speaks: ipv6 }"),
      "sessions[0].to: expected a node with a program that answers echo traffic; found cn, which is a kernel alone; write `traffic: ping`",
    ],
  ])("%s is refused", (_name, text, issue) => {
    expect(issuesOf(text).map((line) => line.replace(/^\S+ /, ""))).toContain(issue);
  });
});

describe("the model about a stationary node", () => {
  const behind = (firewall: string): string =>
    `fw-b: { role: router, wan: internet, lan: office, firewall: ${firewall} }, cn: { role: stationary-node, on: office }`;

  test.each([
    [
      "in the open",
      withStationary("cn: { role: stationary-node, on: internet }"),
      "direct",
      ["server-reflexive", "host"],
    ],
    [
      "that begins",
      withStationary("cn: { role: stationary-node, on: internet }", { session: "{ from: cn, to: mn }" }),
      "direct",
      ["host", "server-reflexive"],
    ],
    [
      "with IPv6 alone",
      withStationary("gw: { role: router, wan: internet, lan: six }, cn: { role: stationary-node, on: six }", {
        segments: 'six: { ipv6: "2001:db8:2:1::/64" }',
      }),
      "home-agents",
      ["relayed", "host"],
    ],
    [
      "behind a firewall with a rule for Mobility Headers",
      withStationary(behind('{ preset: stateful, pinholes: [{ protocol: mh, to: cn, from: "2001:db8:a::/64" }] }'), {
        segments: OFFICE,
      }),
      "direct",
      ["server-reflexive", "host"],
    ],
    [
      "behind a firewall that begins",
      withStationary(behind("stateful"), { segments: OFFICE, session: "{ from: cn, to: mn }" }),
      "direct",
      ["host", "server-reflexive"],
    ],
  ])("%s", (_name, text, path, selected) => {
    expect(predict(text)).toMatchObject({ path, selected });
  });

  test("that speaks plain Mobile IPv6: the offer is refused", () => {
    expect(predict(withStationary("cn: { role: stationary-node, on: internet, speaks: mobile-ipv6 }"))).toEqual({
      session: "mn-cn",
      path: "home-agents",
      why: ["cn knows no M-ICE and refuses the offer: the home agents carry the data."],
    });
  });

  test("behind a firewall without a rule for Mobility Headers: nobody hears the offer", () => {
    expect(predict(withStationary(behind("stateful"), { segments: OFFICE }))).toEqual({
      session: "mn-cn",
      path: "none",
      why: ["none: fw-b drops Mobility Headers that cn has not asked for, and there is no other signalling."],
    });
  });
});
