import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSocketAddress } from "../../../../agent/src/core/address.ts";
import type { IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import { candidatePriority } from "../../../../agent/src/core/ice/priority.ts";
import { findAttribute } from "../../../../agent/src/core/stun/message.ts";
import { fromHex } from "../../../vectors/hex.ts";
import { decodableStun, stunDatagram } from "../stun/received.ts";
import {
  agentL,
  answerOfR,
  CREDENTIALS_L,
  CREDENTIALS_R,
  checkOfR,
  decode,
  defined,
  errorAttribute,
  events,
  HOME_L,
  HOME_R,
  HOST_L,
  HOST_R,
  hex,
  LOCALS,
  MAPPED_L,
  MAPPED_R,
  REMOTE,
  remoteCandidate,
  scriptedRng,
  seededRng,
  sendsUntil,
  statusOf,
  transmits,
} from "./hand-made-peer.ts";

const TIE_BREAKER = "0011223344556677";
const TRANSACTION_ID = "000102030405060708090a0b";

describe("bytes of SPEC 8.3", () => {
  const check = `000100442112a442000102030405060708090a0b00060009445134503a6f624c44000000002400046effffff802a00080011223344556677
    000800145396d6594c972434859139df62239b0fd7837dd880280004f284f609`;

  test("a check of L to R", () => {
    const agent = agentL({ rng: scriptedRng(TIE_BREAKER, TRANSACTION_ID) });
    agent.setRemote(0, REMOTE);
    const [first] = transmits(agent);
    expect(first).toEqual({ local: HOST_L, remote: HOST_R, payload: fromHex(check) });
  });

  test("R's success response, before R has heard of L otherwise", () => {
    const agent = agentL({ role: "controlled", credentials: CREDENTIALS_R });
    agent.handleStun(0, stunDatagram({ local: HOST_R, remote: MAPPED_L, payload: fromHex(check) }));
    expect(hex(transmits(agent)[0]?.payload)).toBe(
      "0101002c2112a442000102030405060708090a0b002000080001cf5be721c048000800143b24c777024988ddb2585c8d6c420050064c477f80280004a55965bc",
    );
  });

  test("R's 487 when it keeps the controlling role", () => {
    const agent = agentL({ credentials: CREDENTIALS_R, rng: scriptedRng("ffffffffffffffff") });
    agent.handleStun(0, stunDatagram({ local: HOST_R, remote: MAPPED_L, payload: fromHex(check) }));
    expect(hex(transmits(agent)[0]?.payload)).toBe(
      "011100382112a442000102030405060708090a0b0009001100000457526f6c6520436f6e666c69637400000000080014d5e65f19f7d2708b75231c29e84571c40c44d480802800045f74ddc4",
    );
  });

  test("the keepalive", () => {
    const agent = completed();
    const [keepalive] = sendsUntil(agent, 20_000);
    expect(keepalive?.transmit.payload).toHaveLength(28);
    expect(hex(keepalive?.transmit.payload).slice(0, 16)).toBe("001100082112a442");
    expect(decode(defined(keepalive).transmit.payload).attributes.map(({ type }) => type)).toEqual(["fingerprint"]);
  });
});

describe("pacing", () => {
  test.each([
    { profile: "ice16" as const, expected: [0, 20, 40] },
    { profile: "rfc8445" as const, expected: [0, 50, 100] },
  ])("$profile: one new check per Ta, the first at once, best pair first", ({ profile, expected }) => {
    const agent = agentL({ profile });
    agent.setRemote(0, REMOTE);
    const first = transmits(agent).map((transmit) => ({ at: 0, transmit }));
    const sends = [...first, ...sendsUntil(agent, 99 + Number(profile === "rfc8445"))];
    expect(sends.map(({ at }) => at)).toEqual(expected);
    expect(sends.map(({ transmit }) => formatSocketAddress(transmit.remote))).toEqual(
      [HOST_R, MAPPED_R, HOME_R].map(formatSocketAddress),
    );
    expect(sends.map(({ transmit }) => transmit.local)).toEqual([HOST_L, HOST_L, HOME_L]);
  });

  test("an unanswered check leaves at RTO x 0, 1, 3, 7, 15, 31, 63 and fails 16 RTO later", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1) });
    agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 1) });
    expect(transmits(agent)).toHaveLength(1);
    expect(sendsUntil(agent, 7899).map(({ at }) => at)).toEqual([100, 300, 700, 1500, 3100, 6300]);
    expect(agent.state).toBe("running");
    expect(agent.pollTimeout()).toBe(7900);
    agent.handleTimeout(7900);
    expect(agent.state).toBe("failed");
    expect(events(agent).slice(-2)).toMatchObject([
      { type: "check-failed", reason: "no answer" },
      { type: "failed", reason: "all-checks-failed" },
    ]);
    expect(agent.stats()).toMatchObject({ checksSent: 1, checksAnswered: 0, checksFailed: 1, retransmits: 6 });
    expect(agent.pollTimeout()).toBeUndefined();
  });

  test.each([
    { profile: "ice16" as const, expected: 19 * 20 },
    { profile: "rfc8445" as const, expected: 20 * 50 },
  ])("$profile: many waiting pairs stretch the RTO to $expected ms", ({ profile, expected }) => {
    const agent = agentL({ profile, candidates: LOCALS.slice(0, 1) });
    const candidates = Array.from({ length: 20 }, (_, i) => remoteCandidate("host", { ip: `192.0.2.${i}`, port: 9 }));
    agent.setRemote(0, { ...REMOTE, candidates });
    const [first] = transmits(agent);
    const repetition = sendsUntil(agent, 2000).find(
      ({ transmit }) => hex(transmit.payload) === hex(defined(first).payload),
    );
    expect(repetition?.at).toBe(expected);
  });

  test("a triggered check takes the next turn, and is a new transaction at once instead of a repetition", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1) });
    agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 2) });
    transmits(agent);
    agent.handleStun(5, stunDatagram({ local: HOST_L, remote: HOST_R, payload: checkOfR() }));
    expect(transmits(agent).map(({ payload }) => statusOf(payload))).toEqual([200]);
    const sends = sendsUntil(agent, 99);
    expect(sends.map(({ at, transmit }) => [at, transmit.remote])).toEqual([
      [20, HOST_R],
      [40, MAPPED_R],
    ]);
    expect(events(agent).filter(({ type }) => type === "check-sent")).toMatchObject([
      { kind: "ordinary" },
      { kind: "triggered" },
      { kind: "ordinary" },
    ]);
  });

  test("when the list has run out, a triggered check leaves with its trigger", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1) });
    agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 1) });
    transmits(agent);
    agent.handleStun(33, stunDatagram({ local: HOST_L, remote: HOST_R, payload: checkOfR() }));
    expect(transmits(agent).map(({ payload }) => decode(payload).class)).toEqual(["success", "request"]);
  });

  test("the peer's repetitions trigger nothing more; its next check does", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1) });
    agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 1) });
    transmits(agent);
    for (const [now, transactionId] of [
      [30, 1],
      [60, 1],
      [90, 2],
    ] as const) {
      agent.handleStun(now, stunDatagram({ local: HOST_L, remote: HOST_R, payload: checkOfR({ transactionId }) }));
    }
    expect(agent.stats()).toMatchObject({ checksSent: 3, retransmits: 0, answersSent: { 200: 3 } });
  });

  test("calling handleTimeout early changes nothing", () => {
    const agent = agentL();
    agent.setRemote(0, REMOTE);
    transmits(agent);
    agent.handleTimeout(19.9);
    expect(transmits(agent)).toEqual([]);
    expect(agent.pollTimeout()).toBe(20);
  });

  test("a late wake-up does not bunch new checks", () => {
    const agent = agentL();
    agent.setRemote(0, REMOTE);
    transmits(agent);
    agent.handleTimeout(95);
    expect(transmits(agent)).toHaveLength(1);
    expect(agent.pollTimeout()).toBe(100);
    expect(sendsUntil(agent, 115).map(({ at }) => at)).toEqual([100, 115]);
  });
});

describe("results of checks", () => {
  test("the mapped address names the valid pair: a known candidate", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    answer(agent, 30, check, MAPPED_L);
    expect(agent.validPairs()).toMatchObject([
      {
        local: { type: "server-reflexive", address: MAPPED_L, base: HOST_L },
        remote: { address: MAPPED_R },
        rttMs: 10,
      },
    ]);
    expect(events(agent).map(({ type }) => type)).toEqual(["check-succeeded", "pair-valid"]);
    expect(agent.standingOf(MAPPED_L, MAPPED_R)).toBe("valid");
    expect(agent.acceptsDataFrom(HOST_L, MAPPED_R)).toBe(true);
    expect(agent.acceptsDataFrom(HOST_L, HOST_R)).toBe(false);
  });

  test("an unknown mapped address is a peer-reflexive candidate of this node, with the priority the check announced", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    const seen = { ip: "198.51.100.10", port: 61777 };
    answer(agent, 30, check, seen);
    const local = { type: "peer-reflexive", address: seen, base: HOST_L, priority: 0x6effffff } as const;
    expect(events(agent)).toMatchObject([
      { type: "check-succeeded", mapped: seen },
      { type: "peer-reflexive", side: "local", candidate: local },
      { type: "pair-valid", pair: { local } },
    ]);
    expect(agent.validPairs()[0]?.priority).toBe(7277816997260296191n);
    expect(sendsUntil(agent, 59).map(({ transmit }) => transmit.remote)).toEqual([HOME_R]);
  });

  test("an error answer with the right key fails the pair", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    const payload = answerOfR(check, { class: "error", attributes: [errorAttribute(600)] });
    agent.handleStun(30, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    expect(events(agent)).toMatchObject([{ type: "check-failed", reason: "answered 600" }]);
    expect(agent.standingOf(HOST_L, MAPPED_R)).toBe("failed");
  });

  test.each([
    { name: "no mapped address", attributes: [], reason: "answered without a mapped address" },
    {
      name: "an unknown required attribute",
      attributes: [
        { type: "xor-mapped-address" as const, value: MAPPED_L },
        { type: "unknown" as const, number: 0x7001, value: new Uint8Array(4) },
      ],
      reason: "answered with an unknown required attribute",
    },
  ])("a success response with $name fails the pair", ({ attributes, reason }) => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    agent.handleStun(30, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: answerOfR(check, { attributes }) }));
    expect(events(agent)).toMatchObject([{ type: "check-failed", reason }]);
    expect(agent.validPairs()).toEqual([]);
  });

  test("a failed pair lives again when the peer's check arrives on it", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    const payload = answerOfR(check, { class: "error", attributes: [errorAttribute(500)] });
    agent.handleStun(30, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    agent.handleStun(31, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR() }));
    expect(agent.standingOf(HOST_L, MAPPED_R)).toBe("pending");
    transmits(agent);
    expect(sendsUntil(agent, 40).map(({ transmit }) => transmit.remote)).toEqual([MAPPED_R]);
  });

  test("the late answer to a check that was called back still counts", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    agent.handleStun(25, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR() }));
    answer(agent, 26, check, MAPPED_L);
    expect(agent.standingOf(MAPPED_L, MAPPED_R)).toBe("valid");
    transmits(agent);
    expect(sendsUntil(agent, 59).map(({ transmit }) => transmit.remote)).toEqual([HOME_R]);
  });

  test("without any pair in reach the agent fails at once", () => {
    const agent = agentL();
    agent.setRemote(0, { ...REMOTE, candidates: [] });
    expect(agent.state).toBe("failed");
    expect(events(agent).at(-1)).toEqual({ type: "failed", reason: "no-candidate-pairs" });
  });

  test("of 50 offered candidates the 32 best are used (A-38)", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1) });
    const candidates = Array.from({ length: 50 }, (_, i) => ({
      type: "host" as const,
      address: { ip: `192.0.2.${i}`, port: 9 },
      priority: candidatePriority("host", i),
    }));
    agent.setRemote(0, { ...REMOTE, candidates });
    const [list] = events(agent);
    expect(list?.type === "check-list" && list.pairs.map(({ remote }) => remote.address.ip)).toEqual(
      Array.from({ length: 32 }, (_, i) => `192.0.2.${49 - i}`),
    );
    expect(agent.stats().dropped["too-many-candidates"]).toBe(18);
  });
});

describe("checks before the peer's description", () => {
  test("are answered at once and have their effect later", () => {
    const agent = agentL();
    const stranger = { ip: "203.0.113.20", port: 7777 };
    agent.handleStun(0, stunDatagram({ local: HOST_L, remote: stranger, payload: checkOfR() }));
    agent.handleStun(0, stunDatagram({ local: HOME_L, remote: HOME_R, payload: checkOfR({ transactionId: 8 }) }));
    expect(transmits(agent).map(({ payload, remote }) => [statusOf(payload), remote])).toEqual([
      [200, stranger],
      [200, HOME_R],
    ]);
    expect(events(agent).map(({ type }) => type)).toEqual(["check-received", "check-received"]);
    expect(agent.acceptsSignallingFrom(HOME_L, HOME_R)).toBe(true);
    expect(agent.acceptsDataFrom(HOME_L, HOME_R)).toBe(false);

    agent.setRemote(10, REMOTE);
    expect(events(agent)).toMatchObject([
      { type: "check-list" },
      { type: "peer-reflexive", side: "remote", candidate: { type: "peer-reflexive", address: stranger } },
      { type: "check-sent", kind: "triggered" },
    ]);
    const sends = [...transmits(agent), ...sendsUntil(agent, 70).map(({ transmit }) => transmit)];
    expect(sends.map(({ remote }) => remote)).toEqual([stranger, HOME_R, HOST_R, MAPPED_R]);
  });

  test("a nomination among them is followed", () => {
    const agent = agentL({ role: "controlled" });
    const payload = checkOfR({ role: "controlling", useCandidate: true });
    agent.handleStun(0, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    transmits(agent);
    agent.setRemote(10, REMOTE);
    answer(agent, 12, defined(transmits(agent)[0]), MAPPED_L);
    expect(agent.selectedPair()).toMatchObject({ local: { address: MAPPED_L }, remote: { address: MAPPED_R } });
    expect(agent.state).toBe("completed");
  });
});

describe("nomination by this agent", () => {
  test("repeats the check of the pair with USE-CANDIDATE, and completes with the answer", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    answer(agent, 22, check, MAPPED_L);
    const sends = sendsUntil(agent, 80);
    expect(sends.map(({ at, transmit }) => [at, transmit.remote, transmit.payload.length])).toEqual([
      [40, HOME_R, 88],
      [60, MAPPED_R, 92],
    ]);
    const nominating = defined(sends[1]).transmit;
    expect(findAttribute(decode(nominating.payload), "use-candidate")).toBe(true);
    expect(agent.state).toBe("running");
    answer(agent, 62, nominating, MAPPED_L);
    expect(agent.state).toBe("completed");
    expect(events(agent).at(-1)).toMatchObject({ type: "nominated", afterMs: 62 });
    expect(agent.selectedPair()).toMatchObject({ local: { address: MAPPED_L }, isNominated: true });
    expect(sendsUntil(agent, 14_000)).toEqual([]);
  });

  test("that fails takes its pair off and nominates the next", () => {
    const agent = agentL();
    const check = checkTo(agent, MAPPED_R);
    answer(agent, 22, check, MAPPED_L);
    const [relayedCheck, nominating] = sendsUntil(agent, 80).map(({ transmit }) => transmit);
    answer(agent, 81, defined(relayedCheck), HOME_L);
    const refusal = answerOfR(defined(nominating), { class: "error", attributes: [errorAttribute(400)] });
    agent.handleStun(90, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: refusal }));
    expect(agent.standingOf(MAPPED_L, MAPPED_R)).toBe("failed");
    const second = sendsUntil(agent, 2200).find(({ transmit }) => transmit.payload.length === 92);
    expect(second).toMatchObject({ at: 2081, transmit: { remote: HOME_R } });
    answer(agent, 2090, defined(second).transmit, HOME_L);
    expect(agent.selectedPair()).toMatchObject({ remote: { address: HOME_R } });
  });

  test("that fails with nothing else valid fails the agent", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1) });
    agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 1) });
    answer(agent, 2, defined(transmits(agent)[0]), HOST_L);
    expect(sendsUntil(agent, 7919).map(({ at }) => at)).toEqual([20, 120, 320, 720, 1520, 3120, 6320]);
    agent.handleTimeout(7920);
    expect(agent.state).toBe("failed");
  });
});

describe("nomination by the peer", () => {
  const nomination = { role: "controlling", useCandidate: true } as const;

  test("of a pair that has succeeded here selects it at once", () => {
    const agent = agentL({ role: "controlled" });
    answer(agent, 22, checkTo(agent, MAPPED_R), MAPPED_L);
    agent.handleStun(30, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR(nomination) }));
    expect(agent.state).toBe("completed");
    expect(events(agent).at(-1)).toMatchObject({ type: "nominated", afterMs: 30 });
  });

  test("of a pair on its way selects it when it succeeds", () => {
    const agent = agentL({ role: "controlled" });
    const check = checkTo(agent, MAPPED_R);
    agent.handleStun(21, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR(nomination) }));
    expect(agent.state).toBe("running");
    answer(agent, 22, check, MAPPED_L);
    expect(agent.state).toBe("completed");
  });

  test("in every check (aggressive): the best nominated pair wins, also after the first", () => {
    const agent = agentL({ role: "controlled" });
    agent.setRemote(0, REMOTE);
    const [host] = transmits(agent);
    const [reflexive] = sendsUntil(agent, 20).map(({ transmit }) => transmit);
    agent.handleStun(21, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR(nomination) }));
    answer(agent, 22, defined(reflexive), MAPPED_L);
    expect(agent.selectedPair()?.remote.address).toEqual(MAPPED_R);

    answer(agent, 60, defined(host), HOST_L);
    expect(agent.selectedPair()?.remote.address).toEqual(MAPPED_R);
    agent.handleStun(
      61,
      stunDatagram({ local: HOST_L, remote: HOST_R, payload: checkOfR({ ...nomination, transactionId: 9 }) }),
    );
    expect(agent.selectedPair()?.remote.address).toEqual(HOST_R);
    agent.handleStun(
      62,
      stunDatagram({ local: HOME_L, remote: HOME_R, payload: checkOfR({ ...nomination, transactionId: 10 }) }),
    );
    expect(agent.selectedPair()?.remote.address).toEqual(HOST_R);
    expect(events(agent).filter(({ type }) => type === "nominated")).toHaveLength(2);
  });

  test("means nothing from a peer that does not control", () => {
    const agent = agentL();
    answer(agent, 22, checkTo(agent, MAPPED_R), MAPPED_L);
    agent.handleStun(23, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR({ useCandidate: true }) }));
    expect(agent.selectedPair()).toBeUndefined();
  });
});

describe("after the conclusion", () => {
  test("checks are still answered and trigger nothing", () => {
    const agent = completed();
    agent.handleStun(200, stunDatagram({ local: HOST_L, remote: HOST_R, payload: checkOfR() }));
    expect(transmits(agent).map(({ payload }) => statusOf(payload))).toEqual([200]);
    expect(sendsUntil(agent, 3000)).toEqual([]);
  });

  test("worse checks on their way are not repeated at the controlled end, better ones are", () => {
    const agent = agentL({ role: "controlled" });
    agent.setRemote(0, REMOTE);
    transmits(agent);
    const [reflexive] = sendsUntil(agent, 40).map(({ transmit }) => transmit);
    answer(agent, 42, defined(reflexive), MAPPED_L);
    const payload = checkOfR({ role: "controlling", useCandidate: true });
    agent.handleStun(43, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    transmits(agent);
    const repeated = sendsUntil(agent, 8000).map(({ transmit }) => transmit.remote);
    expect(repeated).toEqual(Array(6).fill(HOST_R));
  });

  test("unused candidates are released 3 s later, once", () => {
    const agent = completed();
    events(agent);
    sendsUntil(agent, 3061);
    expect(events(agent)).toEqual([]);
    sendsUntil(agent, 10_000);
    expect(events(agent)).toEqual([{ type: "released" }]);
  });

  test("a keepalive leaves after 15 s of silence, put off by data and by answers", () => {
    const agent = completed();
    agent.noteDataSent(5000);
    expect(sendsUntil(agent, 20_000).map(({ at, transmit }) => [at, transmit.remote])).toEqual([[20_000, MAPPED_R]]);
    agent.handleStun(30_000, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR() }));
    transmits(agent);
    expect(sendsUntil(agent, 61_000).map(({ at }) => at)).toEqual([45_000, 60_000]);
    expect(agent.stats().keepalivesSent).toBe(3);
    expect(events(agent).at(-1)).toMatchObject({ type: "keepalive-sent", pair: { remote: { address: MAPPED_R } } });
  });
});

describe("lite", () => {
  test("a lite agent sends no checks, answers, and follows the nomination", () => {
    const agent = agentL({ isLite: true, candidates: LOCALS.slice(0, 1) });
    agent.setRemote(0, REMOTE);
    expect([agent.role, agent.pollTimeout(), transmits(agent)]).toEqual(["controlled", undefined, []]);
    agent.handleStun(5, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR({ role: "controlling" }) }));
    expect(agent.state).toBe("running");
    const payload = checkOfR({ role: "controlling", useCandidate: true, transactionId: 8 });
    agent.handleStun(6, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
    expect(transmits(agent).map((transmit) => statusOf(transmit.payload))).toEqual([200, 200]);
    expect(agent.selectedPair()).toMatchObject({ local: { address: HOST_L }, remote: { address: MAPPED_R } });
  });

  test("of a lite peer this agent takes control, whoever offered", () => {
    const agent = agentL({ role: "controlled" });
    agent.setRemote(0, { ...REMOTE, isLite: true });
    expect(agent.role).toBe("controlling");
    expect(decode(defined(transmits(agent)[0]).payload).attributes.map(({ type }) => type)).toContain(
      "ice-controlling",
    );
  });

  test("two lite agents cannot check (A-22)", () => {
    const agent = agentL({ isLite: true });
    agent.setRemote(0, { ...REMOTE, isLite: true });
    expect(agent.state).toBe("failed");
    expect(events(agent)).toEqual([{ type: "failed", reason: "lite-lite" }]);
  });
});

test("what belongs to the agent: its fragment and its open transactions", () => {
  const agent = agentL();
  agent.setRemote(0, REMOTE);
  const [first] = transmits(agent);
  const { transactionId } = decode(defined(first).payload);
  expect([agent.ownsUsername(CREDENTIALS_L.ufrag), agent.ownsUsername(CREDENTIALS_R.ufrag)]).toEqual([true, false]);
  expect(agent.ownsTransaction(transactionId)).toBe(true);
  answer(agent, 1, defined(first), HOST_L);
  expect(agent.ownsTransaction(transactionId)).toBe(false);
});

test("a second description changes nothing", () => {
  const agent = agentL();
  agent.setRemote(0, REMOTE);
  transmits(agent);
  agent.setRemote(1, { ...REMOTE, candidates: [remoteCandidate("host", MAPPED_R)] });
  expect(sendsUntil(agent, 40).map(({ transmit }) => transmit.remote)).toEqual([MAPPED_R, HOME_R]);
});

test("no bytes make the agent throw", () => {
  const agent = agentL({ rng: seededRng(3) });
  agent.setRemote(0, REMOTE);
  const check = checkOfR();
  const damaged = fc
    .tuple(fc.nat(check.length - 1), fc.nat(255))
    .map(([i, value]) => check.with(i, value).slice(0, check.length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 128 }), damaged), (payload) => {
      const datagram = decodableStun({ local: HOST_L, remote: MAPPED_R, payload });
      if (datagram !== undefined) agent.handleStun(1, datagram);
    }),
  );
});

/** Starts checks at 0 and returns the one to `remote`, which is due within the first 20 ms; discards events. */
function checkTo(agent: IceMachine, remote: { ip: string; port: number }) {
  agent.setRemote(0, REMOTE);
  const sends = [...transmits(agent), ...sendsUntil(agent, 20).map(({ transmit }) => transmit)];
  events(agent);
  return defined(sends.find((transmit) => transmit.remote.ip === remote.ip));
}

function answer(
  agent: IceMachine,
  now: number,
  check: { local: typeof HOST_L; remote: typeof HOST_R; payload: Uint8Array },
  mapped: typeof HOST_L,
) {
  agent.handleStun(
    now,
    stunDatagram({ local: check.local, remote: check.remote, payload: answerOfR(check, { mapped }) }),
  );
}

/** An agent that selected MAPPED_L to MAPPED_R at 62. */
function completed(): IceMachine {
  const agent = agentL();
  answer(agent, 22, checkTo(agent, MAPPED_R), MAPPED_L);
  const nominating = sendsUntil(agent, 60).at(-1);
  answer(agent, 62, defined(nominating).transmit, MAPPED_L);
  if (agent.state !== "completed") throw new Error("the agent has not completed");
  events(agent);
  return agent;
}
