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
