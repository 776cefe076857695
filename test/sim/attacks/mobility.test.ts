import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { encodeCheck, readCheck } from "../../../agent/src/core/ice/check-message.ts";
import type { IceCredentials } from "../../../agent/src/core/ice/ice-machine.ts";
import {
  decodeMipIce,
  encodeMipIce,
  type MipIceDescription,
} from "../../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  type MobilityMessageOf,
  NO_FLAGS,
} from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket, withChecksum } from "../../../agent/src/core/mip6/mobility-header.ts";
import { bindingManagementKey, encodeAuthorized } from "../../../agent/src/core/mip6/return-routability.ts";
import { encodeCheckSuccess } from "../../../agent/src/core/stun/reply.ts";
import { createNumberedFlow, eventsOf, type SimPacket } from "../../../agent/src/testing/index.ts";
import { ACCESS, pathOf } from "../scenario.ts";
import { ATTACKER_IP, dataAmong, stunOf } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, mentions, OPEN, reports, undisturbed } from "./battlefield.ts";
import { RogueNode } from "./rogue-node.ts";

const RUN_UNTIL = 4000;
const KEY = new TextEncoder().encode("the key of node and home agent");

/** A mobility message inside a packet, tunnelled or native. */
function mobilityOf({ payload }: SimPacket) {
  const ip = decodeIpv6Packet(payload);
  if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility) return undefined;
  const { source, destination, payload: header } = ip.value;
  const message = decodeMobilityMessage(header, { source, destination });
  if (!message.ok || message.value.type === "unknown") return undefined;
  return { source, destination, header, message: message.value };
}

function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The offer or answer in a message. */
function descriptionIn(message: MobilityMessage): MipIceDescription | undefined {
  const decoded = decodeMipIce(message.options);
  return decoded.ok ? decoded.value?.description : undefined;
}

/** A copy of an IPv6 packet with its Mobility Header changed, and the header's checksum corrected if requested. */
function tamper(packet: Uint8Array, change: (header: Uint8Array) => void, isMended: boolean): Uint8Array {
  const found = mobilityOf({ kind: "ipv6", source: "", destination: "", payload: packet });
  if (found === undefined) return packet;
  const header = new Uint8Array(found.header);
  change(header);
  return encodeMobilityPacket(isMended ? withChecksum(header, found) : header, found);
}

/** Changes packets of one message type that the mobile node tunnels to its home agent, while requested. */
function rewriteUplink(
  field: Battlefield,
  type: MobilityMessage["type"],
  rewrite: (packet: Uint8Array) => Uint8Array,
): { isOn: boolean; count: number } {
  const control = { isOn: true, count: 0 };
  field.attacker.sitOnPath((packet, from) => {
    if (!control.isOn || from !== "mn" || packet.kind !== "udp" || mobilityOf(packet)?.message.type !== type)
      return false;
    control.count += 1;
    field.attacker.send(packet.source, packet.destination, rewrite(packet.payload));
    return true;
  });
  return control;
}

describe("S14: tampering between node and home agent", () => {
  test("a registration whose lifetime is changed, checksum mended, is dropped without an answer", () => {
    const field = createBattlefield({ a: { access: ACCESS, registrationKey: KEY }, b: { access: ACCESS } });
    const { mn, net } = field;
    net.time.runUntil(1000);
    const registered = eventsOf(mn, "registered").length;
    const rewriting = rewriteUplink(field, "binding-update", (packet) =>
      tamper(packet, (header) => header.fill(0, 10, 12), true),
    );
    mn.node.tell((machine, now) => machine.retarget(now, [mn.socket]));
    net.time.runUntil(5000);
    expect(rewriting.count).toBeGreaterThan(1);
    expect(mn.homeAgent.machine.counters()["dropped.authentication"]).toBe(rewriting.count);
    expect(eventsOf(mn, "registered").length).toBe(registered);
    rewriting.isOn = false;
    net.time.runUntil(20_000);
    expect(eventsOf(mn, "registered").length).toBe(registered + 1);
  });

  test("a registration by somebody who has no key is dropped, and the binding stays", () => {
    const field = createBattlefield({ a: { access: ACCESS, registrationKey: KEY }, b: { access: ACCESS } });
    field.net.time.runUntil(1000);
    const endpoints = { source: field.mn.homeAddress, destination: "2001:db8:a::1" };
    const update: MobilityMessage = {
      type: "binding-update",
      sequence: 100,
      flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true },
      lifetimeSec: 600,
      options: [{ type: "ipv4-care-of-address", address: ATTACKER_IP }],
    };
    const payload = encodeMobilityPacket(encodeMobilityMessage(update, endpoints), endpoints);
    field.attacker.send({ ip: ATTACKER_IP, port: 6666 }, { ip: "198.18.0.2", port: 4191 }, payload);
    field.runFor(1000);
    const flow = createNumberedFlow(field.cn, field.mn);
    flow.send();
    field.runFor(1000);
    expect(field.mn.homeAgent.machine.counters()["dropped.authentication"]).toBe(1);
    expect([flow.arrivals(), field.attacker.arrivals]).toEqual([[0], []]);
  });

  test.each([
    { name: "nothing mended", isMended: false, counted: "dropped.mobility-checksum" },
    { name: "the checksum of the header mended", isMended: true, counted: "dropped.mip-ice-checksum" },
  ])("an offer with a changed candidate, $name, is dropped: $counted", ({ isMended, counted }) => {
    const field = createBattlefield(OPEN);
    const rewriting = rewriteUplink(field, "care-of-test-init-ice", (packet) =>
      // Octet 56 of the header is in the address of the first candidate: 16 + 28 + 12.
      tamper(packet, (header) => header.fill(66, 56, 60), isMended),
    );
    field.connect();
    field.runFor(3000);
    expect(counter(field.cn, counted)).toBe(rewriting.count);
    expect([eventsOf(field.cn, "offer-received"), field.attacker.arrivals]).toEqual([[], []]);
    rewriting.isOn = false;
    field.runFor(10_000);
    expect(pathOf(field.mn)).toBe("direct host host");
  });
});

/** What an on-path observer between the home agents reads. */
interface Sniffed {
  readonly home: MobilityMessageOf<"home-test"> | undefined;
  readonly careOf: MobilityMessageOf<"care-of-test-ice"> | undefined;
  readonly mn: IceCredentials | undefined;
  readonly cn: IceCredentials | undefined;
}

function sniffBetweenHomeAgents(field: Battlefield, onAnswer: (heard: Sniffed) => void): void {
  let heard: Sniffed = { home: undefined, careOf: undefined, mn: undefined, cn: undefined };
  field.attacker.sitOnPath((packet) => {
    const message = packet.kind === "ipv6" ? mobilityOf(packet)?.message : undefined;
    if (message?.type === "home-test") heard = { ...heard, home: message };
    if (message?.type === "care-of-test-init-ice") heard = { ...heard, mn: descriptionIn(message)?.credentials };
    if (message?.type !== "care-of-test-ice") return false;
    heard = { ...heard, careOf: message, cn: descriptionIn(message)?.credentials };
    onAnswer(heard);
    return false;
  });
}

test("S15 (residual risk): who reads the leg between home agents has passwords and tokens, and takes the data over", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn, net } = field;
  const E: SocketAddress = { ip: ATTACKER_IP, port: 7000 };
  sniffBetweenHomeAgents(field, ({ home, careOf, mn: ofMn, cn: ofCn }) => {
    if (home === undefined || careOf === undefined || ofMn === undefined || ofCn === undefined) return;
    attacker.onArrival = (packet) => {
      const check = stunOf(packet);
      if (packet.kind === "udp" && check?.class === "request" && readCheck(check) !== undefined)
        attacker.send(E, packet.source, encodeCheckSuccess(check, packet.source, octetsOf(ofMn.pwd)));
    };
    const claim = { role: "controlling", tieBreaker: 1n } as const;
    const check = encodeCheck(
      new Uint8Array(12),
      `${ofCn.ufrag}:${ofMn.ufrag}`,
      { priority: 0x7effffff, claim, useCandidate: false },
      octetsOf(ofCn.pwd),
    );
    attacker.send(E, cn.socket, check);
    const endpoints = { source: mn.homeAddress, destination: cn.homeAddress };
    const update: MobilityMessageOf<"binding-update"> = {
      type: "binding-update",
      sequence: 1000,
      flags: { ...NO_FLAGS, acknowledge: true },
      lifetimeSec: 420,
      options: [
        { type: "alternate-care-of-address", address: E.ip },
        { type: "nonce-indices", home: home.homeNonceIndex, careOf: careOf.careOfNonceIndex },
      ],
    };
    const key = bindingManagementKey(home.homeKeygenToken, careOf.careOfKeygenToken);
    const header = encodeAuthorized(update, endpoints, { key, careOf: E.ip, correspondent: cn.homeAddress });
    net.time.at(net.time.now + 3000, () => attacker.sendIpv6(encodeMobilityPacket(header, endpoints)));
  });
  field.connect();
  field.runFor(5000);
  const data = createNumberedFlow(cn, mn);
  data.sendEvery(20, 1000);
  field.runFor(2000);
  expect(eventsOf(cn, "binding-update-received").at(-1)?.event).toMatchObject({
    careOf: E.ip,
    status: 0,
    sequence: 1000,
  });
  expect(data.arrivals()).toEqual([]);
  expect(dataAmong(attacker.arrivals).length).toBe(50);
});

describe("S16: a Binding Update that is not what it should be", () => {
  const E: SocketAddress = { ip: ATTACKER_IP, port: 7000 };

  /** A registered node with a pair that its peer has checked, about to send its update. */
  function bound() {
    const field = createBattlefield(OPEN);
    const rogue = new RogueNode(field.attacker, field.cn.homeAddress);
    rogue.answersChecks = true;
    rogue.register();
    field.runFor(1000);
    rogue.offer([{ type: "host", address: E }]);
    field.runFor(500);
    return { field, rogue };
  }

  test("with a wrong authenticator is dropped in silence", () => {
    const { field, rogue } = bound();
    rogue.update({ careOf: E.ip, sequence: 1, key: new Uint8Array(20) });
    field.runFor(5000);
    expect(rogue.acknowledgements(E.ip)).toEqual([]);
    expect(counter(field.cn, "dropped.update-unauthorized")).toBe(1);
  });

  test.each([
    { name: "home", indices: { homeIndex: 999 }, status: 136 },
    { name: "care-of", indices: { careOfIndex: 999 }, status: 137 },
    { name: "both", indices: { homeIndex: 999, careOfIndex: 999 }, status: 138 },
  ])("with an unknown nonce index ($name) is answered $status without authenticator", ({ indices, status }) => {
    const { field, rogue } = bound();
    rogue.update({ careOf: E.ip, sequence: 1, ...indices });
    field.runFor(1000);
    expect(rogue.acknowledgements(E.ip)).toEqual([`${status} sequence 1`]);
  });

  test("with nonces of four minutes ago is answered 138", () => {
    const { field, rogue } = bound();
    field.runFor(241_000);
    rogue.update({ careOf: E.ip, sequence: 1 });
    field.runFor(1000);
    expect(rogue.acknowledgements(E.ip)).toEqual(["138 sequence 1"]);
  });

  test("with a sequence number that is not newer is answered 135 with the last one, also after a restart", () => {
    const { field, rogue } = bound();
    rogue.update({ careOf: E.ip, sequence: 7 });
    field.runFor(1000);
    const paths = eventsOf(field.cn, "path").length;
    for (const sequence of [7, 6, 0x8007]) rogue.update({ careOf: E.ip, sequence });
    field.runFor(1000);
    rogue.renewCredentials();
    rogue.offer([{ type: "host", address: E }]);
    field.runFor(500);
    rogue.update({ careOf: E.ip, sequence: 7 });
    field.runFor(1000);
    expect(rogue.acknowledgements(E.ip)).toEqual([
      "0 sequence 7 signed",
      ...Array<string>(4).fill("135 sequence 7 signed"),
    ]);
    expect(eventsOf(field.cn, "offer-received").at(-1)?.event.isRestart).toBe(true);
    expect(eventsOf(field.cn, "path").length).toBe(paths);
  });
});

describe("S17: a CoT-ICE that nobody asked for", () => {
  /** A forged answer with the correspondent's source address and the attacker as candidate. */
  function forgedAnswer(field: Battlefield): Uint8Array {
    const endpoints = { source: field.cn.homeAddress, destination: field.mn.homeAddress };
    const attacker: SocketAddress = { ip: ATTACKER_IP, port: 6666 };
    const description: MipIceDescription = {
      isLite: false,
      isMismatch: false,
      credentials: { ufrag: "AAAA", pwd: "AAAAAAAAAAAAAAAAAAAAAA" },
      options: [],
      candidates: [{ type: "host", address: attacker, priority: 0x7effffff }],
      remoteCandidates: [],
    };
    const answer: MobilityMessage = {
      type: "care-of-test-ice",
      careOfNonceIndex: 1,
      careOfInitCookie: new Uint8Array(8).fill(0x66),
      careOfKeygenToken: new Uint8Array(8),
      options: encodeMipIce(description),
    };
    return encodeMobilityPacket(encodeMobilityMessage(answer, endpoints), endpoints);
  }

  test.each([
    { name: "while the true one is awaited", atMs: 1060 },
    { name: "when the session stands", atMs: 3000 },
  ])("is dropped $name; no check goes where it points", ({ atMs }) => {
    const field = createBattlefield(OPEN);
    field.connect();
    field.net.time.runUntil(atMs);
    field.attacker.sendIpv6(forgedAnswer(field));
    field.net.time.runUntil(RUN_UNTIL);
    expect(counter(field.mn, "dropped.answer-unexpected")).toBe(1);
    expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
    expect(field.attacker.arrivals).toEqual([]);
  });

  test("is dropped where no session is", () => {
    const field = createBattlefield(OPEN);
    field.net.time.runUntil(1000);
    field.attacker.sendIpv6(forgedAnswer(field));
    field.runFor(1000);
    expect(counter(field.mn, "dropped.no-session")).toBe(1);
    expect(field.attacker.arrivals).toEqual([]);
  });
});

test("S23 (residual risk): who rewrites the outer source of a registration gets the tunnel; only NAT detection shows it", () => {
  const field = createBattlefield({ a: { access: ACCESS, registrationKey: KEY }, b: { access: ACCESS } });
  const { attacker, mn, cn } = field;
  const E: SocketAddress = { ip: ATTACKER_IP, port: 6666 };
  const HOME_AGENT: SocketAddress = { ip: "198.18.0.2", port: 4191 };
  field.net.time.runUntil(1000);
  expect(eventsOf(mn, "registered").at(-1)?.event.natDetected).toBe(false);
  attacker.sitOnPath((packet, from) => {
    if (from !== "mn" || packet.kind !== "udp" || packet.destination.ip !== HOME_AGENT.ip) return false;
    attacker.send(E, packet.destination, packet.payload);
    return true;
  });
  attacker.onArrival = (packet) => {
    if (mobilityOf(packet) !== undefined) attacker.send(HOME_AGENT, mn.socket, packet.payload);
  };
  mn.node.tell((machine, now) => machine.retarget(now, [mn.socket]));
  field.runFor(1000);
  expect(eventsOf(mn, "registered").at(-1)?.event.natDetected).toBe(true);
  expect(mn.homeAgent.events.at(-1)?.event).toMatchObject({
    type: "binding-registered",
    observed: E,
    natDetected: true,
  });

  const data = createNumberedFlow(cn, mn);
  data.sendEvery(20, 1000);
  field.runFor(2000);
  expect(data.arrivals()).toEqual([]);
  expect(dataAmong(attacker.arrivals).filter((packet) => mobilityOf(packet) === undefined).length).toBe(50);
});

test("a Home Address option lends nobody the name of another node (RFC 6275 section 9.3.1)", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn } = field;
  field.connect();
  field.net.time.runUntil(3000);
  const rogue = new RogueNode(attacker, cn.homeAddress);
  rogue.register();
  field.runFor(100);
  const before = reports(field);
  rogue.sayAs(mn.homeAddress, rogue.offerWith(encodeMipIce({ ...rogue.describe([]), candidates: [HOME_OF_MN] })));
  rogue.sayAs(mn.homeAddress, { type: "binding-refresh-request", options: [] });
  rogue.sayAs(mn.homeAddress, { type: "home-test-init", homeInitCookie: new Uint8Array(8), options: [] });
  field.runFor(5000);
  expect(reports(field)).toEqual(before);
  expect(counter(cn, "dropped.home-address-option")).toBe(3);
  expect(mentions(cn, ATTACKER_IP, "offer-received")).toBe(false);
  expect(pathOf(cn)).toBe("direct host host");
});

const HOME_OF_MN = { type: "relayed", address: { ip: "2001:db8:a::100", port: 7000 }, priority: 1 } as const;

test("what seems to come from the node itself is dropped: no session with oneself", () => {
  const field = createBattlefield(OPEN);
  const { attacker, cn } = field;
  field.net.time.runUntil(1000);
  const before = reports(field);
  const endpoints = { source: cn.homeAddress, destination: cn.homeAddress };
  const description: MipIceDescription = {
    isLite: false,
    isMismatch: false,
    credentials: { ufrag: "AAAA", pwd: "AAAAAAAAAAAAAAAAAAAAAA" },
    options: [],
    candidates: [{ type: "relayed", address: { ip: cn.homeAddress, port: 7000 }, priority: 1 }],
    remoteCandidates: [],
  };
  const cookie = new Uint8Array(8);
  for (const message of [
    { type: "care-of-test-init-ice", careOfInitCookie: cookie, options: encodeMipIce(description) },
    { type: "home-test-init", homeInitCookie: cookie, options: [] },
  ] as const)
    attacker.sendIpv6(encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints));
  field.runFor(5000);
  expect(reports(field)).toEqual(before);
  expect(counter(cn, "dropped.own-address")).toBe(2);
});
