import { expect, test } from "vitest";
import { ladderRows } from "../../../../orchestrator/report/html/ladder.ts";
import { html, Markup, table } from "../../../../orchestrator/report/html/markup.ts";
import { drawTopology } from "../../../../orchestrator/report/html/topology-picture.ts";
import { connectedEvents, MN_HOME, nodeEvent, pairOf, TWO_ENDS } from "../../../support/lab-events.ts";
import { resolved, twoHomes } from "../../topology/sample.ts";

const ON_INTERNET = { segment: "internet", interfaceName: "internet", mac: "02:00:00:00:01:01" };

test("values are escaped, markup and lists of it are not", () => {
  const inner = html`<b>${'<script>"&'}</b>`;
  expect(html`<p>${inner}${[new Markup("<i>"), "<"]}${undefined}${7}</p>`.text).toBe(
    "<p><b>&lt;script&gt;&quot;&amp;</b><i>&lt;7</p>",
  );
});

test("a table escapes its cells", () => {
  expect(table(["a"], [["<x>"]]).text).toContain("<td>&lt;x&gt;</td>");
});

test("a topology is drawn with every segment and node once", () => {
  const topology = { ...TWO_ENDS, nodes: TWO_ENDS.nodes.map((node) => ({ ...node, interfaces: [ON_INTERNET] })) };
  const drawing = drawTopology(topology).text;
  for (const name of ["internet", "mn", "cn"]) expect(drawing.split(`>${name}<`), name).toHaveLength(2);
});

test("a segment is as wide as its words, and what hangs from it hangs from its middle", () => {
  const segments = [{ name: "internet", interfaceName: "internet", ipv4: "198.18.0.0/24", ipv6: "2001:db8:0:1::/64" }];
  const nodes = TWO_ENDS.nodes.slice(0, 1).map((node) => ({ ...node, interfaces: [ON_INTERNET] }));
  const drawing = drawTopology({ ...TWO_ENDS, segments, nodes }).text;
  const [, x, width] =
    /class="segment"><rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/.exec(drawing)?.map(Number) ?? [];
  const [, lineX] = /<line x1="([\d.]+)"/.exec(drawing)?.map(Number) ?? [];
  expect(width).toBeGreaterThan(6 * "internet 198.18.0.0/24 2001:db8:0:1::/64".length);
  expect(lineX).toBe((x ?? 0) + (width ?? 0) / 2);
});

test("a middlebox says what it does: how it maps and filters, and what its firewall is where it is no usual one", () => {
  const words = (middlebox: string): readonly string[] => {
    const apart = twoHomes(middlebox, "nat: symmetric").replace(
      "home-a: { ipv4: 192.168.1.0/24 }",
      "home-a: { ipv4: 198.18.1.0/24 }",
    );
    const { text } = drawTopology(resolved(apart));
    const [, ...details] = />nat-a<.*?<\/g>/s.exec(text)?.[0].match(/(?<=>)[^<>\n]+(?=<)/g) ?? [];
    return details;
  };
  const maps = ["maps for all alike", "filters by address-and-port"];
  expect(words("nat: port-restricted-cone")).toEqual(maps);
  expect(words("nat: port-restricted-cone, firewall: udp-blocked")).toEqual([...maps, "firewall: udp-blocked"]);
  expect(words("nat: none, firewall: { preset: tunnel-only, denied: reject }")).toEqual([
    "firewall",
    "tunnel-only, rejecting",
  ]);
});

test("the ladder shows messages and remarks in the order of events, lost checks as lost", () => {
  const [session] = TWO_ENDS.sessions;
  if (session === undefined) throw new Error("no session");
  const rows = ladderRows(session, TWO_ENDS.nodes, connectedEvents(pairOf("server-reflexive", "host")));
  expect(
    rows.map(({ kind, from, to, label }) => `${kind}: ${from}${to === undefined ? "" : ` → ${to}`}: ${label}`),
  ).toEqual([
    "signalling: ha → mn: BA",
    "signalling: ha → cn: BA",
    "data: mn → cn: ping: 3 of 3",
    "signalling: mn → cn: HoTI, CoTI-ICE: offer of 1 candidate",
    "check: mn → cn: ordinary check srflx → host: 10 ms",
    "lost: cn → mn: ordinary check host → srflx: no answer",
    "remark: mn: nominated srflx → host",
    "remark: cn: nominated host → srflx",
    "remark: cn: data directly",
    "signalling: cn → mn: BA, 420 s",
    "remark: mn: data directly",
    "data: mn → cn: ping: 2 of 3",
    "data: mn → cn: echo: 4 of 4",
  ]);
});

test("a check that was refused says by whom, until its pair is checked again", () => {
  const [session] = TWO_ENDS.sessions;
  if (session === undefined) throw new Error("no session");
  const pair = pairOf("host", "server-reflexive");
  const check = nodeEvent(1, "cn", { type: "check-sent", peer: MN_HOME, kind: "ordinary", pair });
  const refused = {
    type: "check-refused",
    peer: MN_HOME,
    pair,
    by: "192.168.1.1",
    reason: "network unreachable",
  } as const;
  const events = [check, nodeEvent(2, "cn", refused), check];
  expect(ladderRows(session, TWO_ENDS.nodes, events).map(({ kind, label }) => [kind, label])).toEqual([
    ["lost", "ordinary check host → srflx: refused by 192.168.1.1"],
    ["lost", "ordinary check host → srflx: no answer"],
  ]);
});

test("what goes through the home agents is marked so", () => {
  const [session] = TWO_ENDS.sessions;
  if (session === undefined) throw new Error("no session");
  const rows = ladderRows(session, TWO_ENDS.nodes, connectedEvents(pairOf("relayed", "relayed")));
  expect(rows.filter(({ kind }) => kind === "check").map(({ isRelayed }) => isRelayed)).toEqual([true]);
});
