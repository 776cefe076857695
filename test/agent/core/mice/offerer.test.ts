import { describe, expect, test } from "vitest";
import type { NodeEvent } from "../../../../agent/src/core/events.ts";
import { encodeMipIce, MISMATCH_ANSWER } from "../../../../agent/src/core/mice/mip-ice-option.ts";
import { createMobileNode } from "../../../../agent/src/core/mice/mobile-node.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  type MobilityMessageOf,
} from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../../agent/src/core/mip6/mobility-header.ts";
import { BINDING_ERROR_STATUS } from "../../../../agent/src/core/mip6/status.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";

const HOME = "2001:db8:a::100";
const HOME_AGENT = "2001:db8:a::1";
const PEER = "2001:db8:b::200";
const SOCKET = { ip: "198.18.0.10", port: 40_001 };
const TUNNEL = { ip: "198.18.0.2", port: 4191 };

/** A registered node that offers, with a home agent and a peer whose every answer the test makes. */
class OfferingNode {
  readonly machine = createMobileNode(
    {
      homeAddress: HOME,
      homeAgent: { address: HOME_AGENT, tunnel: [TUNNEL] },
      stunServers: [],
      sockets: [SOCKET],
      profile: "ice16",
    },
    seededRng(11),
  );
  readonly events: NodeEvent[] = [];
  readonly sent: { readonly message: MobilityMessage; readonly atMs: number }[] = [];
  /** Checks that left. */
  checks = 0;
  now = 0;

  constructor() {
    this.machine.start(0);
    this.#settle();
    this.receive(HOME_AGENT, {
      type: "binding-acknowledgement",
      status: 0,
      keyManagement: false,
      sequence: 1,
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
    const offer = this.offers.at(-1);
    if (offer === undefined) throw new Error("there was no offer");
    const { careOfInitCookie } = offer.message;
    const careOfKeygenToken = new Uint8Array(8);
    this.receive(PEER, {
      type: "care-of-test-ice",
      careOfNonceIndex: 1,
      careOfInitCookie,
      careOfKeygenToken,
      options,
    });
  }

  refuse(status: number): void {
    this.receive(PEER, { type: "binding-error", status, homeAddress: "::", options: [] });
  }

  runFor(ms: number): void {
    const until = this.now + ms;
    for (
      let next = this.machine.pollTimeout();
      next !== undefined && next <= until;
      next = this.machine.pollTimeout()
    ) {
      this.now = Math.max(this.now, next);
      this.machine.handleTimeout(this.now);
      this.#settle();
    }
    this.now = until;
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
    for (let out = machine.pollTransmit(); out !== undefined; out = machine.pollTransmit()) this.#note(out.payload);
    for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) this.events.push(event);
  }

  #note(payload: Uint8Array): void {
    const ip = decodeIpv6Packet(payload);
    if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility) this.checks += 1;
    else {
      const message = decodeMobilityMessage(ip.value.payload, ip.value);
      if (message.ok && message.value.type !== "unknown") this.sent.push({ message: message.value, atMs: this.now });
    }
  }
}

function offering(): OfferingNode {
  const node = new OfferingNode();
  node.connect();
  return node;
}

test("a peer that does not know CoTI-ICE ends the session on the home agents' path (A-21)", () => {
  const node = offering();
  node.refuse(BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType);
  expect(node.failures).toEqual(["the peer does not know CoTI-ICE"]);
  node.runFor(70_000);
  expect({ offers: node.offers.length, checks: node.checks }).toEqual({ offers: 1, checks: 0 });
  expect(node.events.flatMap((event) => (event.type === "path" ? [event.path] : []))).toEqual(["home-agents"]);
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
    node.refuse(BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType);
    expect(node.count("dropped.binding-error-unexpected")).toBe(1);
    expect(node.failures.length).toBe(1);
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

test("a node that wants more sessions than its table holds is told which peer has to wait", () => {
  const node = new OfferingNode();
  for (let i = 1; i <= 65; i++) node.connect(`2001:db8:b::${i.toString(16)}`);
  expect(node.offers.length).toBe(64);
  expect(node.events.filter(({ type }) => type === "session-failed")).toEqual([
    { type: "session-failed", peer: "2001:db8:b::41", reason: "session-table-full" },
  ]);
});
