import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../../agent/src/core/ice/constants.ts";
import {
  decideNomination,
  type NominationCandidate,
  type OpenPair,
} from "../../../../agent/src/core/ice/nomination.ts";

const DIRECT: NominationCandidate = { priority: 50n, isRelayed: false, validAt: 1000, rttMs: 4 };
const RELAYED: NominationCandidate = { priority: 10n, isRelayed: true, validAt: 1000, rttMs: 8 };
const BETTER: OpenPair = { priority: 90n, state: "in-progress", lastSentAt: 990 };
const WORSE: OpenPair = { priority: 20n, state: "in-progress", lastSentAt: 1000 };
const DELAY_ONLY = { ...DEFAULT_LIMITS, settleRtts: 0 };

test("without a valid pair there is nothing to nominate and no time to wait for", () => {
  expect(decideNomination(0, [], [BETTER], DEFAULT_LIMITS)).toEqual({ type: "wait", until: undefined });
});

test("the best valid pair is nominated, whatever the order of the list", () => {
  const decision = decideNomination(1000, [RELAYED, DIRECT], [], DEFAULT_LIMITS);
  expect(decision).toEqual({ type: "nominate", pair: DIRECT, reason: "list-exhausted" });
});

test("(a) nothing open outranks it: at once", () => {
  expect(decideNomination(1000, [DIRECT], [WORSE], DEFAULT_LIMITS)).toEqual({
    type: "nominate",
    pair: DIRECT,
    reason: "outranks-open",
  });
});

describe("(b) a better pair is open", () => {
  test("the delay counts from the first direct valid pair, not from the best", () => {
    const later = { ...DIRECT, priority: 60n, validAt: 1080 };
    expect(decideNomination(1090, [DIRECT, later], [BETTER], DELAY_ONLY)).toEqual({ type: "wait", until: 1100 });
    expect(decideNomination(1100, [DIRECT, later], [BETTER], DELAY_ONLY)).toEqual({
      type: "nominate",
      pair: later,
      reason: "delay-passed",
    });
  });

  test("an earlier relayed pair does not start the delay", () => {
    const relayed = { ...RELAYED, validAt: 500 };
    expect(decideNomination(1000, [relayed, DIRECT], [BETTER], DELAY_ONLY)).toEqual({ type: "wait", until: 1100 });
  });

  test("it is hopeless 50 ms after its last request when the round trip is short", () => {
    expect(decideNomination(1039.9, [DIRECT], [BETTER], DEFAULT_LIMITS)).toEqual({ type: "wait", until: 1040 });
    expect(decideNomination(1040, [DIRECT], [BETTER], DEFAULT_LIMITS)).toMatchObject({ reason: "better-hopeless" });
  });

  test("it is hopeless after three round trips when they are long", () => {
    const slow = { ...DIRECT, rttMs: 30 };
    expect(decideNomination(1000, [slow], [BETTER], DEFAULT_LIMITS)).toEqual({ type: "wait", until: 1080 });
  });

  test("the delay is the upper bound", () => {
    const slow = { ...DIRECT, rttMs: 200 };
    expect(decideNomination(1000, [slow], [BETTER], DEFAULT_LIMITS)).toEqual({ type: "wait", until: 1100 });
  });

  test.each<OpenPair>([
    { priority: 90n, state: "waiting", lastSentAt: undefined },
    { priority: 90n, state: "waiting", lastSentAt: 100 },
  ])("a Waiting pair is never hopeless: %o", (waiting) => {
    expect(decideNomination(1040, [DIRECT], [waiting, BETTER], DEFAULT_LIMITS)).toEqual({ type: "wait", until: 1100 });
  });

  test("the last of several better pairs decides", () => {
    const second = { ...BETTER, lastSentAt: 1010 };
    expect(decideNomination(1040, [DIRECT], [BETTER, second], DEFAULT_LIMITS)).toEqual({ type: "wait", until: 1060 });
  });
});

describe("(d) only the relayed pair is valid", () => {
  test("direct pairs get two seconds, however hopeless they look", () => {
    expect(decideNomination(2999, [RELAYED], [BETTER], DEFAULT_LIMITS)).toEqual({ type: "wait", until: 3000 });
    expect(decideNomination(3000, [RELAYED], [BETTER], DEFAULT_LIMITS)).toEqual({
      type: "nominate",
      pair: RELAYED,
      reason: "relay-delay",
    });
  });

  test("(c) it is nominated at once when every check has ended", () => {
    expect(decideNomination(1000, [RELAYED], [], DEFAULT_LIMITS)).toMatchObject({ reason: "list-exhausted" });
  });
});
