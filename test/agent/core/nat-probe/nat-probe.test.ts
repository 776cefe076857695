import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { NatProbe, PROBE_SOCKETS } from "../../../../agent/src/core/nat-probe/nat-probe.ts";
import { answerBinding } from "../../../../agent/src/core/stun/server.ts";
import { createSimNat, type NatDependence, SimHost, SimNet, seededRng } from "../../../../agent/src/testing/index.ts";

const DEPENDENCES: readonly NatDependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];
const NINE_BOXES = DEPENDENCES.flatMap((mapping) => DEPENDENCES.map((filtering) => ({ mapping, filtering })));

const SERVER_IPS = ["198.18.0.10", "198.18.0.11"] as const;
const SERVER_PORTS = [3478, 3479] as const;
const WAIT_MS = 150;

/** A server with two addresses and two ports, one millisecond away on the wire `internet`. */
function addServer(net: SimNet): void {
  const server = new SimHost(net, "server");
  server.attach(
    "internet",
    SERVER_IPS.map((ip) => `${ip}/24`),
    { delayMs: 1 },
  );
  const config = { requireFingerprint: false, discovery: [{ ips: SERVER_IPS, ports: SERVER_PORTS }] };
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

/** Runs a probe on `host` to its end and gives what it saw and when it ended. */
function runProbe(net: SimNet, host: SimHost, localIp: string) {
  const sockets = Array.from({ length: PROBE_SOCKETS }, (_, i): SocketAddress => ({ ip: localIp, port: 50_000 + i }));
  const server = {
    first: { ip: SERVER_IPS[0], port: SERVER_PORTS[0] },
    second: { ip: SERVER_IPS[1], port: SERVER_PORTS[1] },
  };
  const probe = new NatProbe({ sockets, server, waitMs: WAIT_MS }, seededRng(7));
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

describe("a probe behind a box", () => {
  const cases = NINE_BOXES.flatMap((box) => [true, false].map((hairpinning) => ({ ...box, hairpinning })));

  test.each(cases)("sees mapping $mapping, filtering $filtering, hairpinning $hairpinning", (declared) => {
    const net = new SimNet();
    addServer(net);
    createSimNat(net, {
      name: "nat",
      profile: {
        ...declared,
        portAssignment: "random",
        ports: { first: 20_000, last: 29_999 },
        udpLifetimeSec: 300,
        inboundRefresh: true,
        seed: 3,
      },
      wan: { wire: "internet", address: "198.18.0.2/24" },
      lan: { wire: "home", address: "192.168.1.1/24" },
    });
    const host = new SimHost(net, "host");
    host.attach("home", ["192.168.1.2/24"]);
    host.route("0.0.0.0/0", "192.168.1.1");

    const { observed, endedAtMs } = runProbe(net, host, "192.168.1.2");

    expect(observed).toMatchObject({ type: "nat", ...declared, portPreservation: false });
    expect(endedAtMs).toBeLessThanOrEqual(2 * WAIT_MS);
  });

  test("sees no NAT on the open internet, and ends as soon as every question is answered", () => {
    const net = new SimNet();
    addServer(net);
    const host = new SimHost(net, "host");
    host.attach("internet", ["198.18.0.99/24"], { delayMs: 1 });

    const { observed, endedAtMs } = runProbe(net, host, "198.18.0.99");

    expect(observed).toEqual({ type: "no-nat", filtering: "endpoint-independent" });
    expect(endedAtMs).toBeLessThan(WAIT_MS);
  });

  test("calls UDP blocked when nothing is ever answered", () => {
    const net = new SimNet();
    const host = new SimHost(net, "host");
    host.attach("internet", ["198.18.0.99/24"]);
    expect(runProbe(net, host, "198.18.0.99")).toEqual({ observed: { type: "udp-blocked" }, endedAtMs: WAIT_MS });
  });

  test("takes no answer from where it asked as proof that the filter lets others in", () => {
    const net = new SimNet();
    const host = new SimHost(net, "host");
    host.attach("internet", ["198.18.0.99/24"]);
    const server = new SimHost(net, "server");
    server.attach(
      "internet",
      SERVER_IPS.map((ip) => `${ip}/24`),
    );
    for (const ip of SERVER_IPS) {
      for (const port of SERVER_PORTS) {
        server.bind({ ip, port }, (payload, remote) => {
          // A server of RFC 8489 alone would refuse CHANGE-REQUEST; this one ignores it, as some do.
          const config = { requireFingerprint: false, discovery: [{ ips: SERVER_IPS, ports: SERVER_PORTS }] };
          for (const answer of answerBinding({ local: { ip, port }, remote, payload }, config))
            server.send({ kind: "udp", source: { ip, port }, destination: answer.remote, payload: answer.payload });
        });
      }
    }
    expect(runProbe(net, host, "198.18.0.99").observed).toEqual({
      type: "no-nat",
      filtering: "address-and-port-dependent",
    });
  });

  test("refuses to start with too few sockets", () => {
    const server = { first: { ip: SERVER_IPS[0], port: 1 }, second: { ip: SERVER_IPS[1], port: 2 } };
    expect(() => new NatProbe({ sockets: [], server, waitMs: 1 }, seededRng(1))).toThrow(
      "a probe needs 5 sockets, not 0",
    );
  });
});
