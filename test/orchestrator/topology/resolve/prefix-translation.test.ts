import { expect, test } from "vitest";
import { createNetworkModel } from "../../../../orchestrator/topology/predict/network-model.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

const SITE = 'site: { ipv4: 10.0.0.0/24, ipv6: "fd00:a::/64" }';

function withMiddlebox(keys: string, segments = SITE): string {
  return topologyText({ segments, nodes: `edge: { role: router, wan: internet, ${keys} }, ${HOME_AGENTS}` });
}

test("the outside network is reached through the middlebox, the inside one is unknown outside", () => {
  const keys = 'lan: site, prefixTranslation: { ipv4: 198.18.1.0/24, ipv6: "2001:db8:a1::/64" }';
  const routes = nodeOf(resolved(withMiddlebox(keys)), "ha-a").routes.map(({ to }) => to);
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
  ["lan: site, prefixTranslation: { ipv4: 203.0.113.0/24 }", "expected a free network; found 203.0.113.0/24"],
  ["lan: six, prefixTranslation: { ipv4: 198.18.1.0/24 }", "expected one inside segment with IPv4; found 0"],
])("%s is refused", (keys, message) => {
  expect(
    issuesOf(withMiddlebox(keys, `${SITE}, other: { ipv4: 10.0.1.0/24 }, six: { ipv6: "fd00:6::/64" }`)).join("\n"),
  ).toContain(message);
});

test("what is refused is found in the file", () => {
  expect(issuesOf(withMiddlebox("lan: site, prefixTranslation: { ipv4: 198.18.4.0/22 }"))[0]).toMatch(
    /^t\.yaml:4:\d+ nodes\.edge\.prefixTranslation\.ipv4: expected a \/24 network/,
  );
});

test("an outside without the IP version cannot be translated to", () => {
  const text = withMiddlebox('lan: site, prefixTranslation: { ipv6: "2001:db8:a1::/64" }').replace(
    /, ipv6: "2001:db8:0:1::\/64"/,
    "",
  );
  expect(issuesOf(text).join("\n")).toContain("expected IPv6 outside as well; found none on internet");
});

test("two hosts inside meet by their outside addresses when they do not know the others", () => {
  expect(predict("stateful", "site").why.join("\n")).toContain("no middlebox lies between");
  const nodes = `edge: { role: router, wan: internet, lan: site, prefixTranslation: { ipv4: 198.18.1.0/24 }, firewall: stateful },
    one: { role: host, on: site, image: x }, two: { role: host, on: site, image: x }`;
  const topology = resolved(topologyText({ segments: "site: { ipv4: 10.0.0.0/24 }", nodes }));
  const source = { ip: "10.0.0.2", port: 7 };
  const delivery = createNetworkModel(topology).send(nodeOf(topology, "one"), {
    source,
    destination: { ip: "198.18.1.3", port: 9 },
  });
  expect(delivery).toMatchObject({
    arrived: true,
    at: { name: "two" },
    packet: { source: { ip: "198.18.1.2", port: 7 }, destination: { ip: "10.0.0.3", port: 9 } },
    remarks: ["edge turns it round (hairpinning)"],
  });
});

/** Two nodes, the first behind a firewall. */
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
