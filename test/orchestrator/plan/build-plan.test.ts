import { decodeSetup, encodeLine } from "@testbed/agent/control";
import { describe, expect, test } from "vitest";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import type { NodeSpec, Plan } from "../../../orchestrator/plan/plan.ts";
import { HOME_AGENTS, resolved, topologyText, twoHomes } from "../topology/sample.ts";

const homes = twoHomes("nat: { preset: port-restricted-cone, udpLifetime: 45s }", "nat: symmetric");

function nodeOf(plan: Plan, name: string): NodeSpec {
  const node = plan.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

test("a middlebox that rejects tells of each packet, and not of six and then one a second; others are left as they are", () => {
  const rejecting = "nat: home-router, firewall: { denied: reject }";
  const plan = buildPlan(resolved(twoHomes(rejecting, "nat: home-router")), { capture: true });
  const limits = { "net.ipv4.icmp_ratemask": "6160", "net.ipv6.icmp.ratemask": "0,3-127" };
  expect(nodeOf(plan, "nat-a").sysctls).toMatchObject(limits);
  expect(Object.keys(limits).filter((name) => name in nodeOf(plan, "nat-b").sysctls)).toEqual([]);
});

describe("the plan of two homes", () => {
  const plan = buildPlan(resolved(homes), { capture: true });

  test("has every segment and every node, and no host program", () => {
    expect(plan.topology).toBe("t");
    expect(plan.segments.map(({ name }) => name)).toEqual(["internet", "home-a", "home-b"]);
    expect(plan.nodes.map(({ name, segments }) => [name, ...segments])).toEqual([
      ["ha-a", "internet"],
      ["ha-b", "internet"],
      ["nat-a", "internet", "home-a"],
      ["nat-b", "internet", "home-b"],
      ["mn", "home-a"],
      ["cn", "home-b"],
    ]);
    expect(plan.programs).toEqual([]);
  });

  test("gives the mobile node its place, its home and its home agent", () => {
    expect(nodeOf(plan, "mn")).toMatchObject({
      tun: true,
      setup: {
        version: 1,
        node: "mn",
        interfaces: [{ segment: "home-a", interfaceName: "home-a", addresses: ["192.168.1.2/24"] }],
        routes: [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "home-a" }],
        rules: [],
        capture: true,
        role: {
          type: "mobile-node",
          homeAddress: "2001:db8:a::100",
          homeAgent: { address: "2001:db8:a::1", listen: ["198.18.0.2", "2001:db8:0:1::2"] },
          peers: ["2001:db8:b::100"],
          localAddresses: ["192.168.1.2"],
          port: 40000,
          profile: "ice16",
          tunMtu: 1472,
        },
      },
    });
  });

  test("shares a registration key between a mobile node and its home agent only", () => {
    const keys = (name: string) => {
      const { role } = nodeOf(plan, name).setup;
      return "registrationKeys" in role ? role.registrationKeys : {};
    };
    const mobile = nodeOf(plan, "mn").setup.role;
    expect("registrationKey" in mobile && mobile.registrationKey).toMatch(/^[0-9a-f]{40}$/);
    expect(keys("ha-a")).toEqual({ "2001:db8:a::100": "registrationKey" in mobile ? mobile.registrationKey : "" });
    expect(Object.keys(keys("ha-b"))).toEqual(["2001:db8:b::100"]);
  });

  test("middleboxes forward and remember UDP for their lifetime, home agents forward IPv6, mobile nodes nothing", () => {
    const forwarding = (name: string) => {
      const { sysctls } = nodeOf(plan, name);
      return [sysctls["net.ipv4.ip_forward"], sysctls["net.ipv6.conf.all.forwarding"]];
    };
    expect(forwarding("nat-a")).toEqual(["1", "1"]);
    expect(forwarding("ha-a")).toEqual(["0", "1"]);
    expect(forwarding("mn")).toEqual(["0", "0"]);
    expect(nodeOf(plan, "nat-a").sysctls).toMatchObject({
      "net.netfilter.nf_conntrack_udp_timeout": "45",
      "net.netfilter.nf_conntrack_udp_timeout_stream": "45",
    });
    expect(nodeOf(plan, "nat-a").setup.rules.map(({ tool }) => tool)).toEqual(["iptables", "ip6tables", "nft"]);
  });

  test("names stand for the addresses that everybody reaches", () => {
    const { hosts } = nodeOf(plan, "ha-a").setup;
    const of = (wanted: string) => hosts.filter(({ name }) => name === wanted).map(({ address }) => address);
    expect(of("ha-a")).toEqual(["198.18.0.2", "2001:db8:0:1::2"]);
    expect(of("nat-a")).toEqual(["198.18.0.4", "2001:db8:0:1::4"]);
    expect(of("mn")).toEqual(["2001:db8:a::100"]);
  });

  test("is the same for the same seed; another seed changes every node's", () => {
    expect(buildPlan(resolved(homes), { capture: true })).toEqual(plan);
    const seeds = (seed: number) =>
      buildPlan(resolved(homes, seed), { capture: true }).nodes.flatMap(({ setup }) =>
        "seed" in setup.role ? [setup.role.seed] : [],
      );
    expect(new Set([...seeds(1), ...seeds(2)]).size).toBe(8);
    for (const seed of seeds(1)) expect(seed).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is understood by the agent, node by node", () => {
    for (const { setup } of plan.nodes) {
      const interfaces = setup.interfaces.map((iface) => ({
        ...iface,
        find: { by: "name", name: iface.interfaceName } as const,
      }));
      const whole = { ...setup, interfaces };
      expect(decodeSetup(JSON.stringify(whole))).toEqual({ ok: true, value: whole });
      expect(encodeLine({ type: "setup", setup: whole })).not.toContain("undefined");
    }
  });
});

describe("the MTU between home addresses, over segments of 1500 octets", () => {
  const text = topologyText({
    segments: 'v4: { ipv4: 10.0.0.0/24 }, both: { ipv4: 10.0.1.0/24, ipv6: "2001:db8:1::/64" }',
    nodes: `${HOME_AGENTS},
      ha-6: { role: home-agent, on: [six], homePrefix: "2001:db8:6::/64" },
      one: { role: router, wan: internet, lan: [v4, both], nat: port-restricted-cone, firewall: open },
      stays: { role: mobile-node, on: v4, homeAgent: ha-a },
      moves: { role: mobile-node, on: v4, homeAgent: ha-a },
      six-node: { role: correspondent-node, on: both, homeAgent: ha-b }`,
    rest: "sessions: [{ from: moves, to: six-node }]\ntimeline: [{ at: 1s, move: moves, to: both }]",
  }).replace("segments: {", 'segments: { six: { ipv6: "2001:db8:9::/64" },');
  const plan = buildPlan(resolved(text), { capture: false });

  test.each([
    ["a node that has IPv4 alone", "stays", 1472],
    ["a node that will move to IPv6", "moves", 1452],
    ["a node that has both", "six-node", 1452],
    ["a home agent that has both: nothing that came over IPv4 is too large", "ha-a", 1472],
    ["a home agent that has IPv6 alone", "ha-6", 1452],
  ])("%s", (_name, node, mtu) => {
    expect(nodeOf(plan, node).setup.role).toMatchObject({ tunMtu: mtu });
  });
});

test("by hand, who offers a session connects by itself", () => {
  const plan = buildPlan(resolved(homes), { capture: false, autostart: true });
  const starting = plan.nodes.filter(({ setup }) => setup.autostart !== undefined);
  expect(starting.map(({ name, setup }) => [name, setup.autostart])).toEqual([
    ["mn", { connect: ["2001:db8:b::100"] }],
  ]);
});

test("on a dual-stack segment, IPv6 comes first", () => {
  const nodes = `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }`;
  const { role } = nodeOf(buildPlan(resolved(topologyText({ nodes })), { capture: false }), "mn").setup;
  expect("localAddresses" in role && role.localAddresses).toEqual(["2001:db8:0:1::4", "198.18.0.4"]);
});

test("a host is a node of ours that holds the network, and a host program that knows the lab's addresses", () => {
  const nodes = `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a },
    other-stack: { role: host, on: internet, image: "busybox:1", command: "ping $MICE_NODE_MN_HOME_ADDRESS", environment: { COUNT: 3, MICE_SELF: me } }`;
  const plan = buildPlan(resolved(topologyText({ nodes })), { capture: false });
  expect(nodeOf(plan, "other-stack")).toMatchObject({ tun: false, setup: { role: { type: "host" } } });
  expect(plan.programs).toEqual([
    {
      name: "other-stack",
      inside: "other-stack",
      source: { type: "image", image: "busybox:1" },
      command: ["/bin/sh", "-c", "ping $MICE_NODE_MN_HOME_ADDRESS"],
      environment: {
        MICE_SELF: "me",
        MICE_SELF_IPV4: "198.18.0.5",
        MICE_SELF_IPV6: "2001:db8:0:1::5",
        MICE_NODE_HA_A_IPV4: "198.18.0.2",
        MICE_NODE_HA_A_IPV6: "2001:db8:0:1::2",
        MICE_NODE_HA_B_IPV4: "198.18.0.3",
        MICE_NODE_HA_B_IPV6: "2001:db8:0:1::3",
        MICE_NODE_MN_IPV4: "198.18.0.4",
        MICE_NODE_MN_IPV6: "2001:db8:0:1::4",
        MICE_NODE_MN_HOME_ADDRESS: "2001:db8:a::100",
        MICE_NODE_OTHER_STACK_IPV4: "198.18.0.5",
        MICE_NODE_OTHER_STACK_IPV6: "2001:db8:0:1::5",
        MICE_STUN: "198.18.0.2:3478",
        COUNT: "3",
      },
    },
  ]);
});

describe("the plan of a link impairment", () => {
  const plan = (seed?: number): Plan =>
    buildPlan(
      resolved(
        `${homes}links: { nat-a/home-a: { delay: 20ms, out: { loss: 1% } }, nat-b/internet: { in: { rate: 1mbit } } }\n`,
        seed,
      ),
      { capture: true },
    );
  const segmentsOf = (from: Plan, name: string) => nodeOf(from, name).setup.interfaces;

  test("stands on the wire it belongs to, with a seed of its own", () => {
    const [internet, home] = segmentsOf(plan(), "nat-a");
    expect(internet).not.toHaveProperty("impairment");
    expect(home?.impairment).toMatchObject({ out: { delayMs: 20, lossRate: 0.01 }, in: { delayMs: 20 } });
    const other = segmentsOf(plan(), "nat-b")[0]?.impairment;
    expect(other).toMatchObject({ in: { rateBitPerSec: 1e6 } });
    expect(other).not.toHaveProperty("out");
    expect(home?.impairment?.seed).toMatch(/^[0-9a-f]{16}$/);
    expect(home?.impairment?.seed).not.toBe(other?.seed);
  });

  test("gives the node a TUN device, which it needs where the kernel cannot make the condition", () => {
    expect(plan().nodes.flatMap(({ name, tun }) => (tun ? [name] : []))).toEqual([
      "ha-a",
      "ha-b",
      "nat-a",
      "nat-b",
      "mn",
      "cn",
    ]);
  });

  test("draws from the run's seed", () => {
    const seedOf = (from: Plan) => segmentsOf(from, "nat-a")[1]?.impairment?.seed;
    expect(seedOf(plan())).toBe(seedOf(plan()));
    expect(seedOf(plan(99))).not.toBe(seedOf(plan()));
  });

  test("is a set-up that the agent takes as it is", () => {
    for (const { setup } of plan().nodes) {
      const interfaces = setup.interfaces.map((iface) => ({ ...iface, find: { by: "name", name: "eth0" } }));
      const decoded = decodeSetup(JSON.stringify({ ...setup, interfaces }));
      expect(decoded).toEqual({ ok: true, value: { ...setup, interfaces } });
    }
  });
});
