import { expect, test } from "vitest";
import { predictSession } from "../../../orchestrator/topology/predict.ts";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, topologyText } from "./sample.ts";

const SITE = 'site: { ipv4: 10.0.0.0/24, ipv6: "fd00:a::/64" }';

function withBox(keys: string, segments = SITE): string {
  return topologyText({ segments, nodes: `edge: { role: router, wan: internet, ${keys} }, ${HOME_AGENTS}` });
}

test("the outside network is reached through the box, the inside one is unknown outside", () => {
  const keys = 'lan: site, prefixTranslation: { ipv4: 198.18.1.0/24, ipv6: "2001:db8:a1::/64" }';
  const routes = nodeOf(resolved(withBox(keys)), "ha-a").routes.map(({ to }) => to);
  expect(routes).toEqual(["198.18.1.0/24", "2001:db8:a1::/64", "2001:db8:b::/64"]);
});

test.each([
  [
    "lan: site, nat: symmetric, prefixTranslation: { ipv4: 198.18.1.0/24 }",
    "expected one translation of IPv4; found `nat` as well",
  ],
  ["lan: site, prefixTranslation: { ipv4: 198.18.4.0/22 }", "expected a /24 network, as long as 10.0.0.0/24 inside"],
  ["lan: [site, other], prefixTranslation: { ipv4: 198.18.1.0/24 }", "expected one inside segment with IPv4; found 2"],
  ["lan: site, prefixTranslation: { ipv4: 198.18.0.0/24 }", "expected a network apart from"],
])("%s is refused", (keys, message) => {
  expect(issuesOf(withBox(keys, `${SITE}, other: { ipv4: 10.0.1.0/24 }`)).join("\n")).toContain(message);
});

/** Two nodes, the first inside of a box. */
function predict(firewall: string, cn: string) {
  const nodes = `edge: { role: router, wan: internet, lan: site, prefixTranslation: { ipv4: 198.18.1.0/24 }, firewall: ${firewall} },
    nat: { role: router, wan: internet, lan: home, nat: symmetric }, ${HOME_AGENTS},
    mn: { role: mobile-node, on: site, homeAgent: ha-a }, cn: { role: correspondent-node, on: ${cn}, homeAgent: ha-b }`;
  const segments = "site: { ipv4: 10.0.0.0/24 }, home: { ipv4: 192.168.1.0/24 }";
  const topology = resolved(topologyText({ segments, nodes, rest: "sessions: [{ from: mn, to: cn }]" }));
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
}

test.each([
  ["open", "home", "direct", ["server-reflexive", "peer-reflexive"]],
  ["stateful", "home", "home-agents", ["relayed", "relayed"]],
  ["stateful", "internet", "direct", ["server-reflexive", "host"]],
  ["stateful", "site", "direct", ["host", "host"]],
] as const)("%s towards %s: %s", (firewall, cn, path, selected) => {
  expect(predict(firewall, cn)).toMatchObject({ path, selected });
});
