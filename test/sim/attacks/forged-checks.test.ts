import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { BINDING } from "../../../agent/src/core/stun/header.ts";
import { encodeStun, findAttribute, type StunMessage } from "../../../agent/src/core/stun/message.ts";
import { createNumberedFlow, eventsOf, type UdpPacket } from "../../../agent/src/testing/index.ts";
import {
  BARE_REQUEST,
  COOKIE_COLLISIONS,
  FINGERPRINTED_REQUEST,
  KEEPALIVE_INDICATION,
  TRANSACTION_ID,
} from "../../vectors/mice-stun.ts";
import { offer, pathOf } from "../scenario.ts";
import { ATTACKER_IP, type Attacker, stunOf } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, mentions, OPEN, reports, undisturbed } from "./battlefield.ts";

const RUN_UNTIL = 4000;
const WRONG_KEY = new TextEncoder().encode("not the password at all");
const FROM: SocketAddress = { ip: ATTACKER_IP, port: 6666 };

interface Forgery {
  readonly username?: string;
  readonly key?: Uint8Array;
  readonly tieBreaker?: bigint;
}

/** A valid check except for what a forger cannot know. */
function forge({ username, key, tieBreaker = 0n }: Forgery): Uint8Array {
  const message: StunMessage = {
    class: "request",
    method: BINDING,
    transactionId: TRANSACTION_ID,
    attributes: [
      ...(username === undefined ? [] : [{ type: "username", value: username } as const]),
      { type: "priority", value: 0x6effffff },
      { type: "ice-controlling", value: tieBreaker },
      { type: "use-candidate", value: true },
    ],
  };
  return encodeStun(message, { key, fingerprint: true });
}

/** Records the first genuine check sent directly to the mobile node. */
function sniff(field: Battlefield): { check: UdpPacket | undefined; username: string } {
  const heard: { check: UdpPacket | undefined; username: string } = { check: undefined, username: "" };
  field.attacker.sitOnPath((packet, from) => {
    const message = stunOf(packet);
    const username = message && findAttribute(message, "username");
    if (packet.kind === "udp" && from === "cn" && message?.class === "request" && username !== undefined) {
      heard.check ??= packet;
      heard.username = username;
    }
    return false;
  });
  return heard;
}

/** Status and integrity of the answers that the attacker received. */
function answersTo(attacker: Attacker): readonly string[] {
  return attacker.datagrams().map((packet) => {
    const message = stunOf(packet);
    const code = message && findAttribute(message, "error-code")?.code;
    const isProtected = message !== undefined && findAttribute(message, "message-integrity") !== undefined;
    return `${code ?? message?.class ?? "no STUN"}${isProtected ? " with integrity" : ""}`;
  });
}

describe.each(["while checks run", "after nomination"])("a forged check, %s", (when) => {
  /** Runs a session and sends the forgeries in the middle of it. */
  function attackWith(forgeries: (username: string) => readonly Forgery[]): Battlefield {
    const field = createBattlefield(OPEN);
    const heard = sniff(field);
    field.connect();
    field.net.time.runUntil(when === "after nomination" ? 3000 : 1130);
    expect(heard.username).toMatch(/^....:....$/);
    for (const forgery of forgeries(heard.username)) field.attacker.send(FROM, field.mn.socket, forge(forgery));
    field.net.time.runUntil(RUN_UNTIL);
    return field;
  }

  test("S4: without credentials 400, to a wrong fragment 401, with a wrong password 401; no candidate, no check to it", () => {
    const field = attackWith((username) => [
      {},
      { username },
      { key: WRONG_KEY },
      { username: `XXXX${username.slice(4)}`, key: WRONG_KEY },
      { username, key: WRONG_KEY },
    ]);
    expect(answersTo(field.attacker)).toEqual(["400", "400", "400", "401", "401"]);
    expect(mentions(field.mn, ATTACKER_IP, "peer-reflexive", "check-sent", "check-received")).toBe(false);
    expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
  });

  test("S18: the largest tie-breaker moves nobody from his role without the password: 401", () => {
    const field = attackWith((username) => [{ username, key: WRONG_KEY, tieBreaker: 0xffff_ffff_ffff_ffffn }]);
    expect(answersTo(field.attacker)).toEqual(["401"]);
    expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
    expect(eventsOf(field.mn, "role-conflict")).toEqual([]);
  });
});

describe("S24: three hundred forged checks a second, with the fragment of the session", () => {
  const EVERY_MS = 1000 / 300;
  const FOR_MS = 30_000;

  /** Forges checks to the mobile node of a session with a direct path, and sends data both ways meanwhile. */
  function floodWith(sourceOf: (field: Battlefield, i: number) => SocketAddress) {
    const field = createBattlefield(OPEN);
    const heard = sniff(field);
    field.connect();
    field.net.time.runUntil(3000);
    const { attacker, mn, cn, net } = field;
    const payload = forge({ username: heard.username, key: WRONG_KEY });
    for (let i = 0; i * EVERY_MS < FOR_MS; i++)
      net.time.at(3000 + i * EVERY_MS, () => attacker.send(sourceOf(field, i), mn.socket, payload));
    const data = [createNumberedFlow(mn, cn), createNumberedFlow(cn, mn)];
    for (const flow of data) flow.sendEvery(50, FOR_MS);
    field.runFor(FOR_MS + 1000);
    expect(data.map((flow) => flow.sent - flow.arrivals().length)).toEqual([0, 0]);
    expect([eventsOf(mn, "pair-dead"), eventsOf(cn, "pair-dead")]).toEqual([[], []]);
    expect([pathOf(mn), pathOf(cn)]).toEqual(["direct host host", "direct host host"]);
    return field;
  }

  test("from one source: ten a second are authenticated and answered", () => {
    const { mn } = floodWith(() => FROM);
    const answered = counter(mn, "checks.answered-with-401");
    expect(answered).toBeGreaterThanOrEqual(300);
    expect(answered).toBeLessThanOrEqual(20 + 10 * 31);
    expect(counter(mn, "dropped.check-unauthenticated-request")).toBe(answered);
    expect(counter(mn, "dropped.check-request-rate")).toBe(9000 - answered);
  });

  test("from ever new sources: a hundred a second are", () => {
    const { mn } = floodWith((_field, i) => ({ ip: `198.19.${i >> 8}.${i & 0xff}`, port: 6666 }));
    expect(counter(mn, "checks.answered-with-401")).toBeLessThanOrEqual(200 + 100 * 31);
    expect(counter(mn, "dropped.check-unauthenticated-request")).toBeLessThanOrEqual(200 + 100 * 31);
  });

  test("from the address of the peer: he is still heard, and ten a second are answered", () => {
    const { mn } = floodWith(({ cn }) => cn.socket);
    expect(counter(mn, "checks.answered-with-401")).toBeLessThanOrEqual(20 + 10 * 31);
    expect(counter(mn, "dropped.check-unauthenticated-request")).toBe(9000);
  });
});

test("S19: a genuine check of before a restart is answered 401 after it, whoever seems to send it", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  const heard = sniff(field);
  field.connect();
  field.net.time.runUntil(3000);
  offer(mn, cn);
  field.net.time.runUntil(6000);
  expect(eventsOf(mn, "nominated").length).toBe(2);
  const before = reports(field);

  const { payload = new Uint8Array(), source = FROM } = heard.check ?? {};
  const unauthorized: string[] = [];
  field.net.intercept(({ from, packet }) => {
    const message = stunOf(packet);
    if (from === "mn" && message?.class === "error")
      unauthorized.push(
        `${findAttribute(message, "error-code")?.code} ${packet.kind === "udp" && packet.destination.ip}`,
      );
    return true;
  });
  for (const from of [FROM, source]) attacker.send(from, mn.socket, payload);
  field.runFor(1000);
  expect(unauthorized).toEqual([`401 ${ATTACKER_IP}`, `401 ${cn.socket.ip}`]);
  expect(reports(field)).toEqual(before);
});

test("S20: forged Binding Indications, even from the address of the selected pair, change nothing", () => {
  const until = 60_000;
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  field.connect();
  field.net.time.runUntil(3000);
  for (const source of [FROM, cn.socket]) attacker.send(source, mn.socket, KEEPALIVE_INDICATION);
  field.net.time.runUntil(until);
  expect(counter(mn, "dropped.stun-stray-indication")).toBe(1);
  expect(reports(field)).toEqual(undisturbed(OPEN, until));
  expect([attacker.arrivals, pathOf(mn)]).toEqual([[], "direct host host"]);
});

describe("S21: what looks like STUN on the shared port is what its FINGERPRINT says", () => {
  const flipped = new Uint8Array(FINGERPRINTED_REQUEST);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;

  test.each([
    { name: "HoT with nonce index 0xA442", bytes: COOKIE_COLLISIONS.homeTest, raised: "ignored.mobility-header" },
    { name: "BU with sequence 0xA442", bytes: COOKIE_COLLISIONS.bindingUpdate, raised: "ignored.mobility-header" },
    { name: "HoT of matching length", bytes: COOKIE_COLLISIONS.lengthMatched, raised: "ignored.mobility-header" },
    { name: "request without FINGERPRINT", bytes: BARE_REQUEST, raised: "dropped.stun-without-fingerprint" },
    { name: "one bit of the CRC flipped", bytes: flipped, raised: "dropped.stun-without-fingerprint" },
    { name: "request with FINGERPRINT", bytes: FINGERPRINTED_REQUEST, raised: "refused.stun-400" },
  ])("$name: $raised", ({ bytes, raised }) => {
    const field = createBattlefield(OPEN);
    field.connect();
    field.net.time.runUntil(3000);
    const before = field.mn.node.machine.counters();
    field.attacker.send(FROM, field.mn.socket, bytes);
    field.runFor(100);
    const after = field.mn.node.machine.counters();
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed).toEqual([raised]);
    expect(answersTo(field.attacker)).toEqual(raised === "refused.stun-400" ? ["400"] : []);
  });
});
