import { describe, expect, test } from "vitest";
import { planProbes } from "../../../../orchestrator/plan/probe-plan.ts";
import { drawTopology } from "../../../../orchestrator/report/html/topology-picture.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

/** A mobile node on two segments, each behind a separate router, and a peer behind a port-restricted NAT. */
function twoInterfaces(wlan: string, mobile: string, { segments = "", mn = "" } = {}): string {
  return topologyText({
    segments:
      segments || "wlan: { ipv4: 192.168.1.0/24 }, mobile: { ipv4: 10.0.0.0/24 }, cafe: { ipv4: 192.168.1.0/24 }",
    nodes: `${HOME_AGENTS},
      one: { role: router, wan: internet, lan: wlan, ${wlan} },
      two: { role: router, wan: internet, lan: mobile, ${mobile} },
      nat-b: { role: router, wan: internet, lan: cafe, nat: port-restricted-cone },
      mn: { role: mobile-node, on: [wlan, mobile], homeAgent: ha-a ${mn} },
      cn: { role: correspondent-node, on: cafe, homeAgent: ha-b }`,
    rest: "sessions: [{ from: mn, to: cn }]",
  });
}

function predict(text: string) {
  const topology = resolved(text);
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
}

describe("a mobile node on two segments", () => {
  test("has an address on each, and a way out by each", () => {
    const mn = nodeOf(resolved(twoInterfaces("nat: symmetric", "nat: symmetric")), "mn");
    expect(mn.interfaces.map(({ ipv4 }) => ipv4)).toEqual(["192.168.1.2/24", "10.0.0.2/24"]);
    expect(mn.routes).toEqual([
      { to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "wlan" },
      { to: "0.0.0.0/0", via: "10.0.0.1", interfaceName: "mobile" },
    ]);
  });

  test.each([
    ["nat: symmetric", "nat: home-router", "direct", ["server-reflexive", "server-reflexive"]],
    ["nat: home-router", "nat: symmetric", "direct", ["server-reflexive", "server-reflexive"]],
    ["nat: symmetric", "nat: symmetric", "home-agents", ["relayed", "relayed"]],
  ])("behind %s and %s: %s", (wlan, mobile, path, selected) => {
    expect(predict(twoInterfaces(wlan, mobile))).toMatchObject({ path, selected });
  });

  const BLOCKED = "nat: port-restricted-cone, firewall: udp-blocked";

  test.each([
    [BLOCKED, "nat: port-restricted-cone", "direct"],
    ["nat: port-restricted-cone", BLOCKED, "direct"],
    [BLOCKED, BLOCKED, "none"],
  ])("registers by the segment that lets it: behind %s and %s the path is %s", (wlan, mobile, path) => {
    expect(predict(twoInterfaces(wlan, mobile)).path).toBe(path);
  });

  test("has no way to its home agent by a segment without a router, though that is the preferred one", () => {
    const network = (on: string) =>
      topologyText({
        segments: "bridge: { ipv4: 10.99.0.0/24 }, lan: { ipv4: 192.168.1.0/24 }",
        nodes: `${HOME_AGENTS},
          nat-a: { role: router, wan: internet, lan: lan, nat: port-restricted-cone },
          mn: { role: mobile-node, on: ${on}, homeAgent: ha-a },
          cn: { role: correspondent-node, on: internet, homeAgent: ha-b }`,
        rest: "sessions: [{ from: mn, to: cn }]",
      });
    expect(predict(network("[bridge, lan]"))).toMatchObject({
      path: "direct",
      selected: ["server-reflexive", "host"],
    });
    expect(issuesOf(network("bridge"))[0]).toContain("expected a way from mn to its home agent ha-a");
  });

  test("asks both middleboxes what they do, each from its own segment", () => {
    const { probes, notProbed } = planProbes(resolved(twoInterfaces("nat: symmetric", "nat: full-cone")));
    expect(notProbed).toEqual([]);
    expect(
      probes.filter(({ node }) => node === "mn").map(({ router, local, through }) => [router, local, through]),
    ).toEqual([
      ["one", "192.168.1.2", ["one"]],
      ["two", "10.0.0.2", ["two"]],
    ]);
  });

  test("may name the gateway of one segment; the other keeps its own", () => {
    const mn = nodeOf(resolved(twoInterfaces("nat: symmetric", "nat: symmetric", { mn: ", gateway: two" })), "mn");
    expect(mn.routes.map(({ via }) => via)).toEqual(["192.168.1.1", "10.0.0.1"]);
  });

  test("cannot be on two segments of one network, nor twice on one", () => {
    const segments = "wlan: { ipv4: 192.168.1.0/24 }, mobile: { ipv4: 192.168.0.0/16 }, cafe: { ipv4: 10.0.0.0/24 }";
    expect(issuesOf(twoInterfaces("nat: symmetric", "nat: symmetric", { segments })).join("\n")).toMatch(
      /t\.yaml:\d+:\d+ nodes\.mn\.on\[1\]: expected a network of its own on each segment of mn; found 192\.168\.0\.0\/16 on mobile and 192\.168\.1\.0\/24 on wlan/,
    );
    expect(
      issuesOf(twoInterfaces("nat: symmetric", "nat: symmetric").replace("[wlan, mobile]", "[wlan, wlan]")).join("\n"),
    ).toContain("expected another segment; mn is on wlan already");
  });

  test("stands once in the picture, under one segment, and names the other", () => {
    const picture = String(drawTopology(resolved(twoInterfaces("nat: symmetric", "nat: symmetric"))));
    expect(picture.match(/>mn</g)).toHaveLength(1);
    expect(picture).toContain("also on mobile");
    expect(picture.match(/>mobile</g)).toHaveLength(1);
  });
});

describe("a home agent on two segments", () => {
  const text = topologyText({
    segments: 'backbone: { ipv6: "2001:db8:9::/64" }, office: { ipv4: 10.0.0.0/24 }, yard: { ipv4: 10.0.1.0/24 }',
    nodes: `one: { role: router, wan: internet, lan: office, nat: none }, two: { role: router, wan: internet, lan: yard, nat: none },
      ha-a: { role: home-agent, on: [office, yard, backbone], homePrefix: "2001:db8:a::/64" },
      ha-b: { role: home-agent, on: [internet, backbone], homePrefix: "2001:db8:b::/64" }`,
  });

  test("listens on all of them, has one way out, and finds other home networks by the segment that they share", () => {
    const homeAgent = nodeOf(resolved(text), "ha-a");
    expect(homeAgent).toMatchObject({ listen: ["10.0.0.2", "10.0.1.2", "2001:db8:9::2"] });
    expect(homeAgent.routes).toEqual([
      { to: "2001:db8:b::/64", via: "2001:db8:9::3", interfaceName: "backbone" },
      { to: "0.0.0.0/0", via: "10.0.0.1", interfaceName: "office" },
    ]);
  });
});
