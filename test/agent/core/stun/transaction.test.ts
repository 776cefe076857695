import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type RetransmissionProfile,
  retransmissionSchedule,
  StunTransaction,
} from "../../../../agent/src/core/stun/transaction.ts";
import { CHECK } from "../../../vectors/mice-stun.ts";

const REQUEST = {
  local: { ip: "192.168.1.2", port: 40001 },
  remote: { ip: "198.18.0.2", port: 3478 },
  payload: CHECK,
};

/** An arbitrary start: the origin of the time axis has no meaning. */
const START = 1_000_000.25;

describe("retransmissionSchedule", () => {
  test.each<{ name: string; profile: RetransmissionProfile; sendAfterMs: number[]; failAfterMs: number }>([
    {
      name: "an RTO of 100 ms (the draft's 7.9 s)",
      profile: { rtoMs: 100 },
      sendAfterMs: [0, 100, 300, 700, 1500, 3100, 6300],
      failAfterMs: 7900,
    },
    {
      name: "an RTO of 500 ms (RFC 8489's 39.5 s)",
      profile: { rtoMs: 500 },
      sendAfterMs: [0, 500, 1500, 3500, 7500, 15_500, 31_500],
      failAfterMs: 39_500,
    },
    {
      name: "three requests and a short tail",
      profile: { rtoMs: 50, requestCount: 3, tailMultiple: 2 },
      sendAfterMs: [0, 50, 150],
      failAfterMs: 250,
    },
    {
      name: "one request",
      profile: { rtoMs: 50, requestCount: 1, tailMultiple: 3 },
      sendAfterMs: [0],
      failAfterMs: 150,
    },
  ])("of $name", ({ profile, sendAfterMs, failAfterMs }) => {
    expect(retransmissionSchedule(profile)).toEqual({ sendAfterMs, failAfterMs });
  });
});

describe("StunTransaction", () => {
  test("sends at once, again at the moments of the schedule, and times out", () => {
    const transaction = start();
    const sentAfterMs = runToEnd(transaction);

    expect(sentAfterMs).toEqual([0, 100, 300, 700, 1500, 3100, 6300]);
    expect(transaction).toMatchObject({ state: "timed-out", sentCount: 7 });
  });

  test("names the moment of failure once the last request has left", () => {
    const transaction = start();
    for (const afterMs of [100, 300, 700, 1500, 3100, 6300]) transaction.handleTimeout(START + afterMs);

    expect(transaction.pollTimeout()).toBe(START + 7900);
    transaction.handleTimeout(START + 7899);
    expect(transaction.state).toBe("in-progress");
    transaction.handleTimeout(START + 7900);
    expect(transaction.state).toBe("timed-out");
    expect(transaction.pollTimeout()).toBeUndefined();
  });

  test("hands out each transmission once, the request unchanged", () => {
    const transaction = start();

    expect(transaction.pollTransmit()).toBe(REQUEST);
    expect(transaction.pollTransmit()).toBeUndefined();
  });

  test("does nothing when it is woken early", () => {
    const transaction = start();
    transaction.pollTransmit();
    transaction.handleTimeout(START + 99);

    expect(transaction.pollTransmit()).toBeUndefined();
    expect(transaction.pollTimeout()).toBe(START + 100);
  });

  test("sends once for all it missed when it is woken late, and fails no later", () => {
    const transaction = start();
    transaction.pollTransmit();
    transaction.handleTimeout(START + 1000);

    expect(transaction.pollTransmit()).toBe(REQUEST);
    expect(transaction.pollTransmit()).toBeUndefined();
    expect(transaction.sentCount).toBe(2);
    expect(transaction.pollTimeout()).toBe(START + 1500);
    transaction.handleTimeout(START + 7900);
    expect(transaction.state).toBe("timed-out");
    expect(transaction.pollTransmit()).toBeUndefined();
  });

  test("measures a response to the only request", () => {
    const transaction = start();

    expect(transaction.handleResponse(START + 42)).toEqual({ rttMs: 42, isAmbiguous: false });
    expect(transaction.state).toBe("answered");
    expect(transaction.pollTimeout()).toBeUndefined();
  });

  test("measures from the latest request and says that this is a guess", () => {
    const transaction = start();
    transaction.handleTimeout(START + 100);

    expect(transaction.handleResponse(START + 130)).toEqual({ rttMs: 30, isAmbiguous: true });
  });

  test("sends nothing more once answered, even what was due", () => {
    const transaction = start();
    transaction.handleTimeout(START + 100);
    transaction.handleResponse(START + 101);
    transaction.handleTimeout(START + 300);

    expect(transaction.pollTransmit()).toBeUndefined();
    expect(transaction.state).toBe("answered");
  });

  test("takes one response only", () => {
    const transaction = start();
    transaction.handleResponse(START + 10);

    expect(transaction.handleResponse(START + 11)).toBeUndefined();
  });

  test("takes no response after the failure", () => {
    const transaction = start();
    transaction.handleTimeout(START + 7900);

    expect(transaction.handleResponse(START + 7901)).toBeUndefined();
    expect(transaction.state).toBe("timed-out");
  });

  test("takes a late response to a cancelled transaction and sends no more", () => {
    const transaction = start();
    transaction.pollTransmit();
    transaction.cancel();

    expect(transaction.pollTimeout()).toBe(START + 7900);
    transaction.handleTimeout(START + 3000);
    expect(transaction.pollTransmit()).toBeUndefined();
    expect(transaction.handleResponse(START + 3001)).toEqual({ rttMs: 3001, isAmbiguous: false });
    expect(transaction.state).toBe("answered");
  });

  test("expires without failing when it was cancelled and no response came", () => {
    const transaction = start();
    transaction.cancel();
    transaction.handleTimeout(START + 7900);

    expect(transaction.state).toBe("expired");
    expect(transaction.handleResponse(START + 7901)).toBeUndefined();
  });

  test("withdraws a request that is due when it is cancelled", () => {
    const transaction = start();
    transaction.pollTransmit();
    transaction.handleTimeout(START + 100);
    transaction.cancel();

    expect(transaction.pollTransmit()).toBeUndefined();
  });

  test("cannot be cancelled once it is over", () => {
    const transaction = start();
    transaction.handleResponse(START + 1);
    transaction.cancel();

    expect(transaction.state).toBe("answered");
  });

  test("never sends more than Rc requests and always ends, whenever it is woken", () => {
    const wakeUps = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(wakeUps, (afterMs) => {
        const transaction = start();
        for (const each of afterMs.sort((a, b) => a - b)) transaction.handleTimeout(START + each);
        expect(transaction.sentCount).toBeLessThanOrEqual(7);
        transaction.handleTimeout(START + 7900);
        expect(transaction.state).toBe("timed-out");
      }),
    );
  });

  test("is never woken too early at the instant it asked for, whatever fraction the start has", () => {
    const start = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(start, fc.integer({ min: 1, max: 2000 }), (startedAt, rtoMs) => {
        const transaction = new StunTransaction(startedAt, REQUEST, retransmissionSchedule({ rtoMs }));
        let wakeUps = 0;
        for (let at = transaction.pollTimeout(); at !== undefined; at = transaction.pollTimeout()) {
          transaction.handleTimeout(at);
          wakeUps += 1;
          if (wakeUps > 7) break;
        }
        expect([wakeUps, transaction.state]).toEqual([7, "timed-out"]);
      }),
    );
  });
});

function start(): StunTransaction {
  return new StunTransaction(START, REQUEST, retransmissionSchedule({ rtoMs: 100 }));
}

/** Runs the transaction by its wake-ups; returns when it sent, in milliseconds since the start. */
function runToEnd(transaction: StunTransaction): readonly number[] {
  const sentAfterMs: number[] = [];
  let now: number | undefined = START;
  for (let wakeUps = 0; now !== undefined; wakeUps += 1, now = transaction.pollTimeout()) {
    if (wakeUps > 20) throw new Error(`still wants to be woken at ${now - START} ms`);
    transaction.handleTimeout(now);
    if (transaction.pollTransmit() !== undefined) sentAfterMs.push(now - START);
  }
  return sentAfterMs;
}
