import { expect, test } from "vitest";
import { renderCatalogue, withCatalogue } from "../../../../orchestrator/topology/describe/catalogue.ts";
import { renderDiagram } from "../../../../orchestrator/topology/describe/diagram.ts";
import { HOME_AGENTS, resolved, topologyText } from "../sample.ts";

const topology = resolved(
  topologyText({
    segments: "home: { ipv4: 192.168.1.0/24 }",
    nodes: `${HOME_AGENTS}, nat: { role: router, wan: internet, lan: home, nat: { mapping: address-dependent, filtering: address-dependent } },
      mn: { role: mobile-node, on: home, homeAgent: ha-a }, cn: { role: correspondent-node, on: internet, homeAgent: ha-b },
      other: { role: host, on: internet, image: busybox }`,
    rest: "sessions: [{ from: mn, to: cn }]\nexpect: [{ session: mn-cn, path: direct, within: 2s }]",
  }),
);

test("a picture has every segment and node, with what is inside a middlebox below it", () => {
  expect(renderDiagram(topology)).toMatchInlineSnapshot(`
    "flowchart TB
      segment0(["<b>internet</b><br/>198.18.0.0/24<br/>2001:db8:0:1::/64"])
      segment1(["<b>home</b><br/>192.168.1.0/24"])
      node0["<b>ha-a</b><br/>home agent<br/>2001:db8:a::/64"]
      node1["<b>ha-b</b><br/>home agent<br/>2001:db8:b::/64"]
      node2["<b>nat</b><br/>NAT: ADM/ADF"]
      node3["<b>mn</b><br/>mobile node<br/>home 2001:db8:a::100"]
      node4["<b>cn</b><br/>correspondent node<br/>home 2001:db8:b::100"]
      node5["<b>other</b><br/>host busybox"]
      segment0 ---|"198.18.0.2<br/>2001:db8:0:1::2"| node0
      segment0 ---|"198.18.0.3<br/>2001:db8:0:1::3"| node1
      segment0 ---|"198.18.0.4<br/>2001:db8:0:1::4"| node2
      node2 ---|"192.168.1.1"| segment1
      segment1 ---|"192.168.1.2"| node3
      segment0 ---|"198.18.0.5<br/>2001:db8:0:1::5"| node4
      segment0 ---|"198.18.0.6<br/>2001:db8:0:1::6"| node5
    "
  `);
});

test("a picture shows what links do to packets", () => {
  const slow = resolved(
    topologyText({ nodes: HOME_AGENTS, rest: "links: { ha-a/internet: { delay: 5ms, in: { loss: 1% } } }" }),
  );
  expect(renderDiagram(slow)).toContain('|"198.18.0.2<br/>2001:db8:0:1::2<br/>out: 5 ms<br/>in: 5 ms, loss 1 %"|');
});

test("the catalogue tells the way, what is expected, and what the model says", () => {
  const row = renderCatalogue([topology]).split("\n")[2];
  expect(row).toBe("| [t](#t) | mn — nat (ADM/ADF) — cn | direct within 2000 ms | direct: peer-reflexive → host |");
});

test("a README without the marks is refused", () => {
  expect(() => withCatalogue("# Topologies\n", [topology])).toThrow(/expected the lines <!-- begin files/);
});
