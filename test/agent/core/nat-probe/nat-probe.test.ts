import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { NatProbe, PROBE_SOCKETS } from "../../../../agent/src/core/nat-probe/nat-probe.ts";
import { answerBinding } from "../../../../agent/src/core/stun/server.ts";
import { type NatDependence, SimHost, SimNet, seededRng } from "../../../../agent/src/testing/index.ts";
import { addServer, hostBehind, runProbe, SERVER, SERVER_IPS, SERVER_PORTS } from "./probe-net.ts";

const DEPENDENCES: readonly NatDependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];
const NINE_BEHAVIOURS = DEPENDENCES.flatMap((mapping) => DEPENDENCES.map((filtering) => ({ mapping, filtering })));

const WAIT_MS = 150;

function natProbe(net: SimNet, host: SimHost, localIp: string) {
  const sockets = Array.from({ length: PROBE_SOCKETS }, (_, i): SocketAddress => ({ ip: localIp, port: 50_000 + i }));
  return runProbe(net, host, sockets, new NatProbe({ sockets, server: SERVER, waitMs: WAIT_MS }, seededRng(7)));
}

function openHost(net: SimNet, delayMs = 0): SimHost {
  const host = new SimHost(net, "host");
  host.attach("internet", ["198.18.0.99/24"], { delayMs });
  return host;
}

describe("a probe behind a middlebox", () => {
  const cases = NINE_BEHAVIOURS.flatMap((nat) => [true, false].map((hairpinning) => ({ ...nat, hairpinning })));

  test.each(cases)("sees mapping $mapping, filtering $filtering, hairpinning $hairpinning", (declared) => {
    const net = new SimNet();
    addServer(net);

    const { observed, endedAtMs } = natProbe(net, hostBehind(net, declared), "192.168.1.2");

    expect(observed).toMatchObject({ type: "nat", ...declared, portPreservation: false });
    expect(endedAtMs).toBeLessThanOrEqual(2 * WAIT_MS);
  });

  test.each([
    { portAssignment: "preserve" as const, kept: true },
    { portAssignment: "random" as const, kept: false },
  ])(
    "ports assigned by $portAssignment: parity kept $kept, of all ports that answers show",
    ({ portAssignment, kept }) => {
      const net = new SimNet();
      addServer(net);
      const nat = { portAssignment, mapping: "endpoint-independent" as const };
      const { observed } = natProbe(net, hostBehind(net, nat), "192.168.1.2");
      expect(observed).toMatchObject({ type: "nat", portPreservation: kept, parityPreservation: kept });
    },
  );

  test("a slow server is slow for every question: silence counts from the last answer on", () => {
    const net = new SimNet();
    addServer(net, 60);
    const { observed } = natProbe(net, hostBehind(net, { hairpinning: true }), "192.168.1.2");
    expect(observed).toMatchObject({ type: "nat", mapping: "endpoint-independent", hairpinning: true });
  });

  test.each([
    { mapping: "endpoint-independent" as const, seen: "endpoint-independent" },
    { mapping: "address-dependent" as const, seen: undefined },
  ])("where the second port is out of reach, mapping $mapping is seen as $seen", ({ mapping, seen }) => {
    const net = new SimNet();
    addServer(net);
    net.intercept(({ packet }) => packet.kind !== "udp" || packet.destination.port !== SERVER.second.port);
    const { observed } = natProbe(net, hostBehind(net, { mapping }), "192.168.1.2");
    expect(observed).toMatchObject({ type: "nat", filtering: "address-and-port-dependent" });
    expect(observed?.type === "nat" ? observed.mapping : "no middlebox").toBe(seen);
  });
});

describe("a probe without a middlebox", () => {
  test("sees no NAT on the open internet, and ends as soon as every question is answered", () => {
    const net = new SimNet();
    addServer(net);

    const { observed, endedAtMs } = natProbe(net, openHost(net, 1), "198.18.0.99");

    expect(observed).toEqual({ type: "no-nat", filtering: "endpoint-independent" });
    expect(endedAtMs).toBeLessThan(WAIT_MS);
  });

  test("calls UDP blocked when nothing is ever answered", () => {
    const net = new SimNet();
    expect(natProbe(net, openHost(net), "198.18.0.99")).toEqual({
      observed: { type: "udp-blocked" },
      endedAtMs: WAIT_MS,
    });
  });

  test("takes no answer from where it asked as proof that the filter lets others in", () => {
    const net = new SimNet();
    const server = new SimHost(net, "server");
    server.attach(
      "internet",
      SERVER_IPS.map((ip) => `${ip}/24`),
    );
    for (const ip of SERVER_IPS) {
      for (const port of SERVER_PORTS) {
        server.bind({ ip, port }, (payload, remote) => {
          // A server of RFC 8489 alone would refuse CHANGE-REQUEST; this one ignores it, as some do.
          const config = { discovery: [{ ips: SERVER_IPS, ports: SERVER_PORTS }] };
          for (const answer of answerBinding({ local: { ip, port }, remote, payload }, config))
            server.send({ kind: "udp", source: { ip, port }, destination: answer.remote, payload: answer.payload });
        });
      }
    }
    expect(natProbe(net, openHost(net), "198.18.0.99").observed).toEqual({
      type: "no-nat",
      filtering: "address-and-port-dependent",
    });
  });

  test("refuses to start with too few sockets", () => {
    expect(() => new NatProbe({ sockets: [], server: SERVER, waitMs: 1 }, seededRng(1))).toThrow(
      "a probe needs 5 sockets, not 0",
    );
  });
});
