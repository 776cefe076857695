import { expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { LifetimeProbe, type Refresh } from "../../../../agent/src/core/nat-probe/lifetime-probe.ts";
import { type NatDependence, SimNet, seededRng } from "../../../../agent/src/testing/index.ts";
import { addServer, hostBehind, runProbe, SERVER } from "./probe-net.ts";

const DEPENDENCES: readonly NatDependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];
const NINE_BEHAVIOURS = DEPENDENCES.flatMap((mapping) => DEPENDENCES.map((filtering) => ({ mapping, filtering })));

const WAIT_MS = 400;
const ASKER: SocketAddress = { ip: "192.168.1.2", port: 50_000 };

function measure(net: SimNet, host: ReturnType<typeof hostBehind>, delaysMs: readonly number[]) {
  const silences = delaysMs.map((delayMs, i) => ({ socket: { ...ASKER, port: 50_001 + i }, delayMs }));
  const probe = new LifetimeProbe({ asker: ASKER, silences, server: SERVER.first, waitMs: WAIT_MS }, seededRng(7));
  return runProbe(net, host, [ASKER, ...silences.map(({ socket }) => socket)], probe);
}

test.each(NINE_BEHAVIOURS)(
  "tells when a mapping of 10 s is there and when it is gone, mapping $mapping, filtering $filtering",
  (nat) => {
    const net = new SimNet();
    addServer(net);
    const host = hostBehind(net, { ...nat, udpLifetimeSec: 10 });

    const { observed, endedAtMs } = measure(net, host, [1000, 5000, 9500, 10_500, 12_000]);

    expect(observed).toEqual({ aliveAfterMs: 9500, goneAfterMs: 10_500 });
    expect(endedAtMs).toBeLessThan(12_000 + 2 * WAIT_MS);
  },
);

/**
 * Two mappings, each with one packet in one direction halfway through twice 7 s, behind a NAT with a timeout of 10 s.
 */
function refresh(net: SimNet, nat: Parameters<typeof hostBehind>[1]) {
  const ways: readonly Refresh[] = ["outbound", "inbound"];
  const silences = ways.map((way, i) => ({ socket: { ...ASKER, port: 50_001 + i }, delayMs: 7000, refresh: way }));
  const probe = new LifetimeProbe({ asker: ASKER, silences, server: SERVER.first, waitMs: WAIT_MS }, seededRng(7));
  const host = hostBehind(net, { udpLifetimeSec: 10, ...nat });
  return runProbe(net, host, [ASKER, ...silences.map(({ socket }) => socket)], probe);
}

test.each(NINE_BEHAVIOURS.flatMap((nat) => [true, false].map((inboundRefresh) => ({ ...nat, inboundRefresh }))))(
  "tells which packets keep a mapping alive: mapping $mapping, filtering $filtering, inbound ones $inboundRefresh",
  (nat) => {
    const net = new SimNet();
    addServer(net);
    const { observed, endedAtMs } = refresh(net, nat);
    expect(observed).toEqual({ outboundRefresh: true, inboundRefresh: nat.inboundRefresh });
    expect(endedAtMs).toBeLessThan(14_000 + 2 * WAIT_MS);
  },
);

test("a refresh that was not answered tells nothing", () => {
  const net = new SimNet();
  addServer(net);
  net.intercept(() => net.time.now < 5000);
  expect(refresh(net, {}).observed).toEqual({});
});

test("a mapping that outlives every silence is never gone", () => {
  const net = new SimNet();
  addServer(net);
  expect(measure(net, hostBehind(net, { udpLifetimeSec: 300 }), [1000, 2000]).observed).toEqual({ aliveAfterMs: 2000 });
});

test("a mapping that ends before the shortest silence was never alive", () => {
  const net = new SimNet();
  addServer(net);
  expect(measure(net, hostBehind(net, { udpLifetimeSec: 1 }), [2000, 3000]).observed).toEqual({ goneAfterMs: 2000 });
});

test("without an answer nothing is known, and no silence is waited for", () => {
  const net = new SimNet();
  const { observed, endedAtMs } = measure(net, hostBehind(net, {}), [60_000]);
  expect({ observed, endedAtMs }).toEqual({ observed: {}, endedAtMs: WAIT_MS });
});

test("a lost question is asked again", () => {
  const net = new SimNet();
  addServer(net);
  const host = hostBehind(net, { udpLifetimeSec: 10 });
  let dropped = 0;
  net.intercept(({ segment }) => segment !== "home" || net.time.now < 5000 || ++dropped > 1);
  expect(measure(net, host, [5000]).observed).toEqual({ aliveAfterMs: 5000 });
  expect(dropped).toBeGreaterThan(1);
});
