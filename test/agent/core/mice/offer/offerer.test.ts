import { describe, expect, test } from "vitest";
import { sameSocketAddress } from "../../../../../agent/src/core/address.ts";
import type { NodeEvent } from "../../../../../agent/src/core/events.ts";
import { hostCandidate, relayedCandidate } from "../../../../../agent/src/core/ice/candidate.ts";
import { createIceAgent } from "../../../../../agent/src/core/ice/ice-agent.ts";
import type { IceMachine } from "../../../../../agent/src/core/ice/ice-machine.ts";
import type { Transmit } from "../../../../../agent/src/core/machine.ts";
import { createMobileNode } from "../../../../../agent/src/core/mice/mobile-node.ts";
import { makeCredentials } from "../../../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import {
  decodeMipIce,
  encodeMipIce,
  MISMATCH_ANSWER,
} from "../../../../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  type MobilityMessageOf,
} from "../../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../../../agent/src/core/mip6/mobility-header.ts";
import { bindingManagementKey, encodeAuthorized } from "../../../../../agent/src/core/mip6/return-routability.ts";
import { BINDING_ERROR_STATUS, BINDING_STATUS } from "../../../../../agent/src/core/mip6/status.ts";
import { demultiplex } from "../../../../../agent/src/core/node/demultiplex.ts";
import { seededRng } from "../../../../../agent/src/testing/index.ts";

const HOME = "2001:db8:a::100";
const HOME_AGENT = "2001:db8:a::1";
const PEER = "2001:db8:b::200";
const SOCKET = { ip: "198.18.0.10", port: 40_001 };
const PEER_SOCKET = { ip: "198.18.0.20", port: 40_002 };
/** The keygen tokens from the peer. */
const TOKEN = new Uint8Array(8);
const TUNNEL = { ip: "198.18.0.2", port: 4191 };

/** A registered node that offers; the test builds every message of its home agent and its peer. Its checks are real. */
class OfferingNode {
  readonly machine = createMobileNode(
    {
      homeAddress: HOME,
      homeAgent: { address: HOME_AGENT, tunnel: [TUNNEL] },
      stunServers: [],
      sockets: [SOCKET],
    },
    seededRng(11),
  );
  readonly events: NodeEvent[] = [];
  readonly sent: { readonly message: MobilityMessage; readonly atMs: number }[] = [];
  /** Number of checks sent. */
  checks = 0;
  now = 0;
  #peerIce: IceMachine | undefined;
  readonly #peerRng = seededRng(12);

  constructor() {
    this.machine.start(0);
    this.#settle();
    this.receive(HOME_AGENT, {
      type: "binding-acknowledgement",
      status: 0,
      keyManagement: false,
      sequence: this.events.find((event) => event.type === "registration-sent")?.sequence ?? 0,
      lifetimeSec: 600,
      options: [],
    });
  }

  connect(peer = PEER): void {
    this.machine.connect(this.now, peer);
    this.#settle();
  }

  receive(source: string, message: MobilityMessage): void {
    const endpoints = { source, destination: HOME };
    const payload = encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints);
    this.machine.handleDatagram(this.now, { local: SOCKET, remote: TUNNEL, payload });
    this.#settle();
  }

  /** Answers the last offer with these options. */
  answer(options: MobilityMessageOf<"care-of-test-ice">["options"]): void {
    const { careOfInitCookie } = defined(this.offers.at(-1)).message;
    this.receive(PEER, {
      type: "care-of-test-ice",
      careOfNonceIndex: 1,
      careOfInitCookie,
      careOfKeygenToken: TOKEN,
      options,
    });
  }

  /** Answers like an honest peer: HoT, CoT-ICE, and checks from one socket on the same segment, without delay. */
  meet(): void {
    const inits = this.sent.flatMap(({ message }) => (message.type === "home-test-init" ? [message] : []));
    const { homeInitCookie } = defined(inits.at(-1));
    this.receive(PEER, { type: "home-test", homeNonceIndex: 1, homeInitCookie, homeKeygenToken: TOKEN, options: [] });
    const offer = decodeMipIce(defined(this.offers.at(-1)).message.options);
    const credentials = makeCredentials(this.#peerRng);
    const candidates = [hostCandidate(PEER_SOCKET), relayedCandidate({ ip: PEER, port: PEER_SOCKET.port })];
    const start = { profile: "ice16", role: "controlled", startedAt: this.now } as const;
    this.#peerIce = createIceAgent({ ...start, credentials, candidates, rng: this.#peerRng });
    if (offer.ok && offer.value !== undefined) this.#peerIce.setRemote(this.now, offer.value.description);
    this.answer(
      encodeMipIce({
        isLite: false,
        isMismatch: false,
        credentials,
        options: [],
        candidates,
        remoteCandidates: [],
      }),
    );
  }

  /** Answers the last Binding Update on the pair, signed unless set otherwise. */
  acknowledge(
    status: number,
    { isSigned = true, sequence = this.updates.at(-1)?.sequence ?? 0, lifetimeSec = 0 } = {},
  ): void {
    const message = {
      type: "binding-acknowledgement",
      status,
      keyManagement: false,
      sequence,
      lifetimeSec,
    } as const;
    const endpoints = { source: PEER, destination: HOME };
    const authorization = { key: bindingManagementKey(TOKEN, TOKEN), careOf: SOCKET.ip, correspondent: PEER };
    const header = isSigned
      ? encodeAuthorized({ ...message, options: [] }, endpoints, authorization)
      : encodeMobilityMessage({ ...message, options: [] }, endpoints);
    const payload = encodeMobilityPacket(header, endpoints);
    this.machine.handleDatagram(this.now, { local: SOCKET, remote: PEER_SOCKET, payload });
    this.#settle();
  }

  /** Binding Updates for the peer. */
  get updates() {
    return this.sent.flatMap(({ message }) =>
      message.type === "binding-update" && !message.flags.homeRegistration ? [message] : [],
    );
  }

  get paths(): readonly string[] {
    return this.events.flatMap((event) => (event.type === "path" ? [event.path] : []));
  }

  refuse(status: number): void {
    this.receive(PEER, { type: "binding-error", status, homeAddress: "::", options: [] });
  }

  runFor(ms: number): void {
    const until = this.now + ms;
    for (let next = this.#nextAt(); next <= until; next = this.#nextAt()) {
      this.now = Math.max(this.now, next);
      this.machine.handleTimeout(this.now);
      this.#peerIce?.handleTimeout(this.now);
      this.#settle();
    }
    this.now = until;
  }

  #nextAt(): number {
    return Math.min(this.machine.pollTimeout() ?? Infinity, this.#peerIce?.pollTimeout() ?? Infinity);
  }

  get offers() {
    return this.sent.flatMap(({ message, atMs }) =>
      message.type === "care-of-test-init-ice" ? [{ message, atMs }] : [],
    );
  }

  get failures(): readonly string[] {
    return this.events.flatMap((event) => (event.type === "session-failed" ? [event.reason] : []));
  }

  count(name: string): number {
    return this.machine.counters()[name] ?? 0;
  }

  #settle(): void {
    const { machine } = this;
    for (let out = machine.pollTransmit(); out !== undefined; out = machine.pollTransmit()) {
      this.#note(out);
      const content = demultiplex(out.payload);
      if (sameSocketAddress(out.remote, PEER_SOCKET) && content.kind === "stun")
        this.#peerIce?.handleStun(this.now, { ...content, local: PEER_SOCKET, remote: SOCKET });
    }
    for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) this.events.push(event);
    const check = this.#peerIce?.pollTransmit();
    if (check === undefined) return;
    if (sameSocketAddress(check.remote, SOCKET))
      machine.handleDatagram(this.now, { local: SOCKET, remote: PEER_SOCKET, payload: check.payload });
    this.#settle();
  }

  #note({ remote, payload }: Transmit): void {
    const ip = decodeIpv6Packet(payload);
    // STUN to the home agent itself keeps the tunnel's mapping.
    const isTunnelQuestion = !ip.ok && sameSocketAddress(remote, TUNNEL);
    if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility) this.checks += isTunnelQuestion ? 0 : 1;
    else {
      const message = decodeMobilityMessage(ip.value.payload, ip.value);
      if (message.ok && message.value.type !== "unknown") this.sent.push({ message: message.value, atMs: this.now });
    }
  }
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("expected a value");
  return value;
}

function offering(): OfferingNode {
  const node = new OfferingNode();
  node.connect();
  return node;
}

test("a peer that does not know CoTI-ICE ends the session on the home agents' path (A-21)", () => {
  const node = offering();
  node.refuse(BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType);
  node.runFor(999);
  expect(node.failures).toEqual([]);
  node.runFor(1);
  expect(node.failures).toEqual(["the peer does not know CoTI-ICE"]);
  node.runFor(70_000);
  expect({ offers: node.offers.length, checks: node.checks }).toEqual({ offers: 1, checks: 0 });
  expect(node.paths).toEqual(["home-agents"]);
});

test("an answer with the M flag ends the session on the home agents' path (A-20)", () => {
  const node = offering();
  node.answer(encodeMipIce(MISMATCH_ANSWER));
  expect(node.failures).toEqual(["the peer found no home address in the offer (ice-mismatch)"]);
  node.runFor(70_000);
  expect({ offers: node.offers.length, checks: node.checks }).toEqual({ offers: 1, checks: 0 });
});

describe("Binding Errors that prove nothing", () => {
  test("of another status are ignored, and the offer is repeated", () => {
    const node = offering();
    node.refuse(BINDING_ERROR_STATUS.unknownBindingForHomeAddress);
    node.runFor(1000);
    expect(node.count("ignored.binding-error")).toBe(1);
    expect(node.offers.map(({ atMs }) => atMs)).toEqual([0, 1000]);
  });

  test("of status 2 are ignored where no offer is open", () => {
    const node = offering();
    node.refuse(BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType);
    node.runFor(1000);
    node.refuse(BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType);
    expect(node.count("dropped.refusal-unexpected")).toBe(1);
    expect(node.failures.length).toBe(1);
  });

  test("of status 2 are belied by an answer to the offer, until it would be repeated", () => {
    const node = offering();
    node.refuse(BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType);
    node.runFor(900);
    node.meet();
    node.runFor(2000);
    expect(node.failures).toEqual([]);
    expect(node.checks).toBeGreaterThan(0);
  });
});

describe("answers that cannot be used are dropped, and the offer is repeated", () => {
  const [option] = encodeMipIce(MISMATCH_ANSWER);
  test.each([
    { name: "without the option", options: [], counter: "dropped.answer-without-mip-ice" },
    {
      name: "with a damaged option",
      options: option === undefined ? [] : [{ ...option, data: option.data.with(10, 1) }],
      counter: "dropped.mip-ice-checksum",
    },
  ])("$name", ({ options, counter }) => {
    const node = offering();
    node.answer(options);
    expect(node.count(counter)).toBe(1);
    node.runFor(1000);
    expect(node.offers.length).toBe(2);
    expect(node.failures).toEqual([]);
  });

  test("a HoT with another cookie", () => {
    const node = offering();
    const token = new Uint8Array(8);
    node.receive(PEER, {
      type: "home-test",
      homeNonceIndex: 1,
      homeInitCookie: token,
      homeKeygenToken: token,
      options: [],
    });
    expect(node.count("dropped.home-test-unexpected")).toBe(1);
    node.runFor(1000);
    expect(node.sent.filter(({ message }) => message.type === "home-test-init").length).toBe(2);
  });
});

describe("a HoTI", () => {
  const cookiesOf = ({ sent }: OfferingNode): readonly Uint8Array[] =>
    sent.flatMap(({ message }) => (message.type === "home-test-init" ? [message.homeInitCookie] : []));

  test("has another cookie each time it is sent", () => {
    const node = offering();
    node.runFor(20_000);
    const cookies = cookiesOf(node).map((cookie) => Buffer.from(cookie).toString("hex"));
    expect(cookies.length).toBe(5);
    expect(new Set(cookies).size).toBe(5);
  });

  test.each([
    { name: "the first", answered: 0 },
    { name: "the last", answered: 2 },
  ])("that was repeated may be answered by what $name one asked for, once", ({ answered }) => {
    const node = offering();
    node.runFor(3000);
    const homeInitCookie = defined(cookiesOf(node)[answered]);
    const answer = { type: "home-test", homeNonceIndex: 1, homeKeygenToken: TOKEN, options: [] } as const;
    node.receive(PEER, { ...answer, homeInitCookie });
    expect(node.count("dropped.home-test-unexpected")).toBe(0);
    for (const cookie of cookiesOf(node)) node.receive(PEER, { ...answer, homeInitCookie: cookie });
    expect(node.count("dropped.home-test-unexpected")).toBe(3);
    node.runFor(60_000);
    expect(cookiesOf(node).length).toBe(3);
  });
});

test("a node that is told to offer again and again sends three offers in a second, and what is left with a repetition", () => {
  const node = offering();
  const [option] = encodeMipIce(MISMATCH_ANSWER);
  for (let i = 0; i < 9; i += 1) {
    node.answer(option === undefined ? [] : [option]);
    node.connect();
  }
  expect(node.offers.length).toBe(3);
  node.runFor(1000);
  expect(node.offers.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 1000]);
});

describe("a Binding Update that the peer refuses", () => {
  function updating(): OfferingNode {
    const node = offering();
    node.meet();
    node.runFor(500);
    expect(node.updates.map(({ sequence }) => sequence)).toEqual([1]);
    return node;
  }

  test("for good leaves data on the home agents' path, and is not repeated", () => {
    const node = updating();
    node.acknowledge(BINDING_STATUS.administrativelyProhibited);
    node.runFor(10_000);
    expect(node.events.filter(({ type }) => type === "binding-rejected")).toEqual([
      { type: "binding-rejected", peer: PEER, status: BINDING_STATUS.administrativelyProhibited },
    ]);
    expect({ updates: node.updates.length, paths: node.paths }).toEqual({ updates: 1, paths: [] });
  });

  test("because a later number is known goes on from there", () => {
    const node = updating();
    node.acknowledge(BINDING_STATUS.sequenceNumberOutOfWindow, { sequence: 500 });
    expect(node.updates.map(({ sequence }) => sequence)).toEqual([1, 501]);
    expect(node.count("resumed.sequence")).toBe(1);
  });

  test("because its tokens are unknown brings new tokens, three times at most", () => {
    const node = updating();
    for (let round = 1; round <= 4; round++) {
      node.acknowledge(BINDING_STATUS.expiredNonces, { isSigned: false });
      expect(node.offers.length).toBe(Math.min(1 + round, 4));
      if (round <= 3) node.meet();
      // Another offer, but no retransmission of the update: three of a type may be sent in a second.
      node.runFor(999);
    }
    expect(node.updates.length).toBe(4);
    expect(node.events.filter(({ type }) => type === "binding-rejected").length).toBe(1);
    expect(node.checks).toBeLessThan(20);
  });

  test("in words that are not signed is not refused", () => {
    const node = updating();
    node.acknowledge(BINDING_STATUS.administrativelyProhibited, { isSigned: false });
    node.runFor(1000);
    expect(node.count("dropped.acknowledgement-unauthorized")).toBe(1);
    expect(node.updates.length).toBe(2);
  });
});

test.each([
  { told: 65_535 * 4, lifetimeSec: 420 },
  { told: 40, lifetimeSec: 40 },
])("a binding that the peer grants for $told s lasts $lifetimeSec s here", ({ told, lifetimeSec }) => {
  const node = offering();
  node.meet();
  node.runFor(500);
  node.acknowledge(BINDING_STATUS.accepted, { lifetimeSec: told });
  expect(node.events.filter(({ type }) => type === "binding-accepted")).toEqual([
    { type: "binding-accepted", peer: PEER, sequence: 1, lifetimeSec },
  ]);
});

test.each(["2001:db8:a::100", "198.51.100.1"])("%s is no peer to connect to", (peer) => {
  expect(() => new OfferingNode().connect(peer)).toThrow("a peer is named by the IPv6 home address of another node");
});

test("a node that wants more sessions than its table holds is told which peer has to wait", () => {
  const node = new OfferingNode();
  for (let i = 1; i <= 65; i++) node.connect(`2001:db8:b::${i.toString(16)}`);
  expect(node.offers.length).toBe(64);
  expect(node.events.filter(({ type }) => type === "session-failed")).toEqual([
    { type: "session-failed", peer: "2001:db8:b::41", reason: "session-table-full" },
  ]);
});
