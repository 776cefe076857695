import { describe, expect, test } from "vitest";
import type { IceLimits } from "../../../../agent/src/core/ice/constants.ts";
import type { IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import type { Transmit } from "../../../../agent/src/core/machine.ts";
import { stunDatagram } from "../stun/received.ts";
import {
  type AnswerOptions,
  agentL,
  answerOfR,
  CREDENTIALS_R,
  checkOfR,
  decode,
  defined,
  errorAttribute,
  events,
  HOST_L,
  HOST_R,
  LOCALS,
  MAPPED_L,
  MAPPED_R,
  REMOTE,
  sendsUntil,
  statusOf,
  transmits,
} from "./hand-made-peer.ts";

/** The limits of a node. */
const CONSENT: Partial<IceLimits> = { consentIntervalMs: 5000, consentRetryMs: 500, consentTimeoutMs: 10_000 };

/** The earlier check list is finished by then. */
const QUIET_AT = 3500;

describe("questions for consent", () => {
  test("leave 4 to 6 s after the answer to the last one, as checks without USE-CANDIDATE", () => {
    const agent = completed();
    let answeredAt = 62;
    for (let i = 0; i < 50; i++) {
      const { at, transmit } = nextQuestion(agent);
      expect(at - answeredAt).toBeGreaterThanOrEqual(4000);
      expect(at - answeredAt).toBeLessThanOrEqual(6000);
      expect(transmit).toMatchObject({ local: HOST_L, remote: MAPPED_R });
      const types = decode(transmit.payload).attributes.map(({ type }) => type);
      expect(types).toEqual(["username", "priority", "ice-controlling", "message-integrity", "fingerprint"]);
      answeredAt = at + 10;
      answer(agent, answeredAt, transmit);
    }
    expect(agent.stats()).toMatchObject({ consentSent: 50, consentAnswered: 50, keepalivesSent: 0, checksFailed: 0 });
    expect(events(agent).filter(({ type }) => type !== "released")).toEqual([]);
  });

  test("are repeated every 500 ms with new transactions, and after 20 in vain the pair is dead", () => {
    const agent = completed();
    const sends = sendsUntil(agent, 60_000).filter(({ at }) => at > QUIET_AT);
    const [first] = sends;
    expect(sends.map(({ at }) => Math.round(at - defined(first).at))).toEqual(
      Array.from({ length: 20 }, (_, i) => i * 500),
    );
    expect(new Set(sends.map(({ transmit }) => decode(transmit.payload).transactionId.join())).size).toBe(20);
    expect(events(agent).at(-1)).toMatchObject({
      type: "pair-dead",
      reason: "no-answer",
      silentMs: defined(first).at + 10_000 - 62,
      pair: { local: { address: MAPPED_L }, remote: { address: MAPPED_R } },
    });
    expect([agent.state, agent.selectedPair(), agent.validPairs(), agent.pollTimeout()]).toEqual([
      "failed",
      undefined,
      [],
      undefined,
    ]);
  });

  test("are enough of them asked also after a long sleep, before anything is buried", () => {
    const agent = completed();
    agent.handleTimeout(3_600_000);
    transmits(agent);
    agent.handleTimeout(7_200_000);
    const [question] = transmits(agent).filter(isQuestion);
    answer(agent, 7_200_010, defined(question));
    expect(agent.state).toBe("completed");
  });

  test("are answered by any answer to any of them, however late", () => {
    const agent = completed();
    const { at, transmit } = nextQuestion(agent);
    sendsUntil(agent, at + 9900);
    answer(agent, at + 9950, transmit);
    sendsUntil(agent, at + 9950 + 3900);
    expect(agent.state).toBe("completed");
  });

  test.each<[string, AnswerOptions]>([
    ["a success without MESSAGE-INTEGRITY", { pwd: undefined }],
    ["a success of another password", { pwd: CREDENTIALS_R.pwd.toLowerCase() }],
    ["a forged 401", { class: "error", attributes: [errorAttribute(401)], pwd: undefined }],
    ["a refusal of the peer itself", { class: "error", attributes: [errorAttribute(400)] }],
  ])("are neither answered nor ended by %s", (_, options) => {
    const agent = completed();
    const { at, transmit } = nextQuestion(agent);
    answer(agent, at + 10, transmit, options);
    expect([agent.state, agent.stats().consentAnswered]).toEqual(["completed", 0]);
    sendsUntil(agent, at + 10_000);
    expect(agent.state).toBe("failed");
  });

  test("are not answered by what comes from elsewhere", () => {
    const agent = completed();
    const { at, transmit } = nextQuestion(agent);
    agent.handleStun(at + 10, stunDatagram({ local: HOST_L, remote: HOST_R, payload: answerOfR(transmit) }));
    expect(agent.stats()).toMatchObject({ consentAnswered: 0, dropped: { "consent-refused": 1 } });
  });

  test("are answered by a 487 of the peer: who disagrees is alive", () => {
    const agent = completed();
    const { at, transmit } = nextQuestion(agent);
    answer(agent, at + 10, transmit, { class: "error", attributes: [errorAttribute(487)] });
    expect(agent.stats().consentAnswered).toBe(1);
  });

  test("bury the pair at once when the answer shows another mapped address", () => {
    const agent = completed();
    const { at, transmit } = nextQuestion(agent);
    answer(agent, at + 10, transmit, { mapped: { ...MAPPED_L, port: 1 } });
    expect(events(agent).at(-1)).toMatchObject({ type: "pair-dead", reason: "mapping-changed" });
    expect(agent.state).toBe("failed");
  });
});

describe("a pair that is probably dead", () => {
  test("is asked at once, and dead after five questions in a second", () => {
    const agent = completed();
    agent.suspect(QUIET_AT);
    const sends = sendsUntil(agent, 20_000).filter(({ at }) => at >= QUIET_AT);
    expect(sends.map(({ at }) => at - QUIET_AT)).toEqual([0, 200, 400, 600, 800]);
    expect(events(agent).at(-1)).toMatchObject({ type: "pair-dead", reason: "no-answer" });
    expect(agent.state).toBe("failed");
  });

  test("is no more so after an answer, also to a question of before", () => {
    const agent = completed();
    const { at, transmit } = nextQuestion(agent);
    agent.suspect(at + 100);
    sendsUntil(agent, at + 500);
    answer(agent, at + 510, transmit);
    const sends = sendsUntil(agent, at + 20_000);
    expect((sends[0]?.at ?? 0) - at - 510).toBeGreaterThanOrEqual(4000);
    expect(agent.state).toBe("failed");
    expect(sends.length).toBe(20);
  });
});

test("an agent whose pair is dead goes on answering checks, and learns nothing from them", () => {
  const agent = completed();
  sendsUntil(agent, 60_000);
  const payload = checkOfR({ useCandidate: true });
  agent.handleStun(60_001, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload }));
  expect(transmits(agent).map((transmit) => statusOf(transmit.payload))).toEqual([200]);
  expect([agent.validPairs(), agent.pollTimeout()]).toEqual([[], undefined]);
});

test("the peer's questions are answered, and no news", () => {
  const agent = completed();
  agent.handleStun(5000, stunDatagram({ local: HOST_L, remote: MAPPED_R, payload: checkOfR() }));
  expect(transmits(agent).map(({ payload }) => statusOf(payload))).toEqual([200]);
  expect(events(agent)).toEqual([]);
});

test("a relayed pair is asked nothing: the home registration watches its way", () => {
  const agent = agentL({ limits: { ...CONSENT, relayNominationDelayMs: 0 }, candidates: LOCALS.slice(2) });
  agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(2) });
  for (const at of [10, 60]) {
    const [check] = [...transmits(agent), ...sendsUntil(agent, at).map(({ transmit }) => transmit)];
    answer(agent, at, defined(check), { mapped: defined(LOCALS[2]).address });
  }
  expect(agent.state).toBe("completed");
  expect(sendsUntil(agent, 14_000)).toEqual([]);
});

/** An agent that selected MAPPED_L to MAPPED_R at 62 and sends consent checks. */
function completed(): IceMachine {
  const agent = agentL({ limits: CONSENT });
  agent.setRemote(0, REMOTE);
  const checks = [...transmits(agent), ...sendsUntil(agent, 20).map(({ transmit }) => transmit)];
  answer(agent, 22, defined(checks.find(({ remote }) => remote.ip === MAPPED_R.ip)));
  answer(agent, 62, defined(sendsUntil(agent, 60).at(-1)).transmit);
  if (agent.state !== "completed") throw new Error("the agent has not completed");
  events(agent);
  return agent;
}

function answer(agent: IceMachine, now: number, { local, remote, ...rest }: Transmit, options: AnswerOptions = {}) {
  agent.handleStun(now, stunDatagram({ local, remote, payload: answerOfR({ local, remote, ...rest }, options) }));
}

/** Runs until the next consent check is sent. */
function nextQuestion(agent: IceMachine): { at: number; transmit: Transmit } {
  for (let steps = 0; steps < 1000; steps++) {
    const at = defined(agent.pollTimeout());
    agent.handleTimeout(at);
    const question = transmits(agent).find(isQuestion);
    if (question !== undefined && at > QUIET_AT) return { at, transmit: question };
  }
  throw new Error("no question came");
}

function isQuestion({ payload }: Transmit): boolean {
  return decode(payload).class === "request";
}
