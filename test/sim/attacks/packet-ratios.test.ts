/** How many packets nodes and home agents send for one packet of an attacker, beyond what they send anyway. */

import { expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { makeCredentials } from "../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import { encodeMipIce } from "../../../agent/src/core/mice/option/mip-ice-option.ts";
import { encodeMobilityMessage, type MobilityMessage } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import { encodeUdpInIpv6 } from "../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { BINDING } from "../../../agent/src/core/stun/header.ts";
import { encodeStun, findAttribute } from "../../../agent/src/core/stun/message.ts";
import { seededRng, type UdpPacket } from "../../../agent/src/testing/index.ts";
import { ACCESS, mobilityTypeOf } from "../scenario.ts";
import { ATTACKER_IP, stunOf } from "./attacker.ts";
import { type Battlefield, createBattlefield } from "./battlefield.ts";

const FROM: SocketAddress = { ip: ATTACKER_IP, port: 6666 };
const HOME_AGENT: SocketAddress = { ip: "198.18.0.2", port: 4191 };
const BINDING_UPDATE = 5;
const ATTACK_AT = 5000;
const UNTIL = 120_000;
const SETUP = {
  a: { access: ACCESS, registrationKey: new TextEncoder().encode("the key of node and home agent") },
  b: { access: ACCESS },
};

/** What the attacker has overheard of a session: the first of each. */
interface Overheard {
  /** Directly from the correspondent to the mobile node. */
  readonly check: UdpPacket;
  readonly username: string;
  /** From the mobile node to its home agent. */
  readonly registration: UdpPacket;
}

interface Attack {
  readonly name: string;
  /** One packet. */
  readonly send: (field: Battlefield, overheard: Overheard, i: number) => void;
  readonly count: number;
  readonly everyMs: number;
  /** Packets for one of the attacker. */
  readonly atMost: number;
}

const rng = seededRng(1);

const ATTACKS: readonly Attack[] = [
  {
    name: "checks with an unknown fragment",
    send: ({ attacker, mn }) => attacker.send(FROM, mn.socket, forgedCheck("AAAA:BBBB")),
    count: 3000,
    everyMs: 1,
    atMost: 0.02,
  },
  {
    name: "checks with the session's fragment and a wrong password",
    send: ({ attacker, mn }, { username }) => attacker.send(FROM, mn.socket, forgedCheck(username)),
    count: 3000,
    everyMs: 1,
    atMost: 0.02,
  },
  {
    name: "the same with the peer's address as their source",
    send: ({ attacker, mn, cn }, { username }) => attacker.send(cn.socket, mn.socket, forgedCheck(username)),
    count: 3000,
    everyMs: 1,
    atMost: 0.02,
  },
  {
    name: "an overheard check, sent again",
    send: ({ attacker, mn }, { check }) => attacker.send(FROM, mn.socket, check.payload),
    count: 300,
    everyMs: 10,
    atMost: 1,
  },
  {
    name: "data in the peer's name",
    send: ({ attacker, mn, cn }) => attacker.send(FROM, mn.socket, dataOf(cn.homeAddress, mn.homeAddress)),
    count: 300,
    everyMs: 10,
    atMost: 0,
  },
  {
    name: "an overheard registration, sent again",
    send: ({ attacker }, { registration }) => attacker.send(FROM, HOME_AGENT, registration.payload),
    count: 300,
    everyMs: 10,
    atMost: 1,
  },
  {
    name: "strangers' requests for an offer",
    // The home agent forwards each.
    send: ({ attacker, mn }, _overheard, i) =>
      attacker.sendIpv6(message(`2001:db8:f::${(i + 1).toString(16)}`, mn.homeAddress, REQUEST)),
    count: 100,
    everyMs: 10,
    atMost: 1,
  },
  {
    name: "restart offers in the peer's name, with the home agent's outer address",
    // Each is answered, and its two candidates are checked, until the next one comes.
    send: ({ attacker, mn, cn }) =>
      attacker.send(HOME_AGENT, mn.socket, message(cn.homeAddress, mn.homeAddress, restartOffer(cn.homeAddress))),
    count: 20,
    everyMs: 1000,
    atMost: 30,
  },
];

test.each(ATTACKS)("$name: at most $atMost packets for one, and the session stands", (attack) => {
  const quiet = run({ ...attack, count: 0 });
  const attacked = run(attack);
  expect(attacked.last).toEqual(quiet.last);
  expect((attacked.sent - quiet.sent) / attack.count).toBeLessThanOrEqual(attack.atMost);
});

/** Runs a session under attack: packets that nodes and home agents sent since it began, and the paths at the end. */
function run({ send, count, everyMs }: Attack): { readonly sent: number; readonly last: readonly string[] } {
  const field = createBattlefield(SETUP);
  field.connect();
  field.net.time.runUntil(ATTACK_AT);
  const overheard = overhear(field);
  const begin = field.net.trace.length;
  for (let i = 0; i < count; i++) field.net.time.at(ATTACK_AT + i * everyMs, () => send(field, overheard, i));
  field.net.time.runUntil(UNTIL);
  const ours = ["mn", "cn", "ha-a", "ha-b"];
  const sent = field.net.trace.slice(begin).filter(({ from }) => ours.includes(from)).length;
  const last = [field.mn, field.cn].map(({ node }) => {
    const path = node.events.findLast(({ event }) => event.type === "path")?.event;
    return path?.type === "path" ? path.path : "none";
  });
  return { sent, last };
}

/** What was on the wire so far. */
function overhear({ net, mn }: Battlefield): Overheard {
  const packets = (from: string): readonly UdpPacket[] =>
    net.trace.flatMap((entry) => (entry.from === from && entry.packet.kind === "udp" ? [entry.packet] : []));
  const check = packets("cn").find(
    (packet) => packet.destination.ip === mn.socket.ip && stunOf(packet)?.class === "request",
  );
  const request = check && stunOf(check);
  const username = request && findAttribute(request, "username");
  const registration = packets("mn").find((packet) => mobilityTypeOf(packet) === BINDING_UPDATE);
  if (check === undefined || username === undefined || registration === undefined)
    throw new Error("check and registration were to be overheard before the attack");
  return { check, username, registration };
}

function forgedCheck(username: string): Uint8Array {
  const attributes = [
    { type: "username", value: username },
    { type: "priority", value: 1 },
    { type: "ice-controlling", value: 1n },
  ] as const;
  const request = { class: "request", method: BINDING, transactionId: rng.bytes(12), attributes } as const;
  return encodeStun(request, { key: rng.bytes(22), fingerprint: true });
}

function dataOf(source: string, destination: string): Uint8Array {
  const ends = { source: { ip: source, port: 7 }, destination: { ip: destination, port: 7 } };
  return encodeUdpInIpv6({ ...ends, payload: new Uint8Array(32) });
}

const REQUEST: MobilityMessage = { type: "binding-refresh-request", options: [] };

function message(source: string, destination: string, content: MobilityMessage): Uint8Array {
  const ends = { source, destination };
  return encodeMobilityPacket(encodeMobilityMessage(content, ends), ends);
}

function restartOffer(peer: string): MobilityMessage {
  const options = encodeMipIce({
    isLite: false,
    isMismatch: false,
    credentials: makeCredentials(rng),
    options: [],
    candidates: [
      { type: "host", address: FROM, priority: 0x7effffff },
      { type: "relayed", address: { ip: peer, port: 7000 }, priority: 0x00ffffff },
    ],
    remoteCandidates: [],
  });
  return { type: "care-of-test-init-ice", careOfInitCookie: rng.bytes(8), options };
}
