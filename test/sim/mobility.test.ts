/** Nodes that move, leave and return while an exchange is in progress. */

import { describe, expect, test } from "vitest";
import {
  createNumberedFlow,
  createSimNat,
  eventsOf,
  HOME_ROUTER,
  type MiceNet,
  type Side,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connectNatNat, offer, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";
const PACKET_EVERY_MS = 5;

/** A network to move to, behind a NAT of its own. */
interface Network {
  readonly segment: string;
  readonly network: string;
  readonly wan: string;
}

const OFFICE: Network = { segment: "office", network: "172.16.9", wan: "198.18.0.30" };
const STATION: Network = { segment: "station", network: "172.16.8", wan: "198.18.0.40" };

function move({ net }: MiceNet, side: Side, { segment, network, wan }: Network): void {
  createSimNat(net, {
    name: `nat-${segment}`,
    profile: { ...HOME_ROUTER, seed: 3 },
    wan: { segment: "internet", address: `${wan}/24`, impairment: ACCESS },
    lan: { segment, address: `${network}.1/24` },
  });
  const { host } = side.node;
  for (const port of [...host.ports]) host.detach(port);
  side.node.close(side.socket);
  host.attach(segment, [`${network}.3/24`]);
  host.route("0.0.0.0/0", `${network}.1`);
  const socket = { ip: `${network}.3`, port: 40_003 };
  side.node.open(socket);
  side.node.tell((machine, now) => machine.retarget(now, [socket]));
}

/** A session with a direct path and data in both directions for this long, at an instant after its set-up. */
function talk(forMs: number) {
  const mice = connectNatNat();
  mice.net.time.runUntil(CONNECT_AT + 3000);
  expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
  for (const flow of flows) flow.sendEvery(PACKET_EVERY_MS, forMs);
  const lostMs = () => flows.map((flow) => (flow.sent - flow.arrivals().length) * PACKET_EVERY_MS);
  return { ...mice, at: mice.net.time.now, lostMs };
}

/** The last time that a side's data changed its path, counted from `at`. */
function settledAfterMs(side: Side, at: number): number {
  return (eventsOf(side, "path").at(-1)?.atMs ?? Infinity) - at;
}

describe("both ends move", () => {
  test("at once: both sessions restarts cross, one of them wins, and data is direct between the new places", () => {
    const mice = talk(4000);
    const { net, mn, cn, at } = mice;
    move(mice, mn, OFFICE);
    move(mice, cn, STATION);
    net.time.runUntil(at + 20_000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(cn, "path").at(-1)?.event.pair?.remote.address.ip).toBe(OFFICE.wan);
    expect(eventsOf(mn, "path").at(-1)?.event.pair?.remote.address.ip).toBe(STATION.wan);
    expect(Math.max(settledAfterMs(mn, at), settledAfterMs(cn, at))).toBeLessThan(3000);
    expect(Math.max(...mice.lostMs())).toBeLessThan(500);
  });

  test("one 30 ms after the other, in the middle of its restart", () => {
    const mice = talk(4000);
    const { net, mn, cn, at } = mice;
    move(mice, mn, OFFICE);
    net.time.runUntil(at + 30);
    move(mice, cn, STATION);
    net.time.runUntil(at + 20_000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    expect(Math.max(settledAfterMs(mn, at), settledAfterMs(cn, at))).toBeLessThan(4000);
    expect(Math.max(...mice.lostMs())).toBeLessThan(1000);
  });
});

describe("a node that moves while its session is being set up", () => {
  test.each([
    { what: "while candidates are gathered", afterMs: 10 },
    { what: "while the offer is under way", afterMs: 60 },
    { what: "amid the checks", afterMs: 120 },
    { what: "after the nomination, before the binding", afterMs: 270 },
  ])("$what: checks from the old address end, and the new one gets a direct path", ({ afterMs }) => {
    const mice = connectNatNat();
    const { net, mn, cn } = mice;
    net.time.runUntil(CONNECT_AT + afterMs);
    move(mice, mn, OFFICE);
    net.time.runUntil(CONNECT_AT + 20_000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(cn, "path").at(-1)?.event.pair?.remote.address.ip).toBe(OFFICE.wan);
    const late = net.trace.filter(
      ({ from, packet }) => from === "mn" && packet.kind === "udp" && packet.source.ip === "192.168.1.2",
    );
    expect(late.every(({ atMs }) => atMs <= CONNECT_AT + afterMs)).toBe(true);
  });
});

describe("a node that leaves", () => {
  test("takes its bindings away at its home agent and at its correspondent, and no one asks for it any more", () => {
    const mice = talk(100);
    const { net, mn, cn, at } = mice;
    net.time.runUntil(at + 200);
    mn.node.tell((machine, now) => machine.leave(now));
    net.time.runUntil(at + 60_000);

    expect(eventsOf(mn, "deregistered")).toMatchObject([{ event: { isConfirmed: true } }]);
    expect(mn.homeAgent.events.filter(({ event }) => event.type === "binding-removed")).toMatchObject([
      { event: { homeAddress: mn.homeAddress, reason: "deregistered" } },
    ]);
    expect(eventsOf(cn, "binding-update-received").at(-1)?.event).toMatchObject({ status: 0, careOf: mn.homeAddress });
    expect([pathOf(mn), pathOf(cn)]).toEqual(["home-agents", "home-agents"]);
    expect(eventsOf(cn, "pair-dead")).toEqual([]);
    const later = net.trace.filter(({ from, atMs }) => (from === "mn" || from === "cn") && atMs > at + 5000);
    // The correspondent keeps its own binding at its own home agent, and no other.
    expect(later.filter(({ from }) => from === "mn")).toEqual([]);
    expect(later.every(({ packet }) => packet.kind === "udp" && packet.destination.port === 4191)).toBe(true);
  });

  test("and comes back elsewhere is reached again, and gets a direct path when it is offered one", () => {
    const mice = talk(100);
    const { net, mn, cn, at } = mice;
    mn.node.tell((machine, now) => machine.leave(now));
    net.time.runUntil(at + 5000);
    move(mice, mn, OFFICE);
    net.time.runUntil(at + 6000);
    offer(cn, mn);
    net.time.runUntil(at + 16_000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("asks a correspondent that does not answer a few times, and its home agent three times", () => {
    const mice = talk(100);
    const { net, mn, at } = mice;
    net.time.runUntil(at + 200);
    net.intercept(({ from }) => from !== "nat-a");
    mn.node.tell((machine, now) => machine.leave(now));
    net.time.runUntil(at + 400_000);
    expect(eventsOf(mn, "deregistered")).toMatchObject([{ event: { isConfirmed: false } }]);
    const updates = eventsOf(mn, "binding-update-sent").filter(({ atMs }) => atMs > at);
    expect(updates.length).toBeGreaterThan(2);
    expect(updates.length).toBeLessThanOrEqual(7);
    expect(mn.node.machine.pollTimeout()).toBeUndefined();
  });
});

describe("a home agent that cannot be reached for a while", () => {
  /** Drops all packets to and from the mobile node's home agent. */
  function cutHomeAgent({ net }: MiceNet, isCut: () => boolean): void {
    net.intercept(({ from, packet }) => !isCut() || (from !== "ha-a" && !isTo(packet, "198.18.0.2")));
  }

  function isTo(packet: { readonly kind: string; readonly destination?: unknown }, ip: string): boolean {
    const { destination } = packet;
    if (typeof destination === "string") return destination === ip;
    return typeof destination === "object" && destination !== null && "ip" in destination && destination.ip === ip;
  }

  test("disturbs no direct path", () => {
    const mice = talk(60_000);
    cutHomeAgent(mice, () => true);
    mice.net.time.runUntil(mice.at + 65_000);
    expect(mice.lostMs()).toEqual([0, 0]);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("delays a handover: the node registers when it can, and restarts its sessions then", () => {
    const mice = talk(30_000);
    const { net, mn, cn, at } = mice;
    const backAt = at + 10_000;
    cutHomeAgent(mice, () => net.time.now < backAt);
    move(mice, mn, OFFICE);
    net.time.runUntil(at + 45_000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(cn, "path").at(-1)?.event.pair?.remote.address.ip).toBe(OFFICE.wan);
    const registeredAt = eventsOf(mn, "registered").at(-1)?.atMs ?? Infinity;
    // Updates go out after 1, 3, 7 and 15 s.
    expect(registeredAt - backAt).toBeLessThan(5100);
    expect(settledAfterMs(mn, registeredAt)).toBeLessThan(1000);
  });
});
