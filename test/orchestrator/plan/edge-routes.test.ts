import { describe, expect, test } from "vitest";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import type { NodeSpec } from "../../../orchestrator/plan/plan.ts";
import { HOME_AGENTS, resolved, topologyText } from "../topology/sample.ts";

const TEXT = topologyText({
  segments: `home: { ipv4: 192.168.1.0/24 }, docker0: { ipv4: 10.99.0.0/24 },
    backbone: { ipv6: "2001:db8:9::/64" }, site: { ipv4: 10.0.0.0/24 }`,
  nodes: `${HOME_AGENTS},
    nat-a: { role: router, wan: internet, lan: home, nat: full-cone },
    nat-b: { role: router, wan: home, lan: site, nat: full-cone },
    inside: { role: host, on: home, image: x },
    island: { role: host, on: docker0, image: x },
    open: { role: host, on: internet, image: x },
    ha-c: { role: home-agent, on: [internet, backbone], homePrefix: "2001:db8:c::/64" },
    ha-d: { role: home-agent, on: [home, internet], homePrefix: "2001:db8:d::/64" },
    mn: { role: mobile-node, on: [docker0, home, internet], homeAgent: ha-a },
    cn: { role: correspondent-node, on: home, homeAgent: ha-b }`,
  rest: "sessions: [{ from: mn, to: cn }]\ntimeline: [{ at: 1s, move: cn, to: internet }, { at: 2s, move: cn, to: home, name: back }]",
});
const plan = buildPlan(resolved(TEXT), { capture: false });

/** The default routes of a node in a few words; those to an edge have no next hop. */
function defaultsOf({ setup }: Pick<NodeSpec, "setup">): readonly string[] {
  return describeDefaults(setup.routes);
}

function describeDefaults(routes: NodeSpec["setup"]["routes"]): readonly string[] {
  return routes
    .filter(({ to }) => to.endsWith("/0"))
    .map(({ to, via, interfaceName }) => `${to} ${via ?? "edge"} ${interfaceName}`);
}

describe("default routes to the edge of the internet", () => {
  test.each([
    ["open", ["0.0.0.0/0 edge internet", "::/0 edge internet"]],
    ["ha-a", ["0.0.0.0/0 edge internet", "::/0 edge internet"]],
    ["nat-a", ["0.0.0.0/0 edge internet", "::/0 edge internet"]],
    ["ha-c", ["0.0.0.0/0 edge internet", "::/0 edge internet"]],
    ["ha-d", ["0.0.0.0/0 192.168.1.1 home", "::/0 edge internet"]],
    ["inside", ["0.0.0.0/0 192.168.1.1 home"]],
    ["nat-b", ["0.0.0.0/0 192.168.1.1 home"]],
    ["island", []],
    ["mn", ["0.0.0.0/0 192.168.1.1 home", "0.0.0.0/0 edge internet", "::/0 edge internet"]],
  ])("%s has %j", (name, defaults) => {
    const node = plan.nodes.find((each) => each.name === name);
    expect(node === undefined ? [] : defaultsOf(node)).toEqual(defaults);
  });

  test("a node that moves into the open has them there, and no longer when it is back inside", () => {
    const moves = plan.timeline
      .flatMap(({ deeds }) => deeds.map(({ command }) => command))
      .map((command) => (command.type === "move" ? describeDefaults(command.routes) : []));
    expect(moves).toEqual([["0.0.0.0/0 edge internet", "::/0 edge internet"], ["0.0.0.0/0 192.168.1.1 home"]]);
  });
});
