import { expect, test } from "vitest";
import { buildPlan } from "../../../../orchestrator/plan/build-plan.ts";
import { neighboursOn } from "../../../../orchestrator/plan/shared-segment.ts";
import { nodeBatch } from "../../../../orchestrator/runtime/netns/wiring.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, issuesOf, resolved, topologyText } from "../sample.ts";

const guests = (nat: string, guest = "ipv4: 192.168.1.0/24, isolated: true"): string =>
  topologyText({
    segments: `guest: { ${guest} }`,
    nodes: `${HOME_AGENTS},
      nat-a: { role: router, wan: internet, lan: guest, nat: ${nat} },
      mn: { role: mobile-node, on: guest, homeAgent: ha-a },
      cn: { role: correspondent-node, on: guest, homeAgent: ha-b }`,
    rest: "sessions: [{ from: mn, to: cn }]",
  });

const predict = (text: string) => {
  const topology = resolved(text);
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
};

test("clients that are kept apart meet where the router turns packets round, and at their home agents where it does not", () => {
  expect(predict(guests("home-router", "ipv4: 192.168.1.0/24"))).toMatchObject({ selected: ["host", "host"] });
  expect(predict(guests("home-router"))).toMatchObject({
    path: "direct",
    selected: ["server-reflexive", "server-reflexive"],
  });
  expect(predict(guests("port-restricted-cone"))).toMatchObject({ path: "home-agents" });
});

test("the ports of clients are isolated in the bridge, that of the router is not", () => {
  const { segments, nodes } = buildPlan(resolved(guests("home-router")), { capture: false });
  expect(nodes.map(({ name, isolatedOn }) => [name, isolatedOn])).toEqual([
    ["ha-a", undefined],
    ["ha-b", undefined],
    ["nat-a", undefined],
    ["mn", ["guest"]],
    ["cn", ["guest"]],
  ]);
  const isolated = nodeBatch(segments, nodes)
    .split("\n")
    .filter((line) => line.includes("isolated"));
  expect(isolated).toEqual(["link set p4 type bridge_slave isolated on", "link set p5 type bridge_slave isolated on"]);
});

test("on an engine's network a client knows its router alone, and the router knows all", () => {
  const { nodes } = buildPlan(resolved(guests("home-router")), { capture: false });
  const addressesKnownTo = (name: string) =>
    neighboursOn("guest", nodes.find((node) => node.name === name) ?? {}, nodes).addresses;
  expect(addressesKnownTo("mn")).toEqual(["192.168.1.1/24"]);
  expect(addressesKnownTo("nat-a")).toEqual(["192.168.1.1/24", "192.168.1.2/24", "192.168.1.3/24"]);
});

test("an isolated segment without a router of its own is refused", () => {
  expect(
    issuesOf(
      topologyText({
        segments: "guest: { ipv4: 192.168.1.0/24, isolated: true }",
        nodes: `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }`,
      }),
    ),
  ).toEqual([
    expect.stringMatching(
      /^t\.yaml:3:\d+ segments\.guest\.isolated: expected a router whose `lan` is guest, the only one that its nodes reach; found none; add one, or remove `isolated`$/,
    ),
  ]);
});
