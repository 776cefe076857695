/** A STUN server with two addresses and two ports on a simulated internet, and probes run on hosts. */

import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import type { ProbeMachine } from "../../../../agent/src/core/nat-probe/probe-machine.ts";
import { answerBinding, type StunServerConfig } from "../../../../agent/src/core/stun/server.ts";
import type { SimNet } from "../../../../agent/src/testing/index.ts";
import { createSimNat, type NatProfile, SimHost } from "../../../../agent/src/testing/index.ts";

export const SERVER_IPS = ["198.18.0.10", "198.18.0.11"] as const;
export const SERVER_PORTS = [3478, 3479] as const;

/** First address and port of the server, and second ones. */
export const SERVER = {
  first: { ip: SERVER_IPS[0], port: SERVER_PORTS[0] },
  second: { ip: SERVER_IPS[1], port: SERVER_PORTS[1] },
};

/** Attaches the server to the segment `internet`; the one-way delay is `delayMs`. */
export function addServer(net: SimNet, delayMs = 1): void {
  const server = new SimHost(net, "server");
  server.attach(
    "internet",
    SERVER_IPS.map((ip) => `${ip}/24`),
    { delayMs },
  );
  const config: StunServerConfig = { discovery: [{ ips: SERVER_IPS, ports: SERVER_PORTS }] };
  for (const ip of SERVER_IPS) {
    for (const port of SERVER_PORTS) {
      const local = { ip, port };
      server.bind(local, (payload, remote) => {
        for (const answer of answerBinding({ local, remote, payload }, config))
          server.send({ kind: "udp", source: answer.local, destination: answer.remote, payload: answer.payload });
      });
    }
  }
}

/** A host at 192.168.1.2 behind a NAT. */
export function hostBehind(net: SimNet, profile: Partial<NatProfile>): SimHost {
  createSimNat(net, {
    name: "nat",
    profile: {
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      hairpinning: false,
      portAssignment: "random",
      pooling: "paired",
      parity: "any",
      ports: { first: 20_000, last: 29_999 },
      udpLifetimeSec: 300,
      inboundRefresh: true,
      unsolicited: "ignore",
      seed: 3,
      ...profile,
    },
    wan: { segment: "internet", address: "198.18.0.2/24" },
    lan: { segment: "home", address: "192.168.1.1/24" },
  });
  const host = new SimHost(net, "host");
  host.attach("home", ["192.168.1.2/24"]);
  host.route("0.0.0.0/0", "192.168.1.1");
  return host;
}

/** Runs a probe on `host` to its end; returns its result and the time it ended. */
export function runProbe<Result>(
  net: SimNet,
  host: SimHost,
  sockets: readonly SocketAddress[],
  probe: ProbeMachine<Result>,
): { readonly observed: Result | undefined; readonly endedAtMs: number } {
  const flush = (): void => {
    for (let out = probe.pollTransmit(); out !== undefined; out = probe.pollTransmit())
      host.send({ kind: "udp", source: out.local, destination: out.remote, payload: out.payload });
  };
  for (const local of sockets) {
    host.bind(local, (payload, remote) => {
      probe.handleDatagram(net.time.now, { local, remote, payload });
      flush();
    });
  }
  probe.start(net.time.now);
  flush();
  for (let at = probe.pollTimeout(); at !== undefined; at = probe.pollTimeout()) {
    net.time.runUntil(at);
    probe.handleTimeout(net.time.now);
    flush();
  }
  return { observed: probe.result(), endedAtMs: net.time.now };
}
