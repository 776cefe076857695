import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type End,
  eventsOf,
  type MiceNetSetup,
  type NatDependence,
  type NatProfile,
  type SideSetup,
  type TraceEntry,
} from "../../agent/src/testing/index.ts";
import { destinationIp } from "../../agent/src/testing/packet.ts";
import { ACCESS, connect, pathOf } from "./scenario.ts";

/** The reasons for which an end's checks were refused, each once. */
function refusalsAt(end: End): readonly string[] {
  return eventsOf(end, "check-refused").map(
    ({ event: { pair, by, reason } }) => `${pair.remote.address.ip} by ${by}: ${reason}`,
  );
}

/** The same network behind NATs that reject what they do not let in by ICMP, or drop it silently. */
function behindNats({ a, b, ...setup }: MiceNetSetup, rejects: boolean): MiceNetSetup {
  return { a: { ...a, rejects }, b: { ...b, rejects }, ...setup };
}

/** What a node sent and when; simultaneous packets are in no particular order. */
function sentBy(node: string, trace: readonly TraceEntry[]): readonly string[] {
  return trace
    .filter(({ from }) => from === node)
    .map(({ atMs, packet }) => `${atMs} ${destinationIp(packet)} ${Buffer.from(packet.payload).toString("hex")}`)
    .toSorted();
}

describe("between two middleboxes that refuse by ICMP what they do not let in", () => {
  test("the end that checks first is refused, and the path is direct all the same", () => {
    const mice = connect(behindNats({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } }, true));
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect(refusalsAt(mice.cn)).toEqual(["198.18.0.10 by 198.18.0.10: administratively prohibited"]);
    expect(refusalsAt(mice.mn)).toEqual([]);
    expect(pathOf(mice.mn)).toBe("direct server-reflexive server-reflexive");
    expect(pathOf(mice.cn)).toBe("direct server-reflexive server-reflexive");
  });

  test("whatever the middleboxes and delays: nodes send what they send between middleboxes that say nothing", {
    timeout: 180_000,
  }, () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const [silent, rejecting] = [false, true].map((rejects) => {
          const mice = connect(behindNats(setup, rejects));
          mice.net.time.runUntil(20_000);
          return {
            sent: ["mn", "cn"].map((name) => sentBy(name, mice.net.trace)),
            paths: [pathOf(mice.mn), pathOf(mice.cn)],
          };
        });
        expect(rejecting?.paths).toEqual(silent?.paths);
        expect(rejecting?.sent).toEqual(silent?.sent);
      }),
      { numRuns: 100 },
    );
  });
});

const dependence = fc.constantFrom<NatDependence>(
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
);

const nat: fc.Arbitrary<Partial<NatProfile>> = fc.record({
  mapping: dependence,
  filtering: dependence,
  portAssignment: fc.constantFrom<NatProfile["portAssignment"]>("preserve", "random"),
  seed: fc.integer({ min: 1, max: 1000 }),
});

/** Links without randomness, which ICMP packets would use up. */
const link = fc.record({ delayMs: fc.integer({ min: 0, max: 120 }) });
const side: fc.Arbitrary<SideSetup> = fc.record({ nat, access: link });
const setups = fc.record({ a: side, b: side, homeAgents: link, seed: fc.integer({ min: 1, max: 1_000_000 }) });
