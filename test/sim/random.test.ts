import fc from "fast-check";
import { expect, test } from "vitest";
import type { Impairment } from "../../agent/src/core/link/impairment.ts";
import {
  createMiceNet,
  createNumberedFlow,
  type MiceNet,
  type NatDependence,
  type NatProfile,
  type SideSetup,
} from "../../agent/src/testing/index.ts";
import { CONNECT_AT, offer, pathOf } from "./scenario.ts";

const dependence = fc.constantFrom<NatDependence>(
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
);

const nat: fc.Arbitrary<Partial<NatProfile>> = fc.record({
  mapping: dependence,
  filtering: dependence,
  portAssignment: fc.constantFrom<NatProfile["portAssignment"]>("preserve", "random", "sequential"),
  hairpinning: fc.boolean(),
  inboundRefresh: fc.boolean(),
  // RFC 4787 REQ-5: two minutes at least; the tunnel's keepalive of 110 s relies on it.
  udpLifetimeSec: fc.integer({ min: 120, max: 300 }),
  seed: fc.integer({ min: 1, max: 1000 }),
});

function link(lossRate: number): fc.Arbitrary<Impairment> {
  return fc.record({
    delayMs: fc.integer({ min: 0, max: 120 }),
    jitterMs: fc.integer({ min: 0, max: 20 }),
    lossRate: fc.double({ min: 0, max: lossRate, noNaN: true }),
    duplicateRate: fc.constantFrom(0, 0.02),
  });
}

function side(lossRate: number): fc.Arbitrary<SideSetup> {
  return fc
    .record({ nat: fc.option(nat, { nil: undefined }), access: link(lossRate) })
    .map(({ nat: nat, access }) => (nat === undefined ? { access } : { nat: nat, access }));
}

const scenario = (lossRate: number) =>
  fc.record({
    a: side(lossRate),
    b: side(lossRate),
    homeAgents: link(lossRate / 2),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    /** When the correspondent offers too; undefined when it does not. */
    alsoOffersAfterMs: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
  });

/** Whether both ends use the same path for their data; an end that no offer reached has only the home agents' path. */
function doPathsAgree(mice: MiceNet): boolean {
  const [mn, cn] = [mice.mn, mice.cn].map((each) => pathOf(each).startsWith("direct"));
  return mn === cn;
}

/** Runs until everything has settled: the longest retransmission interval is 32 s. */
function runUntilSettled({ net, ...mice }: MiceNet): void {
  net.time.runUntil(CONNECT_AT + 70_000);
  for (let turn = 0; turn < 10 && !doPathsAgree({ net, ...mice }); turn++) net.time.runUntil(net.time.now + 32_000);
}

test("whatever the middleboxes and links: both ends agree on a path, and data arrives on it", {
  timeout: 300_000,
}, () => {
  fc.assert(
    fc.property(scenario(0.1), ({ alsoOffersAfterMs, ...setup }) => {
      const mice = createMiceNet(setup);
      mice.net.time.runUntil(CONNECT_AT);
      offer(mice.mn, mice.cn);
      if (alsoOffersAfterMs !== undefined) {
        mice.net.time.runUntil(CONNECT_AT + alsoOffersAfterMs);
        offer(mice.cn, mice.mn);
      }
      runUntilSettled(mice);
      expect(doPathsAgree(mice)).toBe(true);

      const forth = createNumberedFlow(mice.mn, mice.cn);
      const back = createNumberedFlow(mice.cn, mice.mn);
      forth.sendEvery(100, 10_000);
      back.sendEvery(100, 10_000);
      mice.net.time.runUntil(mice.net.time.now + 12_000);
      for (const flow of [forth, back]) expect(new Set(flow.arrivals()).size).toBeGreaterThan(flow.sent * 0.5);
    }),
    { numRuns: 500 },
  );
});

test("without loss no packet of a flow across the whole set-up is lost or doubled", { timeout: 300_000 }, () => {
  const lossless = scenario(0).map((setup) => ({
    ...setup,
    homeAgents: { ...setup.homeAgents, duplicateRate: 0 },
    a: { ...setup.a, access: { ...setup.a.access, duplicateRate: 0 } },
    b: { ...setup.b, access: { ...setup.b.access, duplicateRate: 0 } },
  }));
  fc.assert(
    fc.property(lossless, ({ alsoOffersAfterMs, ...setup }) => {
      const mice = createMiceNet(setup);
      mice.net.time.runUntil(CONNECT_AT);
      const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
      for (const flow of flows) flow.sendEvery(20, 5000);
      offer(mice.mn, mice.cn);
      if (alsoOffersAfterMs !== undefined) {
        mice.net.time.runUntil(CONNECT_AT + alsoOffersAfterMs);
        offer(mice.cn, mice.mn);
      }
      mice.net.time.runUntil(CONNECT_AT + 20_000);
      for (const flow of flows)
        expect(flow.arrivals().toSorted((a, b) => a - b)).toEqual(Array.from({ length: flow.sent }, (_, i) => i));
      expect(doPathsAgree(mice)).toBe(true);
    }),
    { numRuns: 100 },
  );
});
