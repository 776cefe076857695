import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CandidateType } from "../../../../agent/src/core/events.ts";
import {
  announcedPriority,
  candidatePriority,
  localPreferenceOf,
  pairPriority,
} from "../../../../agent/src/core/ice/priority.ts";

describe("candidate priorities are those of SPEC 2.2", () => {
  test.each<[CandidateType, number]>([
    ["host", 0x7effffff],
    ["peer-reflexive", 0x6effffff],
    ["server-reflexive", 0x64ffffff],
    ["relayed", 0x00ffffff],
  ])("%s", (type, priority) => {
    expect(candidatePriority(type)).toBe(priority);
  });

  test("a lower local preference never outranks a better type", () => {
    expect(candidatePriority("host", 0)).toBeGreaterThan(candidatePriority("peer-reflexive", 65_535));
  });

  test("a check announces its candidate as peer-reflexive with the same local preference", () => {
    expect(announcedPriority(0x7effffff)).toBe(0x6effffff);
    expect(announcedPriority(candidatePriority("relayed", 7))).toBe(candidatePriority("peer-reflexive", 7));
    expect(localPreferenceOf(candidatePriority("host", 65_533))).toBe(65_533);
  });
});

describe("pair priorities are those of SPEC 2.2", () => {
  const host = candidatePriority("host");
  const reflexive = candidatePriority("server-reflexive");
  const peerReflexive = candidatePriority("peer-reflexive");
  const relayed = candidatePriority("relayed");

  test.each([
    { name: "host/host", g: host, d: host, expected: 9151314442783293438n },
    { name: "G host & D srflx", g: host, d: reflexive, expected: 7277816997797167103n },
    { name: "G srflx & D host", g: reflexive, d: host, expected: 7277816997797167102n },
    { name: "srflx/srflx", g: reflexive, d: reflexive, expected: 7277816996924751870n },
    { name: "G srflx & D prflx", g: reflexive, d: peerReflexive, expected: 7277816997260296190n },
    { name: "relay/relay", g: relayed, d: relayed, expected: 72057589776515070n },
  ])("$name", ({ g, d, expected }) => {
    expect(pairPriority("controlling", g, d)).toBe(expected);
    expect(pairPriority("controlled", d, g)).toBe(expected);
  });

  test("both ends compute the same value for one pair", () => {
    const priority = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(priority, priority, (l, r) => {
        expect(pairPriority("controlling", l, r)).toBe(pairPriority("controlled", r, l));
      }),
    );
  });
});
