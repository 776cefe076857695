import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { encodeMobilityMessage } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import { encodeUdpInIpv6 } from "../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { encodeStun, findAttribute } from "../../../agent/src/core/stun/message.ts";
import { eventsOf, seededRng } from "../../../agent/src/testing/index.ts";
import { pathOf } from "../scenario.ts";
import { ATTACKER_IP, stunOf } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, OPEN } from "./battlefield.ts";

const HOME_AGENT_A: SocketAddress = { ip: "198.18.0.2", port: 4191 };
const HOME_AGENT_A_HOME = "2001:db8:a::1";
const MINUTE_MS = 60_000;

/** Both nodes on the internet with a direct path. */
function directField(): Battlefield {
  const field = createBattlefield(OPEN);
  field.connect();
  field.runFor(3000);
  return field;
}

function expectAlive({ mn, cn }: Battlefield): void {
  expect([mn, cn].flatMap((side) => eventsOf(side, "pair-dead"))).toEqual([]);
  expect([pathOf(mn), pathOf(cn)]).toEqual(["direct host host", "direct host host"]);
}

/** A Binding Error of the home agent, which any host can forge. */
function bindingError(homeAddress: string): Uint8Array {
  const endpoints = { source: HOME_AGENT_A_HOME, destination: homeAddress };
  const header = encodeMobilityMessage({ type: "binding-error", status: 1, homeAddress, options: [] }, endpoints);
  return encodeMobilityPacket(header, endpoints);
}

describe("a pair that lives", () => {
  test.each([400, 401, 403, 487])("is not killed by a forged %d that comes before each real answer", (code) => {
    const field = directField();
    const { attacker } = field;
    let forged = 0;
    attacker.sitOnPath((packet, from) => {
      const request = stunOf(packet);
      const isAsked = request?.class === "request" && findAttribute(request, "username") !== undefined;
      if (packet.kind !== "udp" || !isAsked || from.startsWith("ha-")) return false;
      const attributes = [{ type: "error-code", value: { code, reason: "forged" } }] as const;
      for (const key of [undefined, new Uint8Array(16)])
        attacker.send(
          packet.destination,
          packet.source,
          encodeStun({ ...request, class: "error", attributes }, { key, fingerprint: true }),
        );
      forged += 2;
      return false;
    });
    field.runFor(MINUTE_MS);
    expect(forged).toBeGreaterThan(30);
    expect(counter(field.mn, "dropped.check-unauthenticated-response")).toBeGreaterThan(15);
    expectAlive(field);
  });

  test("is not killed by a forged success that shows another mapped address", () => {
    const field = directField();
    const { attacker } = field;
    attacker.sitOnPath((packet) => {
      const request = stunOf(packet);
      if (packet.kind !== "udp" || request?.class !== "request") return false;
      const attributes = [{ type: "xor-mapped-address", value: { ip: ATTACKER_IP, port: 9 } }] as const;
      const payload = encodeStun({ ...request, class: "success", attributes }, { fingerprint: true });
      attacker.send(packet.destination, packet.source, payload);
      return false;
    });
    field.runFor(MINUTE_MS);
    expectAlive(field);
  });

  test("is not killed by junk in the peer's name", () => {
    const field = directField();
    const { attacker, mn, cn, net } = field;
    const rng = seededRng(3);
    for (let i = 0; i < 600; i++)
      net.time.at(net.time.now + i * 100, () => attacker.send(cn.socket, mn.socket, rng.bytes((i % 90) + 1)));
    field.runFor(MINUTE_MS);
    expectAlive(field);
  });

  test("is not kept alive by answers that anybody could have written", () => {
    const field = directField();
    const { attacker, mn } = field;
    attacker.sitOnPath((packet) => {
      const request = stunOf(packet);
      if (packet.kind !== "udp" || request?.class !== "request") return false;
      const attributes = [{ type: "xor-mapped-address", value: packet.source }] as const;
      const payload = encodeStun({ ...request, class: "success", attributes }, { fingerprint: true });
      attacker.send(packet.destination, packet.source, payload);
      return true;
    });
    field.runFor(17_000);
    expect(eventsOf(mn, "pair-dead").map(({ event }) => event.reason)).toEqual(["no-answer"]);
  });
});

describe("Binding Errors of status 1 that the home agent never sent", () => {
  test("are worth one registration in five seconds, however many, and leave path and binding alone", () => {
    const field = directField();
    const { attacker, mn, net } = field;
    const before = eventsOf(mn, "registration-sent").length;
    for (let i = 0; i < 3000; i++)
      net.time.at(net.time.now + i * 20, () => attacker.send(HOME_AGENT_A, mn.socket, bindingError(mn.homeAddress)));
    field.runFor(MINUTE_MS);
    expect(eventsOf(mn, "registration-sent").length - before).toBe(12);
    expect(eventsOf(mn, "registration-failed")).toEqual([]);
    expectAlive(field);
  });

  test("mean nothing from anywhere but the home agent's address", () => {
    const field = directField();
    const { attacker, mn } = field;
    const before = eventsOf(mn, "registration-sent").length;
    for (const source of [{ ip: ATTACKER_IP, port: 4191 }, field.cn.socket])
      attacker.send(source, mn.socket, bindingError(mn.homeAddress));
    field.runFor(1000);
    expect(eventsOf(mn, "registration-sent").length).toBe(before);
    expectAlive(field);
  });
});

test("who provokes Binding Errors for a victim gets one a second, and the node keeps its tunnel", () => {
  const field = directField();
  const { attacker, victim, mn, net } = field;
  const payload = encodeUdpInIpv6({
    source: { ip: mn.homeAddress, port: 7 },
    destination: { ip: "2001:db8:b::200", port: 7 },
    payload: Uint8Array.of(1),
  });
  for (let i = 0; i < 1000; i++)
    net.time.at(net.time.now + i * 10, () => attacker.send({ ip: victim.ip, port: 9 }, HOME_AGENT_A, payload));
  field.runFor(12_000);
  expect(victim.arrivals.length).toBe(10);
  expectAlive(field);
});
