/** Events that change nodes without moving them: what they resolve to, what is refused, and what is predicted. */

import { describe, expect, test } from "vitest";
import { predictRun } from "../../../../orchestrator/topology/predict/predict-run.ts";
import { topologyAfter } from "../../../../orchestrator/topology/resolve/timeline.ts";
import { issuesOf, nodeOf, resolved, routerOf, twoHomes } from "../sample.ts";

const CONE = "nat: port-restricted-cone";

const homes = (events: string, nats: readonly [string, string] = [CONE, CONE]): string =>
  `${twoHomes(...nats).trimEnd()}\ntimeline: [${events}]\n`;

const problemsOf = (event: string, nats?: readonly [string, string]): readonly string[] =>
  issuesOf(homes(event, nats)).map((issue) => issue.replace(/^\S+ /, ""));

/** The path after each event. */
function predicted(events: string, nats?: readonly [string, string]): readonly string[] {
  return predictRun(resolved(homes(events, nats))).flatMap(({ after, path }) =>
    after === undefined ? [] : [`${after}: ${path}`],
  );
}

describe("other addresses", () => {
  const addressesAfter = (event: string, node: string) => {
    const topology = resolved(homes(event));
    const [last] = topology.timeline.slice(-1);
    const after = nodeOf(topologyAfter(topology, last?.name ?? ""), node);
    return after.interfaces.map(({ segment, ipv4, ipv6 }) => [segment, ipv4, ipv6]);
  };

  test("of a NAT are the next free one outside; its inside and its IPv6 address stay", () => {
    const before = nodeOf(resolved(homes("")), "nat-a").interfaces;
    const after = addressesAfter("{ at: 1s, readdress: nat-a }", "nat-a");
    expect(after.map(([segment]) => segment)).toEqual(before.map(({ segment }) => segment));
    expect(after[0]?.[1]).not.toBe(before[0]?.ipv4);
    expect(after[0]?.[2]).toBe(before[0]?.ipv6);
    expect(after.slice(1)).toEqual(before.slice(1).map(({ segment, ipv4, ipv6 }) => [segment, ipv4, ipv6]));
  });

  test("twice are two other ones", () => {
    const events = "{ at: 1s, readdress: mn, name: one }, { at: 2s, readdress: mn, name: two }";
    const topology = resolved(homes(events));
    const addresses = ["one", "two"].map((name) => nodeOf(topologyAfter(topology, name), "mn").interfaces[0]?.ipv4);
    const all = [nodeOf(topology, "mn").interfaces[0]?.ipv4, ...addresses];
    expect(new Set(all).size).toBe(3);
  });

  test.each([
    [
      "outside of the segment",
      "{ at: 1s, readdress: mn, addresses: { ipv4: 10.9.9.9 } }",
      "expected an address inside",
    ],
    ["of another node", "{ at: 1s, readdress: mn, addresses: { ipv4: 192.168.1.1 } }", "that no node of"],
    [
      "of a version that the segment has not",
      '{ at: 1s, readdress: mn, addresses: { ipv6: "2001:db8::9" } }',
      "expected no IPv6 address: mn has none",
    ],
    [
      "of a home agent",
      "{ at: 1s, readdress: ha-a }",
      "expected a mobile-node, correspondent-node or router; found ha-a",
    ],
    [
      "beside the old ones for a NAT",
      "{ at: 1s, readdress: nat-a, overlap: 1s }",
      "expected `overlap` only for mobile and correspondent nodes",
    ],
  ])("%s are refused", (_, event, message) => {
    expect(problemsOf(event)).toEqual([expect.stringContaining(message)]);
  });

  test("end a direct path, and another one is found", () => {
    expect(predicted("{ at: 1s, readdress: nat-a, name: nat }, { at: 9s, readdress: mn, name: node }")).toEqual([
      "nat: direct",
      "node: direct",
    ]);
  });
});

describe("another behaviour", () => {
  test("of a firewall ends a pair that it does not let through, and another policy lets one be found again", () => {
    const blocks = "{ at: 1s, change: nat-a, firewall: { preset: stateful, outboundUdp: [4191, 3478] }, name: blocks }";
    expect(predicted(`${blocks}, { at: 9s, change: nat-a, firewall: stateful, name: opens }`)).toEqual([
      "blocks: home-agents",
      "opens: direct",
    ]);
  });

  test("of a NAT loses its mappings: a symmetric one leaves the home agents alone", () => {
    const events = "{ at: 1s, change: nat-a, nat: symmetric }";
    expect(predicted(events)).toEqual(["change: home-agents"]);
    const topology = resolved(homes(events));
    expect(routerOf(topologyAfter(topology, "change"), "nat-a").nat?.mapping).toBe("address-and-port-dependent");
  });

  test.each([
    ["without a word of it", "{ at: 1s, change: nat-a }", "expected `nat` or `firewall` beside `change`"],
    [
      "without a NAT afterwards",
      "{ at: 1s, change: nat-a, nat: none }",
      "expected address translation before and after",
    ],
    [
      "with another idle time",
      "{ at: 1s, change: nat-a, nat: { preset: symmetric, udpLifetime: 7s } }",
      "expected the idle time of UDP to stay at",
    ],
    [
      "with a range that is none",
      "{ at: 1s, change: nat-a, nat: { preset: symmetric, ports: 9-1 } }",
      "timeline[0].nat.ports: expected a port range",
    ],
    [
      "for how long it remembers TCP",
      "{ at: 1s, change: nat-a, nat: { preset: symmetric, tcp: { established: 9m } } }",
      "expected the idle time of TCP (`established`) to stay at 7440s: the kernel has it from the start of nat-a; found 540s",
    ],
    [
      "of TCP, which is no value",
      "{ at: 1s, change: nat-a, nat: { preset: symmetric, tcp: { unsolicitedSyn: refuse } } }",
      "unsolicitedSyn",
    ],
    ["of a node that is no router", "{ at: 1s, change: mn, firewall: open }", "expected a router; found mn"],
  ])("%s is refused", (_, event, message) => {
    expect(problemsOf(event)).toEqual([expect.stringContaining(message)]);
  });
});

describe("a pause", () => {
  test("of an end leaves no path, and the session is as before when it goes on", () => {
    const events = "{ at: 1s, pause: mn, name: sleep }, { at: 30s, resume: mn, name: wake }";
    expect(predicted(events)).toEqual(["sleep: none", "wake: direct"]);
  });

  test("of a home agent matters only to a path through it", () => {
    const events = "{ at: 1s, pause: ha-a }, { at: 30s, resume: ha-a }";
    expect(predicted(events)).toEqual(["pause: direct", "resume: direct"]);
    const symmetric = ["nat: symmetric", "nat: symmetric"] as const;
    expect(predicted(events, symmetric)).toEqual(["pause: none", "resume: home-agents"]);
  });

  test.each([
    [
      "of a router, which forwards in the kernel",
      "{ at: 1s, pause: nat-a }",
      "expected a node whose process does its work; nat-a is a router",
    ],
    ["that nobody began", "{ at: 1s, resume: mn }", "expected a paused node; mn runs"],
    [
      "amid which something else happens to the node",
      "{ at: 1s, pause: mn }, { at: 2s, readdress: mn }, { at: 3s, resume: mn }",
      "expected a node that runs; mn is paused then",
    ],
    ["of a paused node", "{ at: 1s, pause: mn, name: a }, { at: 2s, pause: mn, name: b }", "mn is paused already"],
  ])("%s is refused", (_, events, message) => {
    expect(problemsOf(events)).toEqual([expect.stringContaining(message)]);
  });
});

test("a router that forgets, and a home agent that reboots, leave the predicted path as it was", () => {
  expect(predicted("{ at: 1s, forget: nat-a }, { at: 9s, reboot: ha-a, down: 1s }")).toEqual([
    "forget: direct",
    "reboot: direct",
  ]);
});

describe("a program that is killed", () => {
  const CRASH = "{ at: 1s, kill: mn }, { at: 20s, restart: mn }";

  test("carries and registers nothing, and begins anew when it is started again", () => {
    expect(predicted(CRASH)).toEqual(["kill: none", "restart: direct"]);
    const [, kill] = predictRun(resolved(homes(CRASH)));
    expect(kill?.why).toEqual(["none: mn cannot register with ha-a: mn is killed."]);
  });

  test("of a home agent ends what goes through it, and no direct path", () => {
    const symmetric = ["nat: symmetric", "nat: symmetric"] as const;
    const events = "{ at: 1s, kill: ha-a }, { at: 20s, restart: ha-a }";
    expect(predicted(events, symmetric)).toEqual(["kill: none", "restart: home-agents"]);
    expect(predicted(events)).toEqual(["kill: direct", "restart: direct"]);
  });

  test("may be started again without having been killed", () => {
    expect(problemsOf("{ at: 1s, restart: cn }")).toEqual([]);
  });

  test.each([
    [
      "a router",
      "{ at: 1s, kill: nat-a }",
      "timeline[0].kill: expected a node whose process does its work; nat-a is a router, whose kernel forwards all the same; `reboot` it, or break its `link`",
    ],
    [
      "a killed node that moves",
      "{ at: 1s, kill: mn }, { at: 2s, move: mn, to: internet }",
      "timeline[1].move: expected a node that runs; mn is killed then; restart it before",
    ],
    [
      "a killed node once more",
      "{ at: 1s, kill: mn }, { at: 2s, kill: mn, name: again }",
      "timeline[1].kill: expected a node that runs; mn is killed already; remove one",
    ],
    [
      "a killed node that goes on",
      "{ at: 1s, kill: mn }, { at: 2s, resume: mn }",
      "timeline[1].resume: expected a paused node; mn is killed; pause it earlier, or remove this",
    ],
  ])("is refused with its place: %s", (_, events, problem) => {
    expect(problemsOf(events)).toEqual([problem]);
  });
});
