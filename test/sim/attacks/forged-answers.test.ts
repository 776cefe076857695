import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { encodeStun, findAttribute, type StunMessage } from "../../../agent/src/core/stun/message.ts";
import { eventsOf, seededRng, type UdpPacket } from "../../../agent/src/testing/index.ts";
import { ACCESS, pathOf } from "../scenario.ts";
import { stunOf, VICTIM_IP } from "./attacker.ts";
import {
  type Battlefield,
  counter,
  createBattlefield,
  mentions,
  NAT_NAT,
  OPEN,
  reports,
  undisturbed,
} from "./battlefield.ts";

const WRONG_KEY = new TextEncoder().encode("not the password at all");
const RUN_UNTIL = 4000;

/** Calls back for every check that a node sends directly to another one. */
function onCheck(field: Battlefield, react: (check: StunMessage, packet: UdpPacket) => void): void {
  field.attacker.sitOnPath((packet, from) => {
    const message = stunOf(packet);
    if (packet.kind !== "udp" || message?.class !== "request" || (from !== "mn" && from !== "cn")) return false;
    if (findAttribute(message, "username") !== undefined) react(message, packet);
    return false;
  });
}

function success(request: StunMessage, mapped: SocketAddress, key: Uint8Array | undefined): Uint8Array {
  const attributes = [{ type: "xor-mapped-address", value: mapped }] as const;
  return encodeStun({ ...request, class: "success", attributes }, { key, fingerprint: true });
}

function failure(request: StunMessage, code: number, key: Uint8Array | undefined): Uint8Array {
  const attributes = [{ type: "error-code", value: { code, reason: "forged" } }] as const;
  return encodeStun({ ...request, class: "error", attributes }, { key, fingerprint: true });
}

describe("S1: an error that arrives before the real answer is as if it never came", () => {
  test.each([400, 401, 487, 600])("%d to every check, without and with a wrong MESSAGE-INTEGRITY", (code) => {
    const field = createBattlefield(OPEN);
    let forged = 0;
    onCheck(field, (check, { source, destination }) => {
      for (const key of [undefined, WRONG_KEY]) field.attacker.send(destination, source, failure(check, code, key));
      forged += 2;
    });
    field.connect();
    field.net.time.runUntil(RUN_UNTIL);
    expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
    const ignored = [field.mn, field.cn].map((side) => counter(side, "dropped.check-unauthenticated-response"));
    expect(forged).toBe(6);
    expect(ignored.reduce((a, b) => a + b)).toBe(forged);
  });
});

test("S2: forged successes do not bring a dead pair to life; it fails by time-out", () => {
  const timers = { relayNominationDelayMs: 20_000 };
  const field = createBattlefield({ a: { access: ACCESS, timers }, b: { access: ACCESS, timers } });
  const { attacker, mn, cn } = field;
  let forged = 0;
  attacker.sitOnPath((packet, from) => {
    const isDirect = packet.kind === "udp" && [mn.socket.ip, cn.socket.ip].includes(packet.destination.ip);
    const check = stunOf(packet);
    if (!isDirect || from.startsWith("ha-")) return false;
    if (check?.class === "request") {
      const { source, destination } = packet;
      for (const key of [undefined, WRONG_KEY]) attacker.send(destination, source, success(check, source, key));
      forged += 2;
    }
    return true;
  });
  field.connect();
  field.runFor(12_000);
  expect(forged).toBeGreaterThan(20);
  expect(mentions(mn, cn.socket.ip, "pair-valid", "nominated", "check-succeeded")).toBe(false);
  const failed = eventsOf(mn, "check-failed").map(({ event: { pair, reason } }) => [pair.remote.address.ip, reason]);
  expect(failed).toEqual([[cn.socket.ip, "no answer"]]);
  expect([pathOf(mn), pathOf(cn)]).toEqual(["home-agents relayed relayed", "home-agents relayed relayed"]);
});

test("S3: a genuine answer that arrives from another port fails its pair, and proves nothing", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  attacker.sitOnPath((packet, from) => {
    if (from !== "cn" || packet.kind !== "udp" || stunOf(packet)?.class !== "success") return false;
    attacker.send({ ...packet.source, port: 1 }, packet.destination, packet.payload);
    return true;
  });
  field.connect();
  field.runFor(10_000);
  const reasons = eventsOf(mn, "check-failed").map(({ event }) => event.reason);
  expect(reasons.length).toBeGreaterThan(0);
  expect(new Set(reasons)).toEqual(new Set([`answered from ${cn.socket.ip}:1`]));
  expect(mentions(mn, cn.socket.ip, "pair-valid", "nominated")).toBe(false);
  expect(pathOf(mn)).toBe("home-agents relayed relayed");
});

test("S5: a forged success with another mapped address reveals no candidate", () => {
  const field = createBattlefield(OPEN);
  const mapped = { ip: VICTIM_IP, port: 9 };
  onCheck(field, (check, { source, destination }) => {
    for (const key of [undefined, WRONG_KEY]) field.attacker.send(destination, source, success(check, mapped, key));
  });
  field.connect();
  field.net.time.runUntil(RUN_UNTIL);
  expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
  expect(counter(field.mn, "dropped.check-unauthenticated-response")).toBeGreaterThan(2);
  expect(field.victim.arrivals).toEqual([]);
});

test("S10: answers to gathering from off the path, with guessed transaction IDs, are ignored", () => {
  const field = createBattlefield(NAT_NAT);
  const rng = seededRng(10);
  const toMobileNode = { ip: "198.18.0.10", port: 40_001 };
  field.connect();
  for (let i = 0; i < 500; i++) {
    const request: StunMessage = { class: "request", method: 1, transactionId: rng.bytes(12), attributes: [] };
    const payload = success(request, { ip: VICTIM_IP, port: 9 }, undefined);
    field.attacker.send({ ip: "198.18.0.2", port: 3478 }, toMobileNode, payload);
  }
  field.net.time.runUntil(RUN_UNTIL);
  expect(reports(field)).toEqual(undisturbed(NAT_NAT, RUN_UNTIL));
  // The first request to the STUN server has to open the NAT before anything from there is let in.
  expect(counter(field.mn, "dropped.stun-unawaited-response")).toBe(500);
});
