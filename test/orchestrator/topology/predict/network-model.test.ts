import { describe, expect, test } from "vitest";
import { createNetworkModel } from "../../../../orchestrator/topology/predict/network-model.ts";
import { HOME_AGENTS, nodeOf, resolved, topologyText } from "../sample.ts";

describe("a packet to an address that nobody has", () => {
  const topology = resolved(
    topologyText({
      segments: "home: { ipv4: 192.168.1.0/24 }, docker0: { ipv4: 10.99.0.0/24 }",
      nodes: `${HOME_AGENTS},
        nat: { role: router, wan: internet, lan: home, nat: port-restricted-cone },
        inside: { role: host, on: home, image: x },
        open: { role: host, on: internet, image: x },
        island: { role: host, on: docker0, image: x }`,
    }),
  );

  test.each([
    ["open", "198.18.0.6", ["nobody on internet has 192.168.2.7"]],
    [
      "inside",
      "192.168.1.2",
      ["nat sends it from its one mapping for all destinations", "nobody on internet has 192.168.2.7"],
    ],
    ["island", "10.99.0.2", ["island has no route to 192.168.2.7"]],
  ])("from %s", (name, ip, remarks) => {
    const packet = { source: { ip, port: 40_000 }, destination: { ip: "192.168.2.7", port: 40_000 } };
    const delivery = createNetworkModel(topology).send(nodeOf(topology, name), packet);
    expect(delivery).toEqual({ arrived: false, remarks });
  });
});
