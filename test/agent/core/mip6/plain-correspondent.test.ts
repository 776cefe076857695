import { expect, test } from "vitest";
import { decodeIpv6Packet } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
} from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../../agent/src/core/mip6/mobility-header.ts";
import { createPlainCorrespondent } from "../../../../agent/src/core/mip6/plain-correspondent.ts";
import { encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";

const OWN = "2001:db8::20";
const HOME = "2001:db8:a::100";
const CARE_OF = "2001:db8:1::9";
const cookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** The answers of a new correspondent, and its counters. */
function ask(source: string, message: MobilityMessage) {
  const machine = createPlainCorrespondent(OWN, seededRng(1));
  const endpoints = { source, destination: OWN };
  machine.handleTunPacket(0, encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints));
  const answer = machine.pollTunPacket();
  const ip = answer && decodeIpv6Packet(answer);
  if (ip?.ok !== true) return { answer: undefined, to: undefined, counters: machine.counters() };
  const decoded = decodeMobilityMessage(ip.value.payload, ip.value);
  return { answer: decoded.ok ? decoded.value : undefined, to: ip.value.destination, counters: machine.counters() };
}

test("a HoTI to the home address and a CoTI to the care-of address get tokens, each its own", () => {
  const home = ask(HOME, { type: "home-test-init", homeInitCookie: cookie, options: [] });
  const careOf = ask(CARE_OF, { type: "care-of-test-init", careOfInitCookie: cookie, options: [] });
  expect(home).toMatchObject({ to: HOME, answer: { type: "home-test", homeInitCookie: cookie } });
  expect(careOf).toMatchObject({
    to: CARE_OF,
    answer: { type: "care-of-test", careOfInitCookie: cookie },
  });
});

test("an offer is a message of an unknown type: Binding Error of status 2", () => {
  const { answer, to, counters } = ask(HOME, {
    type: "care-of-test-init-ice",
    careOfInitCookie: cookie,
    options: [],
  });
  expect({ answer, to }).toMatchObject({ to: HOME, answer: { type: "binding-error", status: 2 } });
  expect(counters).toEqual({ "answered.care-of-test-init-ice": 1 });
});

test("offers that come faster than one in a second are not all refused", () => {
  const machine = createPlainCorrespondent(OWN, seededRng(1));
  const endpoints = { source: HOME, destination: OWN };
  const offer = { type: "care-of-test-init-ice", careOfInitCookie: cookie, options: [] } as const;
  const packet = encodeMobilityPacket(encodeMobilityMessage(offer, endpoints), endpoints);
  for (const now of [0, 10, 999, 1000]) machine.handleTunPacket(now, packet);
  expect(machine.counters()).toEqual({ "answered.care-of-test-init-ice": 2, "dropped.care-of-test-init-ice": 2 });
});

test("answers and errors are no questions", () => {
  const { answer, counters } = ask(HOME, { type: "binding-error", status: 2, homeAddress: "::", options: [] });
  expect(answer).toBeUndefined();
  expect(counters).toEqual({ "ignored.binding-error": 1 });
});

test("what its programs send goes back to the kernel; what is neither that nor signalling is dropped", () => {
  const machine = createPlainCorrespondent(OWN, seededRng(1));
  const packet = (from: string, to: string): Uint8Array =>
    encodeUdpInIpv6({ source: { ip: from, port: 7 }, destination: { ip: to, port: 7 }, payload: cookie });
  machine.handleTunPacket(0, packet(OWN, HOME));
  expect(machine.pollTunPacket()).toEqual(packet(OWN, HOME));
  machine.handleTunPacket(0, packet(HOME, OWN));
  machine.handleTunPacket(0, Uint8Array.of(0x60, 0));
  expect(machine.pollTunPacket()).toBeUndefined();
  expect(machine.counters()).toEqual({ "dropped.tun-own-address": 1, "dropped.tun-not-ipv6": 1 });
});
