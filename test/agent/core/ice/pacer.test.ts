import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import type { IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import { createPacer, LEAST_PACE_MS, type Turns } from "../../../../agent/src/core/ice/pacer.ts";
import type { InstantMs, Transmit } from "../../../../agent/src/core/machine.ts";
import { stunDatagram } from "../stun/received.ts";
import {
  agentL,
  answerOfR,
  checkOfR,
  defined,
  events,
  HOME_L,
  HOME_R,
  HOST_L,
  MAPPED_L,
  MAPPED_R,
  REMOTE,
  sendsUntil,
  transmits,
} from "./hand-made-peer.ts";

describe("turns", () => {
  test("the first is there at once, the next one 5 ms later, counted from when the first was taken", () => {
    const [a, b] = threeTurns();
    expect([a.take(100), b.take(104.9), b.take(105)]).toEqual([true, false, true]);
  });

  test("a node that wakes up late makes one of all it missed", () => {
    const [a, b, c] = threeTurns();
    a.take(0);
    expect([b.take(1), c.take(2)]).toEqual([false, false]);
    expect([b.take(1000), c.take(1000)]).toEqual([true, false]);
    expect(c.nextAt).toBe(1005);
  });

  test("whoever stands in line first goes first, whoever asks first when the time has come", () => {
    const [a, b, c] = threeTurns();
    a.take(0);
    b.take(1);
    c.take(2);
    a.take(3);
    expect([a.take(5), c.take(5), b.take(5)]).toEqual([false, false, true]);
    expect([a.take(10), c.take(10)]).toEqual([false, true]);
    expect(a.take(15)).toBe(true);
  });

  test("who gives up lets the next one go, and stands at the end when it comes again", () => {
    const [a, b, c] = threeTurns();
    a.take(0);
    b.take(1);
    c.take(2);
    b.cancel();
    b.take(3);
    expect([b.take(5), c.take(5)]).toEqual([false, true]);
  });

  test("only the first in line has a time to try again; out of line any time is right", () => {
    const [a, b, c] = threeTurns();
    a.take(0);
    b.take(1);
    c.take(2);
    expect([a.nextAt, b.nextAt, c.nextAt]).toEqual([-Infinity, 5, Infinity]);
  });

  test("nobody waits longer than one turn of all others, whatever they want and when", () => {
    const requests = fc.array(fc.tuple(fc.nat(9), fc.nat(30)), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(requests, (asked) => {
        const pacer = createPacer();
        const all = Array.from({ length: 10 }, () => ({ turns: pacer.turns(), since: Infinity }));
        const starts: InstantMs[] = [];
        for (let now = 0; now < 600; now += 1) {
          for (const [index, at] of asked) {
            const one = all[index];
            if (one !== undefined && at === now && one.since === Infinity) one.since = now;
          }
          for (const one of all) {
            if (one.since === Infinity || !one.turns.take(now)) continue;
            expect(now - one.since).toBeLessThanOrEqual(LEAST_PACE_MS * all.length);
            starts.push(now);
            one.since = Infinity;
          }
        }
        for (const [i, at] of starts.slice(1).entries())
          expect(at - (starts[i] ?? 0)).toBeGreaterThanOrEqual(LEAST_PACE_MS);
        expect(all.every(({ since }) => since === Infinity)).toBe(true);
      }),
    );
  });
});

describe("agents of one node", () => {
  test("start their checks 5 ms apart, and each has its first before any has its second", () => {
    const starts = startsOf(agents(5), 60);
    expect(starts.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4].map((agent, i) => ({ at: 5 * i, agent })));
    expect(starts).toHaveLength(13);
  });

  test("go on without one that is closed while it waits", () => {
    const [first, second, third] = agents(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error("there are three");
    second.close();
    expect(startsOf([first, third], 10)).toEqual([
      { at: 0, agent: 0 },
      { at: 5, agent: 1 },
    ]);
  });

  test("one alone keeps the pace of its list", () => {
    expect(startsOf(agents(1), 60).map(({ at }) => at)).toEqual([0, 20, 40]);
  });
});

test("a relayed pair is not nominated because the node itself keeps a better one waiting", () => {
  const pacer = createPacer();
  const agent = agentL({ pacer });
  agent.setRemote(0, REMOTE);
  const [relayedCheck] = sendsUntil(agent, 40).filter(({ transmit }) => transmit.remote.ip === HOME_R.ip);
  answer(agent, 44, defined(relayedCheck).transmit, HOME_L);
  const rival = pacer.turns();
  expect([rival.take(56), rival.take(57)]).toEqual([true, false]);
  // The peer's check makes the direct pair due at 60, behind another pair that takes longer.
  agent.handleStun(60, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR() }));
  agent.handleTimeout(4000);
  rival.cancel();
  transmits(agent);
  agent.handleTimeout(4000);
  const [directCheck] = transmits(agent).filter(({ remote }) => remote.ip === MAPPED_R.ip);
  // The network has used up 16 ms of 2000 by now.
  expect(sendsUntil(agent, 5983).filter(({ transmit }) => transmit.remote.ip === HOME_R.ip)).toEqual([]);
  answer(agent, 5983, defined(directCheck), MAPPED_L);
  expect(agent.validPairs().map(({ local }) => local.type)).toEqual(["server-reflexive", "relayed"]);
  sendsUntil(agent, 6100);
  expect(events(agent).find((event) => event.type === "check-sent" && event.kind === "nominating")).toMatchObject({
    pair: { remote: { type: "server-reflexive" } },
  });
});

function threeTurns(): readonly [Turns, Turns, Turns] {
  const pacer = createPacer();
  return [pacer.turns(), pacer.turns(), pacer.turns()];
}

/** This many agents with one pacer, all of which received the peer's description at 0. */
function agents(count: number): readonly IceMachine[] {
  const pacer = createPacer();
  return Array.from({ length: count }, () => {
    const agent = agentL({ pacer });
    agent.setRemote(0, REMOTE);
    return agent;
  });
}

/** When which agent started a check; like the node's driver, it wakes all of them at the earliest wake-up of any. */
function startsOf(machines: readonly IceMachine[], until: InstantMs): { at: InstantMs; agent: number }[] {
  const starts: { at: InstantMs; agent: number }[] = [];
  for (let now = 0; now <= until; now = Math.min(...machines.map((machine) => machine.pollTimeout() ?? Infinity))) {
    for (const machine of machines) machine.handleTimeout(now);
    for (const [agent, machine] of machines.entries())
      starts.push(...transmits(machine).map(() => ({ at: now, agent })));
  }
  return starts;
}

function answer(agent: IceMachine, now: InstantMs, check: Transmit, mapped: SocketAddress): void {
  agent.handleStun(
    now,
    stunDatagram({ local: check.local, remote: check.remote, payload: answerOfR(check, { mapped }) }),
  );
}
