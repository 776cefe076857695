import { expect, test } from "vitest";
import { cellTopologyText } from "../../../../orchestrator/topology/matrix/cell-topology.ts";
import { planCell, planCells } from "../../../../orchestrator/topology/matrix/cells.ts";
import {
  findMiddleboxes,
  MATRIX_MIDDLEBOXES,
  NINE_BEHAVIOURS,
} from "../../../../orchestrator/topology/matrix/matrix-middlebox.ts";
import { nodeOf, routerOf } from "../sample.ts";

const middlebox = (name: string) => {
  const found = MATRIX_MIDDLEBOXES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no middlebox ${name}`);
  return found;
};

test("the nine are every mapping with every filtering", () => {
  expect(NINE_BEHAVIOURS.map(({ name }) => name)).toEqual([
    "eim-eif",
    "eim-adf",
    "eim-apdf",
    "adm-eif",
    "adm-adf",
    "adm-apdf",
    "apdm-eif",
    "apdm-adf",
    "apdm-apdf",
  ]);
});

test("a cell's topology is a file of its own, both homes with the same network", () => {
  expect(cellTopologyText(middlebox("eim-adf"), middlebox("symmetric"), "mn")).toBe(`name: eim-adf-x-symmetric
summary: A mobile node behind eim-adf, a correspondent node behind symmetric
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  mn-lan: { ipv4: 192.168.1.0/24 }
  cn-lan: { ipv4: 192.168.1.0/24 }
nodes:
  ha-a: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }
  ha-b: { role: home-agent, on: internet, homePrefix: 2001:db8:b::/64 }
  nat-mn: { role: router, wan: internet, lan: mn-lan, nat: { mapping: endpoint-independent, filtering: address-dependent } }
  mn: { role: mobile-node, on: mn-lan, homeAgent: ha-a }
  nat-cn: { role: router, wan: internet, lan: cn-lan, nat: symmetric }
  cn: { role: correspondent-node, on: cn-lan, homeAgent: ha-b }
sessions:
  - { from: mn, to: cn, traffic: ping }
`);
});

test("equal middleboxes give their nodes equal addresses", () => {
  const { topology } = planCell(middlebox("eim-apdf"), middlebox("eim-apdf"), "mn");
  const addresses = ["mn", "cn"].map((name) => nodeOf(topology, name).interfaces[0]?.ipv4);
  expect(addresses).toEqual(["192.168.1.2/24", "192.168.1.2/24"]);
});

test("a middlebox that only filters has LANs that everybody can reach", () => {
  const { topology } = planCell(middlebox("udp-blocked"), middlebox("stateful"), "mn");
  expect(topology.segments.map(({ ipv4 }) => ipv4)).toEqual(["198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24"]);
  expect(routerOf(topology, "nat-mn")).toMatchObject({ firewall: { outboundUdp: "none" } });
  expect(routerOf(topology, "nat-mn")).not.toHaveProperty("nat");
});

test("no middlebox at all puts the node on the internet", () => {
  const { topology } = planCell(middlebox("none"), middlebox("eim-eif"), "cn");
  expect(nodeOf(topology, "mn").interfaces.map(({ segment }) => segment)).toEqual(["internet"]);
  expect(topology.nodes.map(({ name }) => name)).toEqual(["ha-a", "ha-b", "mn", "nat-cn", "cn"]);
});

test("the offer comes from the end that was asked for", () => {
  const sessions = planCells({ mn: [middlebox("none")], cn: [middlebox("none")], offerers: ["mn", "cn"] }).map(
    ({ topology }) => topology.sessions[0]?.name,
  );
  expect(sessions).toEqual(["mn-cn", "cn-mn"]);
});

test("every pair of middleboxes that have names is a topology without a mistake", () => {
  const cells = MATRIX_MIDDLEBOXES.flatMap((mn) => [mn, middlebox("none")].map((cn) => planCell(mn, cn, "mn")));
  expect(cells.every(({ topology }) => topology.name.length <= 31)).toBe(true);
});

test("the seed is every cell's", () => {
  const [cell] = planCells({ mn: [middlebox("symmetric")], cn: [middlebox("none")], offerers: ["mn"], seed: 77 });
  expect(cell?.topology.seed).toBe(77);
});

test("the model of the nine: no direct path where one mapping is per destination and the other filter needs to know it", () => {
  const cells = planCells({ mn: NINE_BEHAVIOURS, cn: NINE_BEHAVIOURS, offerers: ["mn", "cn"] });
  const asGrid = (offerer: "mn" | "cn") =>
    NINE_BEHAVIOURS.map(({ name }) =>
      cells
        .filter((cell) => cell.mn === name && cell.offerer === offerer)
        .map(({ prediction }) => (prediction.path === "direct" ? "D" : "H"))
        .join(""),
    );
  const grid = [
    "DDDDDDDDD",
    "DDDDDDDDD",
    "DDDDHHDHH",
    "DDDDDDDDD",
    "DDHDHHDHH",
    "DDHDHHDHH",
    "DDDDDDDDD",
    "DDHDHHDHH",
    "DDHDHHDHH",
  ];
  expect(asGrid("mn")).toEqual(grid);
  expect(asGrid("cn")).toEqual(grid);
});

test.each([
  [["eim-eif", "none", "eim-eif"], { ok: true, middleboxes: [middlebox("eim-eif"), middlebox("none")] }],
  [["eim-eff"], { ok: false, unknown: ["eim-eff"], advice: "did you mean eim-eif?" }],
] as const)("middleboxes are found by name: %j", (names, found) => {
  expect(findMiddleboxes(names)).toEqual(found);
});

test("where no name is near, all of them are told", () => {
  const found = findMiddleboxes(["wormhole"]);
  expect(found.ok ? "" : found.advice).toMatch(/^there are: eim-eif, .*, none$/);
});
