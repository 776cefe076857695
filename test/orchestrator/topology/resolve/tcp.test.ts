import { expect, test } from "vitest";
import { describeMiddlebox } from "../../../../orchestrator/topology/describe/describe-middlebox.ts";
import { issuesOf, resolved, routerOf, twoHomes } from "../sample.ts";

const natOf = (nat: string) => routerOf(resolved(twoHomes(`nat: ${nat}`, "nat: symmetric")), "nat-a");

test("TCP is as UDP where nothing is said of it, with the idle times of RFC 5382", () => {
  expect(natOf("full-cone").tcp).toEqual({
    mapping: "endpoint-independent",
    filtering: "endpoint-independent",
    hairpinning: true,
    unsolicitedSyn: "drop",
    establishedSec: 7440,
    transitorySec: 240,
  });
  expect(describeMiddlebox(natOf("full-cone"))).toBe("full-cone");
});

test("what is said of TCP is different, and described", () => {
  const router = natOf(
    "{ preset: full-cone, tcp: { filtering: address-dependent, hairpinning: false, unsolicitedSyn: reset, established: 1m } }",
  );
  expect(router.tcp).toMatchObject({
    filtering: "address-dependent",
    hairpinning: false,
    unsolicitedSyn: "reset",
    establishedSec: 60,
    transitorySec: 60,
  });
  expect(router.nat).toMatchObject({ filtering: "endpoint-independent" });
  expect(describeMiddlebox(router)).toBe(
    "full-cone, TCP EIM/ADF, no hairpinning, unsolicited SYN: reset, established 60 s, transitory 60 s",
  );
});

test.each([
  ["established: 1500ms", "expected whole seconds, at least 1s"],
  ["established: 10s, transitory: 20s", "expected at most 10s, the `established` idle time"],
  ["unsolicitedSyn: refuse", "drop"],
  ["portAssignment: random", "portAssignment"],
])("tcp: { %s } is refused, with its place", (tcp, said) => {
  const [issue = ""] = issuesOf(twoHomes(`nat: { preset: full-cone, tcp: { ${tcp} } }`, "nat: symmetric"));
  expect(issue).toMatch(/^t\.yaml:\d+:\d+/);
  expect(issue).toContain(said);
});

test("every port of the range forwarded leaves none for mappings of TCP either", () => {
  const nat = "{ preset: symmetric, ports: 8080-8080 }, forwards: [{ protocol: tcp, port: 8080, to: mn, toPort: 80 }]";
  expect(issuesOf(twoHomes(`nat: ${nat}`, "nat: symmetric")).join()).toContain("8080-8080 to be free for mappings");
});

test("plain MASQUERADE does the same with TCP as with UDP: what contradicts it is refused, with its place", () => {
  const overload = "mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload";
  const withTcp = (tcp: string) => twoHomes(`nat: { ${overload}, tcp: { ${tcp} } }`, "nat: symmetric");
  const issues = issuesOf(withTcp("mapping: address-dependent, filtering: endpoint-independent, hairpinning: true"));
  const refused = (key: string, value: string, wrong: string): unknown =>
    expect.stringMatching(
      `^t\\.yaml:\\d+:\\d+ nodes.nat-a.nat.tcp.${key}: expected ${value}, which is all that .portAssignment: overload. .* does; found ${wrong}$`,
    );
  expect(issues).toEqual([
    refused("mapping", "endpoint-independent", "address-dependent"),
    refused("filtering", "address-and-port-dependent", "endpoint-independent"),
    refused("hairpinning", "false", "true"),
  ]);
  expect(issuesOf(withTcp("hairpinning: false, unsolicitedSyn: reset, established: 10m"))).toEqual([]);
});

test("what is said of TCP of a NAT64 holds", () => {
  const text = `name: t
summary: For a test
segments: { internet: { ipv4: 198.18.0.0/24, ipv6: "2001:db8:0:1::/64" }, lan: { ipv6: "2001:db8:0:2::/64" } }
nodes:
  nat: { role: router, wan: internet, lan: lan, nat64: { preset: full-cone, prefix: "64:ff9b::/96", tcp: { established: 0s } } }
`;
  expect(issuesOf(text).join()).toContain("nodes.nat.nat64.tcp.established: expected whole seconds");
});
