import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { encodeUdpInIpv6 } from "../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { createNumberedFlow, eventsOf, type UdpPacket } from "../../../agent/src/testing/index.ts";
import { pathOf } from "../scenario.ts";
import { ATTACKER_IP, dataAmong, stunOf } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, mentions, OPEN } from "./battlefield.ts";

/** Source of the replayed checks. */
const F: SocketAddress = { ip: ATTACKER_IP, port: 6666 };

/**
 * Passes each packet sent directly between the nodes to `take`, which intercepts it or returns false to let it pass.
 */
function interceptDirect(field: Battlefield, take: (packet: UdpPacket, from: "mn" | "cn") => boolean): void {
  const ips = [field.mn.socket.ip, field.cn.socket.ip];
  field.attacker.sitOnPath((packet, from) => {
    if (packet.kind !== "udp" || !ips.includes(packet.destination.ip)) return false;
    return (from === "mn" || from === "cn") && take(packet, from);
  });
}

/** Every check of the mobile node is forwarded from F; `isOriginalLost`: whether the original is lost. */
function replayFromF(field: Battlefield, isOriginalLost: boolean): void {
  interceptDirect(field, (packet, from) => {
    if (from !== "mn" || stunOf(packet)?.class !== "request") return false;
    field.attacker.send(F, packet.destination, packet.payload);
    return isOriginalLost;
  });
}

/** Requests that F received, by transaction. */
function requestsPerCheck(field: Battlefield): readonly number[] {
  const perCheck = new Map<string, number>();
  for (const packet of field.attacker.datagrams()) {
    const message = stunOf(packet);
    if (message?.class !== "request") continue;
    const key = Buffer.from(message.transactionId).toString("hex");
    perCheck.set(key, (perCheck.get(key) ?? 0) + 1);
  }
  return [...perCheck.values()];
}

test("S6: a replayed check from a spoofed source makes a candidate that is checked, never valid, and gets no data", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  replayFromF(field, true);
  field.connect();
  field.runFor(5000);
  const data = [createNumberedFlow(mn, cn), createNumberedFlow(cn, mn)];
  for (const flow of data) flow.sendEvery(20, 1000);
  field.runFor(10_000);

  expect(mentions(cn, F.ip, "peer-reflexive")).toBe(true);
  expect(mentions(cn, F.ip, "check-sent")).toBe(true);
  expect(mentions(cn, F.ip, "pair-valid", "nominated", "path")).toBe(false);
  expect(attacker.datagrams().some((packet) => stunOf(packet)?.class === "success")).toBe(true);
  expect(dataAmong(attacker.arrivals)).toEqual([]);
  for (const count of requestsPerCheck(field)) expect(count).toBeLessThanOrEqual(7);
  expect([pathOf(mn), pathOf(cn)]).toEqual(["home-agents relayed relayed", "home-agents relayed relayed"]);
  expect(data.map((flow) => flow.arrivals().length)).toEqual([50, 50]);
});

test("S8: where the original arrives as well, both sources are candidates and only the true one is ever valid", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  replayFromF(field, false);
  field.connect();
  field.runFor(10_000);
  const remotes = eventsOf(cn, "check-received").map(({ event }) => event.from.ip);
  expect(new Set(remotes)).toEqual(new Set([mn.socket.ip, F.ip, mn.homeAddress]));
  expect(mentions(cn, F.ip, "peer-reflexive")).toBe(true);
  expect(mentions(cn, F.ip, "pair-valid", "nominated", "path")).toBe(false);
  expect([pathOf(mn), pathOf(cn)]).toEqual(["direct host host", "direct host host"]);
  expect(dataAmong(attacker.arrivals)).toEqual([]);
});

describe("data from where an overheard check was sent again, in the name of the peer", () => {
  /** Sends the first genuine check that went each way again from F, and ten packets of data in its sender's name. */
  function injectFromF(field: Battlefield, overheard: ReadonlyMap<"mn" | "cn", UdpPacket>): void {
    for (const from of ["mn", "cn"] as const) {
      const check = overheard.get(from);
      if (check === undefined) throw new Error(`no check of ${from} was overheard`);
      field.attacker.send(F, check.destination, check.payload);
      const to = from === "mn" ? field.cn : field.mn;
      const source = { ip: field[from].homeAddress, port: 7 };
      const data = encodeUdpInIpv6({ source, destination: { ip: to.homeAddress, port: 7 }, payload: FORGED });
      for (let i = 0; i < 10; i++) field.attacker.send(F, check.destination, data);
    }
  }

  test.each([
    { when: "while checks run", afterMs: 0 },
    { when: "right after the nomination", afterMs: 300 },
    { when: "a while after the nomination", afterMs: 4000 },
  ])("counts from nobody, $when", ({ afterMs }) => {
    const field = createBattlefield(OPEN);
    const overheard = new Map<"mn" | "cn", UdpPacket>();
    interceptDirect(field, (packet, from) => {
      if (stunOf(packet)?.class === "request" && !overheard.has(from)) overheard.set(from, packet);
      return false;
    });
    field.connect();
    field.net.time.runWhile(() => overheard.size < 2, field.net.time.now + 1000);
    field.runFor(afterMs);
    injectFromF(field, overheard);
    field.runFor(3000);
    for (const end of [field.mn, field.cn]) {
      expect(end.received.filter((packet) => isForged(packet))).toEqual([]);
      expect(counter(end, "dropped.data-from-stranger")).toBe(10);
      expect(mentions(end, F.ip, "pair-valid", "nominated", "path")).toBe(false);
      expect(pathOf(end)).toBe("direct host host");
    }
    const data = [createNumberedFlow(field.mn, field.cn), createNumberedFlow(field.cn, field.mn)];
    for (const flow of data) flow.sendEvery(20, 1000);
    field.runFor(1500);
    expect(data.map((flow) => flow.arrivals().length)).toEqual([50, 50]);
  });
});

const FORGED = Buffer.from("injected");

function isForged(packet: Uint8Array): boolean {
  return Buffer.from(packet).includes(FORGED);
}

test("S7 (residual risk): who replays and relays all four legs becomes the path, and holds the data in his hands", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  interceptDirect(field, (packet, from) => {
    if (from === "mn") attacker.send(F, packet.destination, packet.payload);
    return true;
  });
  attacker.onArrival = (packet) => {
    if (packet.kind === "udp" && packet.source.ip === cn.socket.ip)
      attacker.send(packet.source, mn.socket, packet.payload);
  };
  field.connect();
  field.runFor(5000);
  expect([pathOf(mn), pathOf(cn)]).toEqual(["direct peer-reflexive host", "direct host peer-reflexive"]);
  expect(mentions(cn, F.ip, "path")).toBe(true);

  const data = createNumberedFlow(cn, mn);
  data.sendEvery(20, 1000);
  field.runFor(2000);
  expect(data.arrivals().length).toBe(50);
  expect(dataAmong(attacker.arrivals).length).toBeGreaterThanOrEqual(50);
});
