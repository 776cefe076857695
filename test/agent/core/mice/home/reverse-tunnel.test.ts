import { describe, expect, test } from "vitest";
import { createReverseTunnel, tunnelWays } from "../../../../../agent/src/core/mice/home/reverse-tunnel.ts";
import { createOutbox } from "../../../../../agent/src/core/node/outbox.ts";

const HA4 = { ip: "198.18.0.2", port: 4191 };
const HA6 = { ip: "2001:db8::2", port: 4191 };
const SECOND_HA4 = { ip: "198.19.0.2", port: 4191 };
const LOCAL4 = { ip: "192.168.1.2", port: 40_001 };
const LOCAL6 = { ip: "2001:db8:1::2", port: 40_001 };
const LTE = { ip: "10.0.0.2", port: 40_001 };

describe("the ways of the tunnel", () => {
  test.each([
    { name: "IPv4 alone", homeAgent: [HA4], sockets: [LOCAL4], ways: [[LOCAL4, HA4]] },
    {
      name: "the best socket first",
      homeAgent: [HA4, HA6],
      sockets: [LOCAL6, LOCAL4],
      ways: [
        [LOCAL6, HA6],
        [LOCAL4, HA4],
      ],
    },
    { name: "what the home agent has", homeAgent: [HA4], sockets: [LOCAL6, LOCAL4], ways: [[LOCAL4, HA4]] },
    {
      name: "every interface with every address of the home agent",
      homeAgent: [HA4, SECOND_HA4],
      sockets: [LOCAL4, LTE],
      ways: [
        [LOCAL4, HA4],
        [LOCAL4, SECOND_HA4],
        [LTE, HA4],
        [LTE, SECOND_HA4],
      ],
    },
    {
      name: "only what has a route: a segment without a router is no way, unless the home agent is on it",
      homeAgent: [HA4, SECOND_HA4],
      sockets: [
        { ...LOCAL4, prefixLength: 24, hasRouter: false },
        { ip: "198.19.0.7", port: 40_001, prefixLength: 24, hasRouter: false },
        { ...LTE, prefixLength: 24, hasRouter: true },
      ],
      ways: [
        [{ ip: "198.19.0.7", port: 40_001 }, SECOND_HA4],
        [LTE, HA4],
        [LTE, SECOND_HA4],
      ],
    },
  ])("are $name", ({ homeAgent, sockets, ways }) => {
    expect(tunnelWays(sockets, homeAgent)).toEqual(ways.map(([local, remote]) => ({ local, remote })));
  });
});

test("without a way packets are counted and dropped", () => {
  const outbox = createOutbox();
  createReverseTunnel([HA4], outbox).send(new Uint8Array(40));
  expect(outbox.pollTransmit()).toBeUndefined();
  expect(outbox.counters()).toEqual({ "dropped.no-tunnel": 1 });
});
