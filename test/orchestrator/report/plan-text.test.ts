import { expect, test } from "vitest";
import type { Plan } from "../../../orchestrator/plan/plan.ts";
import { formatPlan } from "../../../orchestrator/report/plan-text.ts";

const PLAN: Plan = {
  topology: "one-middlebox",
  segments: [{ name: "internet", interfaceName: "internet" }],
  nodes: [
    {
      name: "nat-a",
      sysctls: { "net.ipv4.ip_forward": "1" },
      tun: false,
      segments: ["internet"],
      setup: {
        version: 1,
        node: "nat-a",
        interfaces: [
          {
            segment: "internet",
            interfaceName: "internet",
            mac: "02:00:00:00:00:01",
            addresses: ["198.18.0.4/24"],
            impairment: { out: { delayMs: 20, jitterMs: 2 }, in: { lossRate: 0.01 }, seed: "00000001" },
          },
        ],
        routes: [
          { to: "0.0.0.0/0", via: "198.18.0.1", interfaceName: "internet" },
          { to: "::/0", interfaceName: "internet" },
        ],
        rules: [{ tool: "nft", text: "table ip testbed {\n}\n" }],
        hosts: [],
        capture: true,
        role: { type: "router" },
      },
    },
  ],
  timeline: [],
  programs: [
    {
      name: "probe",
      inside: "nat-a",
      source: { type: "image", image: "busybox" },
      command: ["ping", "x"],
      environment: { A: "1" },
    },
  ],
};

test("a plan reads as numbered steps with the rule texts ready to be pasted", () => {
  const predicted = { session: "mn-cn", path: "direct" as const, why: ["No middlebox is in the way."] };
  expect(formatPlan(PLAN, [predicted]).join("\n")).toMatchInlineSnapshot(`
    "plan of one-middlebox: 1 segment, 1 node; nothing was made

    1. make segment internet (interface internet)

    2. make node nat-a: router
       interface internet on internet: 02:00:00:00:00:01 198.18.0.4/24
       link out of internet: 20 ms ± 2 ms
       link in of internet: loss 1 %
       route 0.0.0.0/0 via 198.18.0.1 dev internet
       route ::/0 to the edge, dev internet
       sysctl net.ipv4.ip_forward=1

    nft -f - <<'EOF'
    table ip testbed {
    }
    EOF

    3. start every node, wait until all are ready, and verify NATs and firewalls

    4. start busybox in the network of nat-a, as probe
       command ["ping","x"]
       environment A=1

    predicted for mn-cn: direct
       No middlebox is in the way."
  `);
});
