import { expect, test } from "vitest";
import { issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

const host = (keys = "") => `h: { role: host, on: lan, command: [x]${keys} }`;

test("hosts are told of their first segment's name server, over the IP versions that they have, IPv6 first", () => {
  const nameServers = (network: string) =>
    nodeOf(
      resolved(
        topologyText({
          segments: `lan: { ${network}, dns: names }`,
          nodes: `names: { role: dns, on: internet }, r: { role: router, wan: internet, lan: lan }, ${host()}`,
        }),
      ),
      "h",
    );
  expect(nameServers('ipv4: 10.0.0.0/24, ipv6: "2001:db8:1::/64"')).toMatchObject({
    nameServers: ["2001:db8:0:1::2", "198.18.0.2"],
  });
  expect(nameServers('ipv6: "2001:db8:1::/64"')).toMatchObject({ nameServers: ["2001:db8:0:1::2"] });
});

test("a name server that is no node of role dns is reported where the segment names it", () => {
  const segments = "lan: { ipv4: 10.0.0.0/24, dns: r }";
  const nodes = `names: { role: dns, on: internet }, r: { role: router, wan: internet, lan: lan }, ${host()}`;
  expect(issuesOf(topologyText({ segments, nodes }))).toEqual([
    expect.stringMatching(
      /^t\.yaml:3:\d+ segments\.lan\.dns: expected a dns; found r, which is a router; there are: names$/,
    ),
  ]);
});

test("a name server with no IP version of its hosts is reported", () => {
  const segments = 'lan: { ipv6: "2001:db8:1::/64", dns: names }, old: { ipv4: 10.0.0.0/24 }';
  const nodes = `names: { role: dns, on: old }, r: { role: router, wan: internet, lan: [lan, old] }, ${host()}`;
  expect(issuesOf(topologyText({ segments, nodes }))).toEqual([
    expect.stringMatching(
      /segments\.lan\.dns: expected a name server with an address that h on lan can reach; found names, which has none of its IP versions; give/,
    ),
  ]);
});
