/** The attacks of SPEC 10 that ICE itself must withstand. */

import { describe, expect, test } from "vitest";
import { hostCandidate } from "../../../../agent/src/core/ice/candidate.ts";
import type { IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import { candidatePriority } from "../../../../agent/src/core/ice/priority.ts";
import type { Transmit } from "../../../../agent/src/core/machine.ts";
import { encodeStun } from "../../../../agent/src/core/stun/message.ts";
import { fromText } from "../../../vectors/hex.ts";
import { hasRightFingerprint, hasRightIntegrity, stunDatagram } from "../stun/received.ts";
import { duel, FULL_CONE, PORT_RESTRICTED, selectedTypes } from "./duel.ts";
import {
  agentL,
  answerOfR,
  type CheckOptions,
  CREDENTIALS_L,
  checkOfR,
  defined,
  errorAttribute,
  events,
  HOME_L,
  HOST_L,
  hex,
  LOCALS,
  MAPPED_L,
  MAPPED_R,
  REMOTE,
  sendsUntil,
  statusOf,
  transmits,
} from "./hand-made-peer.ts";
import type { SegmentEntry } from "./nat-world.ts";

const ATTACKER = { ip: "198.18.6.6", port: 6666 };
const VICTIM = { ip: "198.18.9.9", port: 9999 };
const TRANSACTION = "070707070707070707070707";
/** Refusals without MESSAGE-INTEGRITY: ERROR-CODE and FINGERPRINT, computed independently of the code under test. */
const BAD_REQUEST = `0111001c2112a442${TRANSACTION}0009000f0000040042616420526571756573740080280004c8483c9e`;
const UNAUTHORIZED = `0111001c2112a442${TRANSACTION}0009001000000401556e617574686f72697a65648028000478aac7f7`;

describe("S1: a forged refusal does not end a check", () => {
  test.each([400, 401, 487, 600])("%d without MESSAGE-INTEGRITY, then the real answer", (code) => {
    const { agent, check } = checking();
    const payload = answerOfR(check, { class: "error", attributes: [errorAttribute(code)], pwd: undefined });
    agent.handleStun(21, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    expect([agent.role, agent.standingOf(HOST_L, MAPPED_R), events(agent)]).toEqual(["controlling", "pending", []]);
    expect(agent.stats().dropped["unauthenticated-response"]).toBe(1);

    agent.handleStun(22, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: answerOfR(check) }));
    expect(agent.standingOf(MAPPED_L, MAPPED_R)).toBe("valid");
  });

  test("487 made with another password", () => {
    const { agent, check } = checking();
    const payload = answerOfR(check, { class: "error", attributes: [errorAttribute(487)], pwd: CREDENTIALS_L.pwd });
    agent.handleStun(21, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    expect([agent.role, events(agent)]).toEqual(["controlling", []]);
  });
});

test("S2 and S5: a forged success proves nothing, and the dead pair fails by time-out", () => {
  const agent = agentL({ candidates: LOCALS.slice(0, 1) });
  agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(1, 2) });
  const [check] = transmits(agent);
  for (const pwd of [undefined, "wrong"]) {
    const payload = answerOfR(defined(check), { pwd, mapped: VICTIM });
    agent.handleStun(5, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
  }
  expect(agent.validPairs()).toEqual([]);
  expect(sendsUntil(agent, 7899)).toHaveLength(6);
  events(agent);
  agent.handleTimeout(7900);
  expect(events(agent)).toMatchObject([{ type: "check-failed", reason: "no answer" }, { type: "failed" }]);
});

describe("S3: a right answer has to take the way of its check", () => {
  test.each([
    {
      name: "from another port",
      local: HOST_L,
      remote: { ...MAPPED_R, port: 62_003 },
      reason: "answered from 203.0.113.20:62003",
    },
    { name: "from another address", local: HOST_L, remote: ATTACKER, reason: "answered from 198.18.6.6:6666" },
    { name: "to another socket", local: HOME_L, remote: MAPPED_R, reason: "answered to [2001:db8:a::100]:40001" },
  ])("$name: the pair fails, nothing is valid", ({ local, remote, reason }) => {
    const { agent, check } = checking();
    agent.handleStun(21, stunDatagram({ local, remote, payload: answerOfR(check) }));
    expect(events(agent)).toMatchObject([{ type: "check-failed", reason }]);
    expect(agent.validPairs()).toEqual([]);
  });
});

describe("S4, S18, S19: a check without the password changes nothing", () => {
  test.each<{ name: string; options: CheckOptions; status: number; answer: string }>([
    {
      name: "no MESSAGE-INTEGRITY",
      options: { pwd: undefined },
      status: 400,
      answer: BAD_REQUEST,
    },
    {
      name: "no USERNAME",
      options: { without: ["username"] },
      status: 400,
      answer: BAD_REQUEST,
    },
    { name: "a stranger's fragment", options: { username: "zzzz:DQ4P" }, status: 401, answer: UNAUTHORIZED },
    {
      name: "the fragment of an earlier generation (S19)",
      options: { username: "oldL:DQ4P" },
      status: 401,
      answer: UNAUTHORIZED,
    },
    { name: "a wrong password", options: { pwd: "AAAAAAAAAAAAAAAAAAAAAA" }, status: 401, answer: UNAUTHORIZED },
    {
      name: "a wrong password and the largest tie-breaker (S18)",
      options: { pwd: "AAAAAAAAAAAAAAAAAAAAAA", role: "controlling", tieBreaker: 2n ** 64n - 1n },
      status: 401,
      answer: UNAUTHORIZED,
    },
    {
      name: "a wrong password and an unknown attribute, which is judged later",
      options: {
        pwd: "AAAAAAAAAAAAAAAAAAAAAA",
        extra: [{ type: "unknown", number: 0x7001, value: new Uint8Array(4) }],
      },
      status: 401,
      answer: UNAUTHORIZED,
    },
  ])("$name: $status", ({ options, status, answer }) => {
    const { agent } = checking();
    const pairs = agent.pollTimeout();
    agent.handleStun(21, stunDatagram({ local: HOST_L, remote: ATTACKER, payload: checkOfR(options) }));
    const [sent, ...more] = transmits(agent);
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ local: HOST_L, remote: ATTACKER });
    const payload = defined(sent).payload;
    expect(statusOf(payload)).toBe(status);
    expect(hex(payload)).toBe(answer);
    expect([events(agent), agent.role, agent.pollTimeout()]).toEqual([[], "controlling", pairs]);
    expect(agent.acceptsDataFrom(HOST_L, ATTACKER)).toBe(false);
    expect(agent.stats().dropped["unauthenticated-request"]).toBe(1);
  });
});

describe("refusals of authenticated checks carry MESSAGE-INTEGRITY", () => {
  const cases: { name: string; options: CheckOptions; status: number; start: string }[] = [
    {
      name: "an unknown required attribute",
      options: { extra: [{ type: "unknown", number: 0x7001, value: new Uint8Array(4) }] },
      status: 420,
      start: `011100442112a442${TRANSACTION}0009001500000414556e6b6e6f776e20417474726962757465000000000a0002700100000008`,
    },
    {
      name: "no PRIORITY",
      options: { without: ["priority"] },
      status: 400,
      start: `011100342112a442${TRANSACTION}0009000f000004004261642052657175657374000008`,
    },
    {
      name: "no role",
      options: { without: ["ice-controlled"] },
      status: 400,
      start: `011100342112a442${TRANSACTION}0009000f000004004261642052657175657374000008`,
    },
    {
      name: "both roles",
      options: { extra: [{ type: "ice-controlling", value: 1n }] },
      status: 400,
      start: `011100342112a442${TRANSACTION}0009000f000004004261642052657175657374000008`,
    },
    {
      name: "the role that this agent keeps",
      options: { role: "controlling", tieBreaker: 0n },
      status: 487,
      start: `011100382112a442${TRANSACTION}0009001100000457526f6c6520436f6e666c6963740000000008`,
    },
  ];
  test.each(cases)("$name: $status", ({ options, status, start }) => {
    const { agent } = checking();
    agent.handleStun(21, stunDatagram({ local: HOST_L, remote: ATTACKER, payload: checkOfR(options) }));
    const payload = defined(transmits(agent)[0]).payload;
    expect(statusOf(payload)).toBe(status);
    expect(hex(payload).slice(0, start.length)).toBe(start);
    expect([hasRightIntegrity(payload, fromText(CREDENTIALS_L.pwd)), hasRightFingerprint(payload)]).toEqual([
      true,
      true,
    ]);
    expect(agent.acceptsDataFrom(HOST_L, ATTACKER)).toBe(false);
  });
});

test("an unauthenticated request on the selected pair is answered 400 and has no effect", () => {
  const { agent, check } = checking();
  agent.handleStun(22, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: answerOfR(check) }));
  const before = agent.validPairs();
  agent.handleStun(
    23,
    stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR({ pwd: undefined, useCandidate: true }) }),
  );
  expect(statusOf(defined(transmits(agent)[0]).payload)).toBe(400);
  expect(agent.validPairs()).toEqual(before);
});

describe("S6 and S8: a genuine check replayed from elsewhere", () => {
  const isCheck = ({ payload, destination }: SegmentEntry): boolean =>
    payload[1] === 1 && !destination.ip.includes(":");

  test("with the original suppressed: the false candidate is checked, never valid, and another pair is selected", () => {
    const captured: Uint8Array[] = [];
    const both = duel({
      natL: PORT_RESTRICTED,
      natR: undefined,
      tap: (entry) => {
        if (entry.from !== "L" || !isCheck(entry) || entry.destination.ip !== "203.0.113.20") return "pass";
        captured.push(entry.payload);
        return "lost";
      },
    });
    both.world.runUntil(60);
    for (const payload of captured) both.world.inject(ATTACKER, { ip: "203.0.113.20", port: 40001 }, payload);
    both.world.runUntil(40_000);
    const { log, agent } = both.r;
    expect(log.filter(({ event }) => event.type === "peer-reflexive")).toHaveLength(1);
    expect(agent.validPairs().map((pair) => pair.remote.address)).not.toContainEqual(ATTACKER);
    expect(agent.acceptsDataFrom(both.r.node.socket, ATTACKER)).toBe(false);
    expect([selectedTypes(both.l), selectedTypes(both.r)]).not.toContain("failed");
    const toAttacker = both.world.segment.filter(({ destination }) => destination.ip === ATTACKER.ip);
    expect(toAttacker.every(({ payload }) => payload.length === 64 || payload.length === 88)).toBe(true);
    expect(toAttacker.length).toBeLessThanOrEqual(captured.length + 7);
  });

  test("with the original arriving too: only the true candidate becomes valid", () => {
    const both = duel({ natL: PORT_RESTRICTED, natR: PORT_RESTRICTED });
    const { world } = both;
    world.tap = (entry) => {
      if (entry.from === "L" && isCheck(entry) && entry.fate === undefined && entry.payload.length === 88)
        world.at(world.now + 2, () => {
          both.r.agent.handleStun(
            world.now,
            stunDatagram({ local: both.r.node.socket, remote: ATTACKER, payload: entry.payload }),
          );
        });
      return "pass";
    };
    world.runUntil(40_000);
    expect(selectedTypes(both.r)).toBe("server-reflexive/server-reflexive");
    expect(both.r.agent.validPairs().map((pair) => pair.remote.address)).not.toContainEqual(ATTACKER);
  });
});

test("S9: a victim that a rogue server named as mapped address gets at most seven packets; the true one is learned", () => {
  const both = duel({ natL: PORT_RESTRICTED, natR: FULL_CONE, mappedL: VICTIM });
  both.world.runUntil(40_000);
  const toVictim = both.world.segment.filter(({ destination }) => destination.ip === VICTIM.ip);
  expect(toVictim.length).toBeGreaterThan(0);
  expect(toVictim.length).toBeLessThanOrEqual(7);
  expect(toVictim.every(({ payload }) => payload.length === 88)).toBe(true);
  expect([selectedTypes(both.l), selectedTypes(both.r)]).toEqual([
    "peer-reflexive/server-reflexive",
    "server-reflexive/peer-reflexive",
  ]);
  expect(both.r.agent.acceptsDataFrom(both.r.node.socket, VICTIM)).toBe(false);
});

describe("S13: amplification by the peer's own offer", () => {
  const bases = Array.from({ length: 4 }, (_, i) => ({ ip: `10.1.0.${i + 5}`, port: 40001 }));
  const victims = Array.from({ length: 50 }, (_, i) => ({
    type: "host" as const,
    address: { ...VICTIM, port: 1000 + i },
    priority: candidatePriority("host", i),
  }));
  const flooded = (): IceMachine => {
    const agent = agentL({ candidates: bases.map((base, i) => hostCandidate(base, i)) });
    agent.setRemote(0, { ...REMOTE, candidates: victims });
    return agent;
  };
  const newChecks = (sends: readonly { at: number; transmit: Transmit }[]): { at: number; transmit: Transmit }[] => {
    const seen = new Set<string>();
    return sends.filter(({ transmit }) => {
      const key = hex(transmit.payload);
      return !seen.has(key) && seen.add(key);
    });
  };

  test("100 pairs, one new check per Ta, 700 requests and no more", () => {
    const agent = flooded();
    const first = transmits(agent).map((transmit) => ({ at: 0, transmit }));
    const sends = [...first, ...sendsUntil(agent, 3_600_000)];
    expect(sends).toHaveLength(700);
    const starts = newChecks(sends).map(({ at }) => at);
    expect(starts).toHaveLength(100);
    expect(starts).toEqual(Array.from({ length: 100 }, (_, i) => i * 20));
    expect(agent.stats()).toMatchObject({ checksSent: 100, retransmits: 600, checksFailed: 100 });
    expect(agent.state).toBe("failed");
  });

  test("checks that the peer triggers on top of it come out of the same 700", () => {
    const agent = flooded();
    transmits(agent);
    let requests = 1;
    for (let i = 0; i < 3000; i++) {
      const remote = { ip: VICTIM.ip, port: 1000 + (i % 250) };
      const transactionId = i % 251;
      agent.handleStun(
        10 * i,
        stunDatagram({ local: defined(bases[0]), remote, payload: checkOfR({ transactionId }) }),
      );
      requests += [...transmits(agent), ...sendsUntil(agent, 10 * i + 9).map(({ transmit }) => transmit)].filter(
        ({ payload }) => payload[1] === 1 && payload[0] === 0,
      ).length;
    }
    expect(requests).toBe(700);
    expect(agent.stats().dropped["request-budget-spent"]).toBeGreaterThan(0);
  });
});

test("S20: a forged Binding Indication changes nothing", () => {
  const { agent } = checking();
  const payload = encodeStun(
    { class: "indication", method: 1, transactionId: new Uint8Array(12), attributes: [] },
    { fingerprint: true },
  );
  const before = agent.pollTimeout();
  agent.handleStun(21, stunDatagram({ local: HOST_L, remote: ATTACKER, payload }));
  expect([transmits(agent), events(agent), agent.pollTimeout()]).toEqual([[], [], before]);
  expect(agent.acceptsDataFrom(HOST_L, ATTACKER)).toBe(false);
  expect(agent.stats().indicationsReceived).toBe(1);
});

test("a response that nobody asked for is counted and ignored", () => {
  const { agent, check } = checking();
  agent.handleStun(21, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: answerOfR(check) }));
  events(agent);
  agent.handleStun(22, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: answerOfR(check) }));
  expect(events(agent)).toEqual([]);
  expect(agent.stats().dropped["unknown-transaction"]).toBe(1);
});

/** Agent L at 20 ms, with its check to MAPPED_R in flight; events are discarded. */
function checking(): { agent: IceMachine; check: Transmit } {
  const agent = agentL();
  agent.setRemote(0, REMOTE);
  const check = [...transmits(agent), ...sendsUntil(agent, 20).map(({ transmit }) => transmit)].at(-1);
  events(agent);
  return { agent, check: defined(check) };
}
