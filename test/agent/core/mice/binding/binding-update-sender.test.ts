import { describe, expect, test } from "vitest";
import type { Transmit } from "../../../../../agent/src/core/machine.ts";
import { BindingUpdateSender } from "../../../../../agent/src/core/mice/binding/binding-update-sender.ts";
import { createMobilityLink } from "../../../../../agent/src/core/mice/session/mobility-link.ts";
import { createMessageRate } from "../../../../../agent/src/core/mip6/message-rate.ts";
import type { MobilityMessageOf } from "../../../../../agent/src/core/mip6/messages.ts";
import { encodeAuthorized } from "../../../../../agent/src/core/mip6/return-routability.ts";
import { createOutbox } from "../../../../../agent/src/core/node/outbox.ts";

const MN = "2001:db8:a::100";
const CN = "2001:db8:b::200";
const CARE_OF = "198.51.100.10";
const LOCAL = { ip: "10.1.0.5", port: 40_001 };
const REMOTE = { ip: "203.0.113.20", port: 62_002 };
/** Length of the inner IPv6 header. */
const HEADER_AT = 40;
/** `mice-kbm` of SPEC 3.4. */
const KEY = Buffer.from("82ded5106a977f226761f7f1a6dc6078e39c7b64", "hex");

function sender() {
  const outbox = createOutbox();
  const sent: number[] = [];
  const link = createMobilityLink(MN, (payload, way) => {
    if (way.type === "pair") outbox.transmit({ local: way.local, remote: way.remote, payload });
  });
  const limits = { firstMs: 1000, maxMs: 32_000, tokenLifetimeMs: 210_000 };
  const onSent = (sequence: number): void => void sent.push(sequence);
  const updates = new BindingUpdateSender(CN, limits, { link, rate: createMessageRate(), onSent });
  const start = ({ homeTokenAt = 0, careOfTokenAt = 0 } = {}): void =>
    updates.start(0, {
      careOf: CARE_OF,
      lifetimeSec: 420,
      homeToken: { index: 1, token: Buffer.from("ac4effdf8cba2374", "hex"), receivedAt: homeTokenAt },
      careOfToken: { index: 1, token: Buffer.from("6edd530aaadfdc0a", "hex"), receivedAt: careOfTokenAt },
      offer: [],
      way: { type: "pair", local: LOCAL, remote: REMOTE },
    });
  return { updates, start, sent, lastTransmit: () => lastOf(() => outbox.pollTransmit()) };
}

function lastOf(poll: () => Transmit | undefined): Transmit {
  let last: Transmit | undefined;
  for (let next = poll(); next !== undefined; next = poll()) last = next;
  if (last === undefined) throw new Error("nothing was sent");
  return last;
}

/** An acknowledgement signed like one of the correspondent. */
function acknowledgement(status: number, sequence: number, key: Uint8Array = KEY) {
  const message: MobilityMessageOf<"binding-acknowledgement"> = {
    type: "binding-acknowledgement",
    status,
    keyManagement: false,
    sequence,
    lifetimeSec: status === 0 ? 420 : 0,
    options: [],
  };
  const endpoints = { source: CN, destination: MN };
  return { message, header: encodeAuthorized(message, endpoints, { key, careOf: CARE_OF, correspondent: CN }) };
}

test("status 135 makes it go on from the correspondent's number; the update is that of SPEC 8.3, octet for octet", () => {
  const { updates, start, lastTransmit } = sender();
  start();
  const { message, header } = acknowledgement(135, 6);
  expect(updates.takeAcknowledgement(10, message, header)).toEqual({ type: "resent" });
  const { local, remote, payload } = lastTransmit();
  expect({ local, remote }).toEqual({ local: LOCAL, remote: REMOTE });
  expect(Buffer.from(payload.subarray(HEADER_AT)).toString("hex")).toBe(
    "3b06050065cc0007800000690100031000000000000000000000ffffc633640a04040001000101020000050c5b932adde28c2d36a5800660",
  );
});

test("the acknowledgement of SPEC 8.3 is accepted", () => {
  const { updates, start } = sender();
  start();
  const resume = acknowledgement(135, 6);
  updates.takeAcknowledgement(10, resume.message, resume.header);
  const { message } = acknowledgement(0, 7);
  const header = Buffer.from("3b0306007926000000070069010400000000050c1c390d590f8d13b9ffbc9392", "hex");
  expect(updates.takeAcknowledgement(20, message, header)).toEqual({
    type: "accepted",
    sequence: 7,
    lifetimeSec: 420,
  });
  expect(updates.pollTimeout()).toBeUndefined();
});

test("a correspondent that always knows a later number is asked three times more, then that is its answer", () => {
  const { updates, start, sent } = sender();
  start();
  const outcomes = [10, 20, 30, 40].map((sequence) => {
    const { message, header } = acknowledgement(135, sequence);
    return updates.takeAcknowledgement(sequence * 50, message, header).type;
  });
  expect(outcomes).toEqual(["resent", "resent", "resent", "rejected"]);
  expect(sent).toEqual([1, 11, 21, 31]);
});

test("of four updates within a second the fourth waits for its repetition, and nothing answers it before", () => {
  const { updates, start, sent } = sender();
  start();
  for (const sequence of [10, 20, 30]) {
    const { message, header } = acknowledgement(135, sequence);
    updates.takeAcknowledgement(0, message, header);
  }
  expect(sent).toEqual([1, 11, 21]);
  for (const sequence of [30, 31, 32]) {
    const early = acknowledgement(0, sequence);
    expect(updates.takeAcknowledgement(10, early.message, early.header).type).toBe("ignored");
  }
  updates.handleTimeout(updates.pollTimeout() ?? 0);
  expect(sent).toEqual([1, 11, 21, 31]);
  const { message, header } = acknowledgement(0, 31);
  expect(updates.takeAcknowledgement(1010, message, header).type).toBe("accepted");
});

test.each([
  { name: "signed with another key", status: 0, sequence: 1, key: new Uint8Array(20), reason: "unauthorized" },
  { name: "for a number not sent", status: 0, sequence: 2, key: KEY, reason: "unexpected-sequence" },
])("an acknowledgement $name is ignored", ({ status, sequence, key, reason }) => {
  const { updates, start } = sender();
  start();
  const { message, header } = acknowledgement(status, sequence, key);
  expect(updates.takeAcknowledgement(10, message, header)).toEqual({ type: "ignored", reason });
  expect(updates.pollTimeout()).toBe(1000);
});

test("repetitions take new numbers, and any of them may be the one that is acknowledged", () => {
  const { updates, start, sent } = sender();
  start();
  updates.handleTimeout(1000);
  updates.handleTimeout(3000);
  expect(sent).toEqual([1, 2, 3]);
  const { message, header } = acknowledgement(0, 2);
  expect(updates.takeAcknowledgement(3100, message, header).type).toBe("accepted");
});

test.each([136, 137, 138])("status %i, about nonces, needs no authenticator and asks for new tokens", (status) => {
  const { updates, start } = sender();
  start();
  const { message } = acknowledgement(status, 1);
  expect(updates.takeAcknowledgement(10, message, new Uint8Array(16))).toEqual({ type: "expired-tokens", status });
});

test.each([135, 139, 174])("status %i counts with an authenticator only", (status) => {
  const { updates, start } = sender();
  start();
  const { message } = acknowledgement(status, 1);
  const outcome = updates.takeAcknowledgement(10, message, new Uint8Array(16));
  expect(outcome).toEqual({ type: "ignored", reason: "unauthorized" });
});

test("each time the longest wait is over it was in vain, and repetition goes on at that rate", () => {
  const { updates, start } = sender();
  start();
  const inVain: number[] = [];
  for (let at = updates.pollTimeout(); at !== undefined && at < 200_000; at = updates.pollTimeout())
    if (updates.handleTimeout(at) === "in-vain") inVain.push(at);
  expect(inVain).toEqual([63_000, 95_000, 127_000, 159_000, 191_000]);
});

test("nothing is repeated, and no answer counts, once it is stopped", () => {
  const { updates, start } = sender();
  start();
  updates.stop();
  expect([updates.pollTimeout(), updates.handleTimeout(1000)]).toEqual([undefined, undefined]);
  const { message, header } = acknowledgement(0, 1);
  expect(updates.takeAcknowledgement(10, message, header).type).toBe("ignored");
});

describe("an update whose tokens are 210 s old", () => {
  test.each([
    { name: "both", tokens: {}, endsAt: 223_000, transmissions: 11 },
    { name: "the home token", tokens: { homeTokenAt: -100_000 }, endsAt: 127_000, transmissions: 8 },
    { name: "the care-of token", tokens: { careOfTokenAt: -100_000 }, endsAt: 127_000, transmissions: 8 },
  ])("is not repeated, and asks for new ones: $name", ({ tokens, endsAt, transmissions }) => {
    const { updates, start, sent } = sender();
    start(tokens);
    const outcomes: [number, string | undefined][] = [];
    for (let at = updates.pollTimeout(); at !== undefined; at = updates.pollTimeout())
      outcomes.push([at, updates.handleTimeout(at)]);
    expect(outcomes.filter(([, outcome]) => outcome === "expired-tokens")).toEqual([[endsAt, "expired-tokens"]]);
    expect(outcomes.at(-1)).toEqual([endsAt, "expired-tokens"]);
    expect(sent.length).toBe(transmissions);
  });

  test("is not sent with a later number either", () => {
    const { updates, start, sent } = sender();
    start();
    const { message, header } = acknowledgement(135, 6);
    expect(updates.takeAcknowledgement(210_000, message, header)).toEqual({ type: "expired-tokens", status: 135 });
    expect(sent).toEqual([1]);
    start();
    expect(sent).toEqual([1, 7]);
  });
});
