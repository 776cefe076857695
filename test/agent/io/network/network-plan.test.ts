import { describe, expect, test } from "vitest";
import type { InterfaceSetup, NodeSetup, RoleSetup } from "../../../../agent/src/control/messages.ts";
import {
  findInterfaces,
  hostsFile,
  linkLocalAddress,
  localIpv6Addresses,
  moveTexts,
  networkBatch,
  readdressTexts,
  ruleBatch,
} from "../../../../agent/src/io/network/network-plan.ts";

const internet: InterfaceSetup = {
  segment: "internet",
  interfaceName: "internet",
  find: { by: "address", address: "10.200.0.2" },
  mac: "02:00:00:00:00:01",
  addresses: ["198.18.0.1/24", "2001:db8::1/64"],
};
const homeLan: InterfaceSetup = {
  segment: "home-lan",
  interfaceName: "home-lan",
  find: { by: "address", address: "10.200.1.2" },
  mac: "02:00:00:00:00:02",
  addresses: ["192.168.1.1/24"],
};

const setup = (role: RoleSetup, change: Partial<NodeSetup> = {}): NodeSetup => ({
  version: 1,
  node: "n",
  interfaces: [internet, homeLan],
  routes: [],
  rules: [],
  hosts: [],
  capture: false,
  role,
  ...change,
});

const mobileNode: RoleSetup = {
  type: "mobile-node",
  homeAddress: "2001:db8:a::2",
  homeAgent: { address: "2001:db8:a::1", listen: ["198.18.0.10"] },
  localAddresses: ["2001:db8::1"],
  port: 4191,
  profile: "ice16",
  timers: {},
  tunMtu: 1400,
  seed: "00",
};
const homeAgent: RoleSetup = {
  type: "home-agent",
  address: "2001:db8:a::1",
  homePrefix: "2001:db8:a::/64",
  listen: ["198.18.0.1"],
  registrationKeys: {},
  tunMtu: 1400,
  seed: "00",
};

const batch = (value: NodeSetup, names: readonly string[] = ["eth0", "eth1"]): string =>
  networkBatch(
    value,
    value.interfaces.map((iface, i) => ({ iface, currentName: names[i] ?? "" })),
  );

describe("the network plan of a node", () => {
  test("a middlebox: stripped, renamed, addressed before its links go up, then routed", () => {
    const routes = [{ to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "internet" }];
    expect(batch(setup({ type: "router" }, { routes }))).toBe(`link set dev lo up
link set dev eth0 down
link set dev eth1 down
link set dev eth0 name internet address 02:00:00:00:00:01 addrgenmode none
addr flush dev internet
link set dev eth1 name home-lan address 02:00:00:00:00:02 addrgenmode none
addr flush dev home-lan
addr add fe80::ff:fe00:1/64 dev internet nodad
addr add 198.18.0.1/24 dev internet
addr add 2001:db8::1/64 dev internet nodad
addr add fe80::ff:fe00:2/64 dev home-lan nodad
addr add 192.168.1.1/24 dev home-lan
link set dev internet up
link set dev home-lan up
route add 0.0.0.0/0 via 198.18.0.254 dev internet
`);
  });

  test("a default route without a next hop leads to the edge: a neighbour that need not be asked for, and is nobody", () => {
    const routes = ["0.0.0.0/0", "::/0"].map((to) => ({ to, interfaceName: "internet" }));
    expect(
      batch(setup({ type: "router" }, { routes }))
        .split("\n")
        .slice(-5, -1),
    ).toEqual([
      "neigh replace 169.254.0.1 lladdr 02:ff:ff:ff:ff:ff dev internet nud permanent",
      "neigh replace fe80::1 lladdr 02:ff:ff:ff:ff:ff dev internet nud permanent",
      "route add 0.0.0.0/0 via 169.254.0.1 dev internet onlink",
      "route add ::/0 via fe80::1 dev internet onlink",
    ]);
  });

  test("interfaces whose names are each other's segments change them through interim names", () => {
    expect(
      batch(setup({ type: "router" }), ["home-lan", "internet"])
        .split("\n")
        .slice(1, 7),
    ).toEqual([
      "link set dev home-lan down",
      "link set dev home-lan name rename0",
      "link set dev internet down",
      "link set dev internet name rename1",
      "link set dev rename0 name internet address 02:00:00:00:00:01 addrgenmode none",
      "addr flush dev internet",
    ]);
  });

  test("an interface that has its name already keeps it", () => {
    const commands = batch(setup({ type: "host" }, { interfaces: [internet] }), ["internet"]);
    expect(commands).toContain("link set dev internet name internet address 02:00:00:00:00:01 addrgenmode none\n");
    expect(commands).not.toContain("rename");
  });

  test("a home agent has its address and the home prefix on the TUN device", () => {
    expect(
      batch(setup(homeAgent, { interfaces: [internet] }))
        .split("\n")
        .slice(-5, -1),
    ).toEqual([
      "link set dev internet up",
      "link set dev tun0 mtu 1400 txqueuelen 5000 addrgenmode none",
      "addr add 2001:db8:a::1/64 dev tun0 nodad",
      "link set dev tun0 up",
    ]);
  });

  test("a mobile node sends home traffic through the TUN device, from the home address", () => {
    const routes = [{ to: "0.0.0.0/0", via: "192.168.1.254", interfaceName: "home-lan" }];
    expect(
      batch(setup(mobileNode, { interfaces: [homeLan], routes }))
        .split("\n")
        .slice(-6, -1),
    ).toEqual([
      "link set dev tun0 mtu 1400 txqueuelen 5000 addrgenmode none",
      "addr add 2001:db8:a::2/128 dev tun0 nodad",
      "link set dev tun0 up",
      "route add ::/0 dev tun0 src 2001:db8:a::2",
      "route add 0.0.0.0/0 via 192.168.1.254 dev home-lan",
    ]);
  });

  test("IPv6 care-of addresses keep the default route of their own segment", () => {
    const office = { ...internet, segment: "office", interfaceName: "office", addresses: ["2001:db8:1::9/64"] };
    const routes = [
      { to: "::/0", via: "2001:db8::ffff", interfaceName: "internet" },
      { to: "::/0", via: "2001:db8:1::ffff", interfaceName: "office" },
      { to: "2001:db8:2::/64", via: "2001:db8::ffff", interfaceName: "internet" },
    ];
    const node = setup(mobileNode, { interfaces: [internet, office], routes });
    const commands = batch(node).split("\n");
    expect(commands.slice(commands.indexOf("route add ::/0 dev tun0 src 2001:db8:a::2") + 1, -1)).toEqual([
      "route add ::/0 via 2001:db8::ffff dev internet table 100",
      "route add ::/0 via 2001:db8:1::ffff dev office table 101",
      "route add 2001:db8:2::/64 via 2001:db8::ffff dev internet",
    ]);
    expect(ruleBatch(node)).toBe(`rule add from 2001:db8::1/128 lookup main suppress_prefixlength 0 preference 1000
rule add from 2001:db8::1/128 lookup 100 preference 1001
rule add from 2001:db8:1::9/128 lookup main suppress_prefixlength 0 preference 1000
rule add from 2001:db8:1::9/128 lookup 101 preference 1001
`);
  });

  test("a stationary node gets signalling and packets for home addresses through the TUN device, and nothing else", () => {
    const stationary: RoleSetup = {
      type: "stationary-node",
      address: "2001:db8::1",
      homePrefixes: ["2001:db8:a::/64"],
      stunServers: [],
      localAddresses: ["2001:db8::1", "198.18.0.1"],
      port: 40000,
      profile: "ice16",
      timers: {},
      tunMtu: 1400,
      seed: "00",
    };
    const routes = [
      { to: "2001:db8:a::/64", via: "2001:db8::10", interfaceName: "internet" },
      { to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "internet" },
      { to: "::/0", via: "2001:db8::ffff", interfaceName: "internet" },
    ];
    const node = setup(stationary, { interfaces: [internet], routes });
    const commands = batch(node).split("\n");
    expect(commands.slice(commands.indexOf("link set dev tun0 mtu 1400 txqueuelen 5000 addrgenmode none"), -1)).toEqual(
      [
        "link set dev tun0 mtu 1400 txqueuelen 5000 addrgenmode none",
        "link set dev tun0 up",
        "route add 2001:db8:a::/64 dev tun0 src 2001:db8::1",
        "route add ::/0 dev tun0 table 99",
        "route add 2001:db8:a::/64 via 2001:db8::10 dev internet table 98",
        "route add 0.0.0.0/0 via 198.18.0.254 dev internet",
        "route add ::/0 via 2001:db8::ffff dev internet",
        "route add ::/0 via 2001:db8::ffff dev internet table 98",
      ],
    );
    expect(ruleBatch(node)).toBe(
      `rule add to 2001:db8::1/128 iif internet ipproto mobility-header lookup 99 preference 100
rule add to 2001:db8::1/128 iif internet ipproto ipv6-frag lookup 99 preference 100
rule add lookup local preference 200
rule add iif tun0 lookup 98 preference 300
rule del preference 0
`,
    );
  });

  test("of several IPv4 ways out the first serves all, and each other one the addresses of its segment", () => {
    const routes = [
      { to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "internet" },
      { to: "0.0.0.0/0", via: "192.168.1.254", interfaceName: "home-lan" },
    ];
    expect(batch(setup(mobileNode, { routes })).trim().split("\n").slice(-4)).toEqual([
      "route add 0.0.0.0/0 via 198.18.0.254 dev internet",
      "route add 0.0.0.0/0 via 192.168.1.254 dev home-lan table 101",
      "rule add from 192.168.1.1/32 lookup main suppress_prefixlength 0 preference 1000",
      "rule add from 192.168.1.1/32 lookup 101 preference 1001",
    ]);
  });

  test("a node without home address, or without IPv6 on its segments, needs no rules", () => {
    const routes = [{ to: "::/0", via: "2001:db8::ffff", interfaceName: "internet" }];
    expect(ruleBatch(setup({ type: "router" }, { routes }))).toBe("");
    expect(ruleBatch(setup(mobileNode, { interfaces: [homeLan] }))).toBe("");
  });
});

describe("a node that moves from one segment to another", () => {
  const before = setup(mobileNode, {
    interfaces: [internet, { ...homeLan, isStandby: true }],
    routes: [{ to: "::/0", via: "2001:db8::ffff", interfaceName: "internet" }],
  });
  const after = setup(mobileNode, {
    interfaces: [{ ...internet, isStandby: true }, homeLan],
    routes: [{ to: "0.0.0.0/0", via: "192.168.1.254", interfaceName: "home-lan" }],
  });

  test("has an interface on the other one that is up, has no address and answers no ARP", () => {
    expect(batch(before)).toContain("link set dev home-lan arp off\n");
    expect(batch(before)).toContain("link set dev home-lan up\n");
    expect(batch(before)).not.toMatch(/addr add \S+ dev home-lan/);
    expect(localIpv6Addresses(before)).toEqual(["fe80::ff:fe00:1", "2001:db8::1", "2001:db8:a::2"]);
  });

  test("leaves the one with everything it has there before it takes its place on the other", () => {
    expect(moveTexts(before, after)).toEqual({
      ipv6Before: `rule del from 2001:db8::1/128 lookup main suppress_prefixlength 0 preference 1000
rule del from 2001:db8::1/128 lookup 100 preference 1001
`,
      both: `route del ::/0 via 2001:db8::ffff dev internet table 100
addr flush dev internet
link set dev internet arp off
link set dev home-lan arp on
addr add fe80::ff:fe00:2/64 dev home-lan nodad
addr add 192.168.1.1/24 dev home-lan
route replace 0.0.0.0/0 via 192.168.1.254 dev home-lan
`,
      ipv6After: "",
    });
  });

  test("makes the edge of its place known again, which it forgot with ARP off", () => {
    const open = { ...before, routes: [{ to: "0.0.0.0/0", interfaceName: "internet" }] };
    expect(moveTexts(open, after).both).toMatch(/^route del 0\.0\.0\.0\/0 via 169\.254\.0\.1 dev internet onlink\n/);
    expect(moveTexts(after, open).both.split("\n").slice(-3)).toEqual([
      "neigh replace 169.254.0.1 lladdr 02:ff:ff:ff:ff:ff dev internet nud permanent",
      "route replace 0.0.0.0/0 via 169.254.0.1 dev internet onlink",
      "",
    ]);
  });

  test("finds everything as it was when it comes back", () => {
    expect(moveTexts(after, before).ipv6After).toBe(ruleBatch(before));
  });
});

test("the IPv6 addresses of a node are those of its segments, link-local ones included, and its home address", () => {
  expect(localIpv6Addresses(setup(mobileNode))).toEqual([
    "fe80::ff:fe00:1",
    "2001:db8::1",
    "fe80::ff:fe00:2",
    "2001:db8:a::2",
  ]);
});

describe("finding interfaces", () => {
  const present = [
    { name: "lo", addresses: ["127.0.0.1"] },
    { name: "eth1", addresses: ["10.200.0.2", "fd00::2"] },
    { name: "eth0", addresses: ["10.200.1.2"] },
  ];

  test("goes by the engine's throwaway address, whatever the order", () => {
    expect(findInterfaces([internet, homeLan], present)).toEqual({
      ok: true,
      found: [
        { iface: internet, currentName: "eth1" },
        { iface: homeLan, currentName: "eth0" },
      ],
    });
  });

  test("takes a name as it is: an interface that is down shows no addresses", () => {
    const named: InterfaceSetup = { ...internet, find: { by: "name", name: "internet" } };
    expect(findInterfaces([named], present)).toEqual({ ok: true, found: [{ iface: named, currentName: "internet" }] });
  });

  test("tells which segments have none", () => {
    expect(findInterfaces([internet, homeLan], present.slice(0, 2))).toEqual({ ok: false, missing: [homeLan] });
  });
});

test.each([
  ["02:00:00:00:00:01", "fe80::ff:fe00:1"],
  ["02:42:0a:c8:00:02", "fe80::42:aff:fec8:2"],
  ["52:54:00:12:34:56", "fe80::5054:ff:fe12:3456"],
])("the link-local address of %s is %s", (mac, address) => {
  expect(linkLocalAddress(mac)).toBe(address);
});

test("/etc/hosts has the loopback names and every node", () => {
  expect(hostsFile([{ address: "2001:db8:a::2", name: "mn" }])).toBe(
    "127.0.0.1\tlocalhost\n::1\tlocalhost\n2001:db8:a::2\tmn\n",
  );
});

describe("other addresses on the same segment", () => {
  const routes = [
    { to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "internet" },
    { to: "::/0", via: "2001:db8::ffff", interfaceName: "internet" },
  ];
  const at = (addresses: readonly string[]): NodeSetup =>
    setup(mobileNode, { interfaces: [{ ...internet, addresses }], routes });

  test("replace the old ones, with the routes that the kernel removed with them and the rules of their care-of addresses", () => {
    const [before, after] = [at(["198.18.0.1/24", "2001:db8::1/64"]), at(["198.18.0.9/24", "2001:db8::9/64"])];
    expect(readdressTexts(before, after)).toEqual({
      ipv6Before: `rule del from 2001:db8::1/128 lookup main suppress_prefixlength 0 preference 1000
rule del from 2001:db8::1/128 lookup 100 preference 1001
`,
      both: `addr del 198.18.0.1/24 dev internet
addr del 2001:db8::1/64 dev internet
addr replace 198.18.0.9/24 dev internet
addr replace 2001:db8::9/64 dev internet nodad
route replace 0.0.0.0/0 via 198.18.0.254 dev internet
route replace ::/0 via 2001:db8::ffff dev internet table 100
`,
      ipv6After: `rule add from 2001:db8::9/128 lookup main suppress_prefixlength 0 preference 1000
rule add from 2001:db8::9/128 lookup 100 preference 1001
`,
    });
  });

  test("may stand beside the old ones, of which none is touched", () => {
    const { both } = readdressTexts(at(["2001:db8::1/64"]), at(["2001:db8::9/64", "2001:db8::1/64"]));
    expect(both).toContain("addr replace 2001:db8::9/64 dev internet nodad\n");
    expect(both).not.toContain("2001:db8::1/64");
  });

  test("of IPv4 are set again when the first one of their network goes, since the kernel removes them with it", () => {
    const { both } = readdressTexts(at(["198.18.0.1/24", "198.18.0.9/24"]), at(["198.18.0.9/24"]));
    expect(both.split("\n").slice(0, 2)).toEqual([
      "addr del 198.18.0.1/24 dev internet",
      "addr replace 198.18.0.9/24 dev internet",
    ]);
  });
});
