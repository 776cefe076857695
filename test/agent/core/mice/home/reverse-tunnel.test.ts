import { describe, expect, test } from "vitest";
import { createReverseTunnel } from "../../../../../agent/src/core/mice/home/reverse-tunnel.ts";
import { createOutbox } from "../../../../../agent/src/core/node/outbox.ts";

const HA4 = { ip: "198.18.0.2", port: 4191 };
const HA6 = { ip: "2001:db8::2", port: 4191 };
const LOCAL4 = { ip: "192.168.1.2", port: 40_001 };
const LOCAL6 = { ip: "2001:db8:1::2", port: 40_001 };

describe("the socket of the tunnel", () => {
  test.each([
    { name: "IPv4 alone", homeAgent: [HA4], sockets: [LOCAL4], local: LOCAL4, remote: HA4 },
    { name: "the best socket first", homeAgent: [HA4, HA6], sockets: [LOCAL6, LOCAL4], local: LOCAL6, remote: HA6 },
    { name: "what the home agent has", homeAgent: [HA4], sockets: [LOCAL6, LOCAL4], local: LOCAL4, remote: HA4 },
  ])("is $name", ({ homeAgent, sockets, local, remote }) => {
    const tunnel = createReverseTunnel(homeAgent, createOutbox());
    tunnel.useSockets(sockets);
    expect(tunnel.ends).toEqual({ local, remote });
  });

  test("changes to the other IP version and back when asked", () => {
    const tunnel = createReverseTunnel([HA4, HA6], createOutbox());
    tunnel.useSockets([LOCAL6, LOCAL4]);
    expect(tunnel.tryNext()).toBe(true);
    expect(tunnel.ends).toEqual({ local: LOCAL4, remote: HA4 });
    tunnel.tryNext();
    expect(tunnel.ends).toEqual({ local: LOCAL6, remote: HA6 });
  });
});

test("without a socket of the home agent's IP version packets are counted and dropped", () => {
  const outbox = createOutbox();
  const tunnel = createReverseTunnel([HA4], outbox);
  tunnel.useSockets([LOCAL6]);
  tunnel.send(new Uint8Array(40));
  expect(outbox.pollTransmit()).toBeUndefined();
  expect(outbox.counters()).toEqual({ "dropped.no-tunnel": 1 });
});
