import { describe, expect, test } from "vitest";
import type { NodeSetup } from "../../../../agent/src/control/messages.ts";
import {
  findLeaks,
  type NodeView,
  parseIpv4Routes,
  parseIpv6Routes,
} from "../../../../agent/src/io/network/isolation-plan.ts";
import { MOBILE_ROLE } from "../../../support/mobile-role.ts";

const mobileNode: NodeSetup = {
  version: 1,
  node: "mn",
  interfaces: [
    {
      segment: "home-lan",
      interfaceName: "home-lan",
      find: { by: "name", name: "eth0" },
      mac: "02:00:00:00:00:01",
      addresses: ["192.168.1.2/24", "2001:db8:1::2/64"],
    },
  ],
  routes: [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "home-lan" }],
  rules: [],
  hosts: [],
  capture: false,
  role: MOBILE_ROLE,
};

const asPlanned: NodeView = {
  addresses: [
    { interfaceName: "home-lan", address: "192.168.1.2" },
    { interfaceName: "home-lan", address: "2001:db8:1::2" },
    { interfaceName: "home-lan", address: "fe80::ff:fe00:1" },
    { interfaceName: "tun0", address: "2001:db8:a::2" },
  ],
  routes: [
    { to: "0.0.0.0/0", interfaceName: "home-lan" },
    { to: "192.168.1.0/24", interfaceName: "home-lan" },
    { to: "2001:db8:1::/64", interfaceName: "home-lan" },
    { to: "fe80::/64", interfaceName: "home-lan" },
    { to: "2001:db8:a::2/128", interfaceName: "tun0" },
    { to: "::/0", interfaceName: "tun0" },
  ],
  nameServer: "refused",
};

describe("the proof that a node reaches nothing outside", () => {
  test("holds for a node that is what the topology says", () => {
    expect(findLeaks(mobileNode, asPlanned)).toEqual([]);
  });

  test("holds for a stationary node, whose TUN device has routes and no address", () => {
    const stationary: NodeSetup = {
      ...mobileNode,
      role: {
        type: "stationary-node",
        address: "2001:db8:1::2",
        homePrefixes: ["2001:db8:a::/64"],
        stunServers: [],
        localAddresses: ["2001:db8:1::2"],
        port: 4191,
        profile: "ice16",
        timers: {},
        tunMtu: 1400,
        seed: "00",
      },
    };
    const view: NodeView = {
      ...asPlanned,
      addresses: asPlanned.addresses.filter(({ interfaceName }) => interfaceName !== "tun0"),
      routes: [
        ...asPlanned.routes.filter(({ to }) => to !== "2001:db8:a::2/128"),
        { to: "2001:db8:a::/64", interfaceName: "tun0" },
      ],
    };
    expect(findLeaks(stationary, view)).toEqual([]);
    expect(findLeaks(stationary, asPlanned)).toEqual([
      "interface tun0 has 2001:db8:a::2, which the topology does not give it",
      "route 2001:db8:a::2/128 dev tun0 is not in the topology",
    ]);
  });

  test.each<{ what: string; view: NodeView; leak: string }>([
    {
      what: "the engine's default route",
      view: { ...asPlanned, routes: [...asPlanned.routes, { to: "0.0.0.0/0", interfaceName: "eth1" }] },
      leak: "route 0.0.0.0/0 dev eth1 is not in the topology",
    },
    {
      what: "an IPv6 default route that the topology does not have",
      view: { ...asPlanned, routes: [...asPlanned.routes, { to: "::/0", interfaceName: "home-lan" }] },
      leak: "route ::/0 dev home-lan is not in the topology",
    },
    {
      what: "the engine's address on a segment",
      view: { ...asPlanned, addresses: [...asPlanned.addresses, { interfaceName: "home-lan", address: "10.200.0.2" }] },
      leak: "interface home-lan has 10.200.0.2, which the topology does not give it",
    },
    {
      what: "a name server that answers",
      view: { ...asPlanned, nameServer: "answered" },
      leak: "the engine's name server 127.0.0.11 answers",
    },
    {
      what: "a name server that takes the question",
      view: { ...asPlanned, nameServer: "silent" },
      leak: "the engine's name server 127.0.0.11 takes questions",
    },
  ])("fails for $what", ({ view, leak }) => {
    expect(findLeaks(mobileNode, view)).toEqual([leak]);
  });
});

test("IPv4 routes are read as the kernel prints them", () => {
  const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
internet\t00000000\tFE0012C6\t0003\t0\t0\t0\t00000000\t0\t0\t0
internet\t000012C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
home-lan\t00006440\t00000000\t0001\t0\t0\t0\t0000C0FF\t0\t0\t0
`;
  expect(parseIpv4Routes(table)).toEqual([
    { to: "0.0.0.0/0", interfaceName: "internet" },
    { to: "198.18.0.0/24", interfaceName: "internet" },
    { to: "64.100.0.0/10", interfaceName: "home-lan" },
  ]);
  expect(parseIpv4Routes("")).toEqual([]);
});

test("IPv6 routes are read without own addresses, refusals, anycast and multicast", () => {
  const zero = "0".repeat(32);
  const line = (to: string, length: string, flags: string, name: string): string =>
    `${to} ${length} ${zero} 00 ${zero} 00000100 00000001 00000000 ${flags} ${name.padStart(8)}\n`;
  const table =
    line("20010db8000000000000000000000000", "40", "00000001", "internet") +
    line(zero, "00", "00000003", "internet") +
    line("20010db8000000000000000000000001", "80", "80200001", "internet") +
    line("20010db8000000000000000000000000", "80", "80300001", "internet") +
    line("ff000000000000000000000000000000", "08", "00000001", "internet") +
    line(zero, "00", "00200200", "lo");
  expect(parseIpv6Routes(table)).toEqual([
    { to: "2001:db8::/64", interfaceName: "internet" },
    { to: "::/0", interfaceName: "internet" },
  ]);
  expect(parseIpv6Routes("")).toEqual([]);
});
