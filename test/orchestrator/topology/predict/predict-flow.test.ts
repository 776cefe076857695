import { expect, test } from "vitest";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { predictFlow } from "../../../../orchestrator/topology/predict/predict-flow.ts";
import { resolved, topologyText } from "../sample.ts";

const DEPENDENCES = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
const NATS = DEPENDENCES.flatMap((mapping) =>
  DEPENDENCES.map((filtering) => `nat: { mapping: ${mapping}, filtering: ${filtering} }`),
);

/** Two homes behind NATs; `ends` are alice and bob. */
function homes(natA: string, natB: string, ends: string, rest: string) {
  return resolved(
    topologyText({
      segments: "home-a: { ipv4: 192.168.1.0/24 }, home-b: { ipv4: 192.168.1.0/24 }",
      nodes: `stun: { role: stun-server, on: internet },
        ha: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" },
        nat-a: { role: router, wan: internet, lan: home-a, ${natA} },
        nat-b: { role: router, wan: internet, lan: home-b, ${natB} }, ${ends}`,
      rest,
    }),
  );
}

function predict(natA: string, natB: string, keys = "") {
  const hosts = "alice: { role: host, on: home-a, command: [x] }, bob: { role: host, on: home-b, command: [x] }";
  const topology = homes(natA, natB, hosts, `flows: [{ name: call, between: [alice, bob]${keys} }]`);
  const [flow] = topology.flows;
  return flow && predictFlow(topology, flow);
}

test("two hosts find a direct path where two agents do, behind any two of nine NATs, with the reasons", () => {
  const agents =
    "alice: { role: mobile-node, on: home-a, homeAgent: ha }, bob: { role: correspondent-node, on: home-b, homeAgent: ha }";
  for (const natA of NATS)
    for (const natB of NATS) {
      const topology = homes(natA, natB, agents, "sessions: [{ from: alice, to: bob }]");
      const [session] = topology.sessions;
      const isDirect = session && predictSession(topology, session).path === "direct";
      const predicted = predict(natA, natB);
      expect(predicted?.direct, `${natA} ${natB}`).toBe(isDirect === true ? "possible" : "impossible");
      expect(predicted?.why.join(" ")).toMatch(isDirect === true ? /arrives/ : /fails: .*nat-[ab]/);
    }
});

test("TCP is not modelled, and of flows that are only found nothing is predicted", () => {
  const [nat = ""] = NATS;
  expect(predict(nat, nat, ", protocol: tcp")).toBeUndefined();
  const topology = homes(
    nat,
    nat,
    "a: { role: host, on: home-a, command: [x] }, b: { role: host, on: home-b, command: [x] }",
    "flows: all",
  );
  expect(topology.flows.map((flow) => predictFlow(topology, flow))).toEqual([undefined, undefined]);
});
