import { expect, test } from "vitest";
import type { ResolvedNode } from "../../../../orchestrator/topology/model/resolved.ts";
import { loadTopology } from "../../../../orchestrator/topology/resolve/load.ts";

function nodesOf(segments: string, nodes: string): readonly ResolvedNode[] {
  const loaded = loadTopology(`name: t\nsummary: t\nsegments:\n${segments}\nnodes:\n${nodes}\n`, "t.yaml");
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join("\n"));
  return loaded.topology.nodes;
}

const HOME_AGENT = "{ role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }";

test("STUN servers get second addresses from the far end of the network, and nobody else's address moves", () => {
  const [agent, server, host] = nodesOf(
    "  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }",
    `  ha: ${HOME_AGENT}\n  stun: { role: stun-server, on: internet }\n  other: { role: host, on: internet, image: x }`,
  );
  expect(agent).toMatchObject({
    listen: ["198.18.0.2", "2001:db8:0:1::2"],
    alternate: ["198.18.0.254", "2001:db8:0:1::fffe"],
    interfaces: [{ alternate: { ipv4: "198.18.0.254/24", ipv6: "2001:db8:0:1::fffe/64" } }],
  });
  expect(server).toMatchObject({
    listen: ["198.18.0.3", "2001:db8:0:1::3"],
    alternate: ["198.18.0.253", "2001:db8:0:1::fffd"],
  });
  expect(host?.interfaces[0]).toEqual({
    segment: "internet",
    interfaceName: "internet",
    mac: "02:00:00:00:01:03",
    ipv4: "198.18.0.4/24",
    ipv6: "2001:db8:0:1::4/64",
  });
});

test("an address that the file fixes is no second address", () => {
  const [agent] = nodesOf(
    "  internet: { ipv4: 198.18.0.0/24 }",
    `  ha: ${HOME_AGENT}\n  h: { role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18.0.254 } } }`,
  );
  expect(agent).toMatchObject({ alternate: ["198.18.0.253"] });
});

test("a long network's second addresses stay within 64 Ki of its start", () => {
  const [agent] = nodesOf("  internet: { ipv4: 198.18.0.0/15 }", `  ha: ${HOME_AGENT}`);
  expect(agent).toMatchObject({ alternate: ["198.18.255.254"] });
});

test("a home agent in a full network goes without; a STUN server says what it needs", () => {
  const full = "  internet: { ipv4: 198.18.0.0/30 }";
  expect(nodesOf(full, `  ha: ${HOME_AGENT}`)[0]).toMatchObject({ listen: ["198.18.0.2"], alternate: [] });
  expect(() => nodesOf(full, "  stun: { role: stun-server, on: internet }")).toThrow(
    "expected room for two addresses of stun in each network of internet; found none; take a shorter prefix",
  );
});
