import { describe, expect, test } from "vitest";
import { buildPlan } from "../../../../orchestrator/plan/build-plan.ts";
import { renderRules } from "../../../../orchestrator/render/rules.ts";
import { describeMiddlebox } from "../../../../orchestrator/topology/describe/describe-middlebox.ts";
import { outsideAddresses } from "../../../../orchestrator/topology/model/outside.ts";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, routerOf, topologyText, twoHomes } from "../sample.ts";

const natOf = (nat: string) => routerOf(resolved(twoHomes(`nat: ${nat}`, "nat: symmetric")), "nat-a");
const addressesOf = (nat: string) => outsideAddresses(natOf(nat)).map(({ ip }) => ip);

/** A gateway with two uplinks, the second behind a router. */
function twoUplinks(nat: string, more = ""): string {
  return topologyText({
    segments: "isp-two: { ipv4: 198.18.7.0/24 }, home: { ipv4: 192.168.1.0/24 }",
    nodes: `${HOME_AGENTS},
      core: { role: router, wan: internet, lan: isp-two },
      nat-a: { role: router, wan: [internet, isp-two], lan: home, ${nat} },
      mn: { role: mobile-node, on: home, homeAgent: ha-a } ${more}`,
  });
}

describe("several outside addresses", () => {
  test("a number of them: the router's own, and the first that are free, which shift no other", () => {
    const before = resolved(twoHomes("nat: symmetric", "nat: symmetric"));
    const topology = resolved(twoHomes("nat: { preset: symmetric, addresses: 3 }", "nat: symmetric"));
    expect(outsideAddresses(routerOf(topology, "nat-a")).map(({ ip }) => ip)).toEqual([
      "198.18.0.4",
      "198.18.0.6",
      "198.18.0.7",
    ]);
    expect(nodeOf(topology, "nat-b").interfaces).toEqual(nodeOf(before, "nat-b").interfaces);
  });

  test("a list: the first is the router's own, and nobody else gets one of them", () => {
    expect(addressesOf("{ preset: symmetric, addresses: [198.18.0.9, 198.18.0.2] }")).toEqual([
      "198.18.0.9",
      "198.18.0.2",
    ]);
    const topology = resolved(
      twoHomes("nat: { preset: symmetric, addresses: [198.18.0.9, 198.18.0.2] }", "nat: symmetric"),
    );
    expect(nodeOf(topology, "ha-a").interfaces[0]?.ipv4).toBe("198.18.0.3/24");
  });

  test("the interface has them all, and each has tables of its own", () => {
    const topology = resolved(
      twoHomes("nat: { preset: symmetric, addresses: 2, pooling: arbitrary }", "nat: symmetric"),
    );
    const spec = buildPlan(topology, { capture: false }).nodes.find(({ name }) => name === "nat-a");
    expect(spec?.setup.interfaces[0]?.addresses).toEqual(["198.18.0.4/24", "2001:db8:0:1::4/64", "198.18.0.6/24"]);
    const text = renderRules(routerOf(topology, "nat-a")).find(({ tool }) => tool === "nft")?.text ?? "";
    expect([...text.matchAll(/^table ip (\S+) \{/gm)].map(([, name]) => name)).toEqual([
      "mice_nat",
      "mice_nat_2",
      "mice_nat_tcp",
      "mice_nat_tcp_2",
      "mice_outside",
    ]);
    expect(text).toContain('oifname "internet" meta mark 2 jump translate;');
    expect(text).toContain("jhash ct original ip saddr . ct original ip daddr mod 2 seed 0x");
    expect(text).toContain(
      "ct direction reply meta mark set ct original ip daddr map { 198.18.0.4 : 1, 198.18.0.6 : 2 };",
    );
  });

  test("plain masquerading has them too, by the same choice", () => {
    const overload = "mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload";
    const text = renderRules(natOf(`{ ${overload}, addresses: 2 }`)).find(({ tool }) => tool === "nft")?.text;
    expect(text).toContain('oifname "internet" meta mark 1 snat ip to 198.18.0.4;');
    expect(text).toContain('oifname "internet" meta mark 2 snat ip to 198.18.0.6;');
    expect(text).toContain("jhash ct original ip saddr mod 2 seed 0x");
    expect(text).not.toContain("masquerade");
  });

  test("they are described", () => {
    expect(describeMiddlebox(natOf("{ preset: symmetric, addresses: 3 }"))).toBe(
      "symmetric, 3 outside addresses, one for each host",
    );
    const uplinks = routerOf(resolved(twoUplinks("nat: { preset: symmetric, pooling: arbitrary }")), "nat-a");
    expect(describeMiddlebox(uplinks)).toContain("2 outside segments, one for each host and destination");
  });
});

describe("several outside segments", () => {
  test("packets of each mark have the routes of one segment, and those to the inside", () => {
    const plan = buildPlan(resolved(twoUplinks("nat: symmetric")), { capture: false });
    const routes = plan.nodes.find(({ name }) => name === "nat-a")?.setup.routes ?? [];
    expect(routes.filter(({ mark }) => mark === 2)).toEqual([
      { to: "198.18.7.0/24", interfaceName: "isp-two", mark: 2 },
      { to: "192.168.1.0/24", interfaceName: "home", mark: 2 },
      { to: "0.0.0.0/0", via: "198.18.7.1", interfaceName: "isp-two", mark: 2 },
    ]);
    expect(routes.filter(({ mark, interfaceName }) => mark === 1 && interfaceName === "isp-two")).toEqual([]);
    expect(routes).toContainEqual({ to: "0.0.0.0/0", interfaceName: "internet", mark: 1 });
  });

  test("the firewall is the same on both", () => {
    const router = routerOf(resolved(twoUplinks("nat: symmetric, firewall: open")), "nat-a");
    const text = renderRules(router)[0]?.text;
    for (const uplink of ["internet", "isp-two"]) {
      expect(text).toContain(`-A FORWARD -i home -o ${uplink} -j ACCEPT`);
      expect(text).toContain(`-A FORWARD -i ${uplink} -o home -j ACCEPT`);
    }
  });
});

test.each([
  ["addresses: 0", "nat.addresses", "expected a number of at least 1; found 0"],
  ["addresses: []", "nat.addresses", ""],
  ["addresses: [198.18.0.9, 198.18.1.9]", "nat.addresses[1]", "inside internet (198.18.0.0/24); found 198.18.1.9"],
  ["addresses: [10.0.0.1]", "nat.addresses[0]", "inside internet (198.18.0.0/24); found 10.0.0.1"],
  ["addresses: [198.18.0.9, 198.18.0.255]", "nat.addresses[1]", "the address of a host; found 198.18.0.255"],
  ["addresses: [198.18.0.9, 198.18.0.9]", "nat.addresses[1]", "an address of its own; found 198.18.0.9"],
  ["pooling: arbitrary", "nat.pooling", "expected several outside addresses"],
  ["addresses: 1, pooling: arbitrary", "nat.pooling", "expected several outside addresses"],
  ["addresses: 2, portMapping: [pcp]", "nat.portMapping", "expected one outside address beside `portMapping`"],
])("nat: { %s } is refused at %s", (keys, place, said) => {
  const issues = issuesOf(twoHomes(`nat: { preset: symmetric, ${keys} }`, "nat: symmetric"));
  expect(issues).toContainEqual(expect.stringMatching(/^t\.yaml:\d+:\d+ /));
  expect(issues.join("\n")).toContain(`nodes.nat-a.${place}: `);
  expect(issues.join("\n")).toContain(said);
});

test.each([
  [twoUplinks("firewall: open"), "nodes.nat-a.wan: expected `nat` beside several outside segments"],
  [twoUplinks("nat: { preset: symmetric, addresses: 2 }"), "nodes.nat-a.nat.addresses: expected one outside segment"],
  [
    twoHomes("nat: { preset: symmetric, addresses: 2 }", "nat: symmetric").concat(
      "timeline: [{ at: 1s, readdress: nat-a }]\n",
    ),
    "expected a router with one outside address; found nat-a",
  ],
  [
    twoHomes("nat: { preset: symmetric, addresses: 2 }", "nat: symmetric").concat(
      "timeline: [{ at: 1s, change: nat-a, nat: { preset: symmetric, addresses: 3 } }]\n",
    ),
    "expected no `addresses`: those of nat-a stay as they are",
  ],
])("what goes with no second address is refused, with its place", (text, said) => {
  const issues = issuesOf(text);
  expect(issues.join("\n")).toContain(said);
  expect(issues).toContainEqual(expect.stringMatching(/^t\.yaml:\d+:\d+ /));
});
