/** Cost of a received check: a node splits, sums and authenticates its octets only once. */

import type * as cryptoModule from "node:crypto";
import type * as zlibModule from "node:zlib";
import { beforeEach, expect, test, vi } from "vitest";
import { encodeCheck } from "../../../../agent/src/core/ice/check-message.ts";
import type { Transmit } from "../../../../agent/src/core/machine.ts";
import { decodeMipIce } from "../../../../agent/src/core/mice/option/mip-ice-option.ts";
import type * as codecModule from "../../../../agent/src/core/stun/attribute-codec.ts";
import type * as frameModule from "../../../../agent/src/core/stun/frame.ts";
import { fromText } from "../../../vectors/hex.ts";
import { HandMadePeer, MN_SOCKET } from "./hand-made-peer.ts";

const work = vi.hoisted(() => ({ splits: 0, decodes: 0, crcs: 0, hmacs: 0 }));

vi.mock("../../../../agent/src/core/stun/frame.ts", async (importOriginal) => {
  const original = await importOriginal<typeof frameModule>();
  return { ...original, frameStun: counted("splits", original.frameStun) };
});
vi.mock("../../../../agent/src/core/stun/attribute-codec.ts", async (importOriginal) => {
  const original = await importOriginal<typeof codecModule>();
  return { ...original, decodeAttribute: counted("decodes", original.decodeAttribute) };
});
vi.mock("node:zlib", async (importOriginal) => {
  const original = await importOriginal<typeof zlibModule>();
  return { ...original, crc32: counted("crcs", original.crc32) };
});
vi.mock("node:crypto", async (importOriginal) => {
  const original = await importOriginal<typeof cryptoModule>();
  return { ...original, createHmac: counted("hmacs", original.createHmac) };
});

const CN_SOCKET = { ip: "198.18.0.20", port: 40_002 };
const STRANGER = { ip: "198.18.6.6", port: 6666 };
/** USERNAME, PRIORITY, ICE-CONTROLLING, MESSAGE-INTEGRITY, FINGERPRINT. */
const ATTRIBUTES = 5;

beforeEach(() => Object.assign(work, { splits: 0, decodes: 0, crcs: 0, hmacs: 0 }));

/** Answering costs one CRC, and one HMAC if the answer is authenticated. */
test.each([
  { name: "a check of the peer", pwd: "right", from: MN_SOCKET, status: 200, hmacs: 1 + 1, crcs: 1 + 1 },
  { name: "a check with a wrong password", pwd: "wrong", from: STRANGER, status: 401, hmacs: 1, crcs: 1 + 1 },
] as const)("$name is split, decoded, summed and authenticated once, then answered $status", (each) => {
  const { peer, check } = connected();
  const payload = check(each.pwd);
  Object.assign(work, { splits: 0, decodes: 0, crcs: 0, hmacs: 0 });

  peer.cn.handleDatagram(peer.now, { local: CN_SOCKET, remote: each.from, payload });

  expect(work).toEqual({ splits: 1, decodes: ATTRIBUTES, crcs: each.crcs, hmacs: each.hmacs });
  expect(peer.cn.counters()[`checks.answered-with-${each.status}`]).toBeGreaterThan(0);
});

test("three thousand checks of one second with a wrong password cost twenty HMACs and twenty answers", () => {
  const { peer, check } = connected();
  const payload = check("wrong");
  while (peer.cn.pollTransmit() !== undefined);
  Object.assign(work, { splits: 0, decodes: 0, crcs: 0, hmacs: 0 });

  for (let i = 0; i < 3000; i++)
    peer.cn.handleDatagram(peer.now + i / 3000, { local: CN_SOCKET, remote: STRANGER, payload });

  expect(work).toEqual({ splits: 3000, decodes: 3000 * ATTRIBUTES, crcs: 3000 + 20, hmacs: 20 });
  expect(peer.cn.counters()["dropped.check-request-rate"]).toBe(2980);
  const answers: Transmit[] = [];
  for (let sent = peer.cn.pollTransmit(); sent !== undefined; sent = peer.cn.pollTransmit()) answers.push(sent);
  expect(answers.filter(({ remote }) => remote === STRANGER)).toHaveLength(20);
});

test("a datagram that is not STUN costs no HMAC and no decoding", () => {
  const { peer, check } = connected();
  const payload = check("right");
  payload[payload.length - 1] = (payload[payload.length - 1] ?? 0) ^ 1;
  Object.assign(work, { splits: 0, decodes: 0, crcs: 0, hmacs: 0 });

  peer.cn.handleDatagram(peer.now, { local: CN_SOCKET, remote: MN_SOCKET, payload });

  expect(work).toEqual({ splits: 1, decodes: 0, crcs: 1, hmacs: 0 });
});

/** A session with a selected pair, and checks for the correspondent's agent. */
function connected() {
  const peer = new HandMadePeer();
  peer.offer();
  peer.runFor(3000);
  const answer = peer.sentOf("care-of-test-ice").map(({ message }) => decodeMipIce(message.options))[0];
  if (answer?.ok !== true || answer.value === undefined) throw new Error("the offer was not answered");
  const { ufrag, pwd } = answer.value.description.credentials;
  const content = { priority: 1, claim: { role: "controlling", tieBreaker: 1n }, useCandidate: false } as const;
  const username = `${ufrag}:${peer.description.credentials.ufrag}`;
  const check = (password: "right" | "wrong"): Uint8Array =>
    encodeCheck(new Uint8Array(12).fill(9), username, content, fromText(password === "right" ? pwd : "x".repeat(22)));
  return { peer, check };
}

/** The same function with a count of its calls. */
function counted<Arguments extends readonly unknown[], Result>(
  name: keyof typeof work,
  original: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  return (...args) => {
    work[name] += 1;
    return original(...args);
  };
}
