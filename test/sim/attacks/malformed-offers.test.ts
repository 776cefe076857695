import { describe, expect, test } from "vitest";
import { internetChecksum } from "../../../agent/src/core/checksum.ts";
import { encodeMipIce } from "../../../agent/src/core/mice/option/mip-ice-option.ts";
import type { OpaqueOption } from "../../../agent/src/core/mice/option/mip-ice-segment.ts";
import { encodeMobilityMessage } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import { eventsOf } from "../../../agent/src/testing/index.ts";
import { counter, createBattlefield, OPEN, reports } from "./battlefield.ts";
import { RogueNode } from "./rogue-node.ts";

/** Offsets in the data of a MIP-ICE option, which begins after type and length. */
const SEGMENT_AT = 0;
const COUNT_AT = 1;
const CHECKSUM_AT = 2;
const OPTIONS_LENGTH_AT = 25;
const FIRST_CANDIDATE_AT = 26;

/** A changed copy of an option, with its checksum corrected. */
function changed({ optionType, data }: OpaqueOption, change: (data: Uint8Array) => void): OpaqueOption {
  const copy = new Uint8Array(data);
  change(copy);
  copy.fill(0, CHECKSUM_AT, CHECKSUM_AT + 2);
  const checksum = internetChecksum(Uint8Array.of(optionType, copy.length), copy);
  new DataView(copy.buffer).setUint16(CHECKSUM_AT, checksum);
  return { type: "opaque", optionType, data: copy };
}

/** A copy of an option with one octet changed and its checksum corrected. */
function withOctet(option: OpaqueOption, at: number, value: number): OpaqueOption {
  return changed(option, (data) => data.fill(value, at, at + 1));
}

const CASES: readonly {
  readonly name: string;
  readonly spoil: (option: OpaqueOption) => readonly OpaqueOption[];
  readonly counted: string;
}[] = [
  {
    name: "a candidate longer than the option",
    spoil: (option) => [withOctet(option, FIRST_CANDIDATE_AT + 1, 0xff)],
    counted: "dropped.mip-ice-candidate-length",
  },
  {
    name: "a candidate of length 0",
    spoil: (option) => [changed(option, (data) => data.fill(0, FIRST_CANDIDATE_AT + 1, FIRST_CANDIDATE_AT + 3))],
    counted: "dropped.mip-ice-candidate-length",
  },
  {
    name: "a candidate of type 0",
    spoil: (option) => [changed(option, (data) => data.fill(0x80, FIRST_CANDIDATE_AT + 2, FIRST_CANDIDATE_AT + 3))],
    counted: "dropped.mip-ice-candidate-type",
  },
  {
    name: "more candidates announced than carried",
    spoil: (option) => [withOctet(option, COUNT_AT, 3)],
    counted: "dropped.mip-ice-count",
  },
  {
    name: "fewer candidates announced than carried",
    spoil: (option) => [withOctet(option, COUNT_AT, 1)],
    counted: "dropped.mip-ice-count",
  },
  {
    name: "the second of two segments alone",
    spoil: (option) => [withOctet(option, SEGMENT_AT, 0x11)],
    counted: "dropped.mip-ice-segment",
  },
  {
    name: "the first segment twice",
    spoil: (option) => [withOctet(option, SEGMENT_AT, 0x01), withOctet(option, SEGMENT_AT, 0x01)],
    counted: "dropped.mip-ice-segment",
  },
  {
    name: "segments with two passwords",
    spoil: (option) => [
      withOctet(option, SEGMENT_AT, 0x01),
      changed(option, (data) => data.set([0x11, 2, 0, 0, 0, 0, 9])),
    ],
    counted: "dropped.mip-ice-head",
  },
  {
    name: "ice-options longer than the option",
    spoil: (option) => [withOctet(option, OPTIONS_LENGTH_AT, 0xff)],
    counted: "dropped.mip-ice-truncated",
  },
  {
    name: "ice-options that are no tokens",
    spoil: (option) => [withOctet(option, OPTIONS_LENGTH_AT, 4)],
    counted: "dropped.mip-ice-options",
  },
  {
    name: "a wrong checksum",
    spoil: ({ optionType, data }) => [{ type: "opaque", optionType, data: data.with(FIRST_CANDIDATE_AT + 10, 99) }],
    counted: "dropped.mip-ice-checksum",
  },
  {
    name: "an option of a few octets",
    spoil: ({ optionType, data }) => [{ type: "opaque", optionType, data: data.slice(0, 6) }],
    counted: "dropped.mip-ice-truncated",
  },
  { name: "no MIP-ICE option", spoil: () => [], counted: "dropped.offer-without-mip-ice" },
];

describe("S22: a malformed offer is dropped and counted, and leaves nothing behind", () => {
  test.each(CASES)("$name: $counted", ({ spoil, counted }) => {
    const field = createBattlefield(OPEN);
    const rogue = new RogueNode(field.attacker, field.cn.homeAddress);
    rogue.register();
    field.runFor(1000);
    const before = reports(field);
    const wakesAt = field.cn.node.machine.pollTimeout();
    const [option] = encodeMipIce(rogue.describe([{ type: "host", address: rogue.socket }]));
    if (option === undefined) throw new Error("an offer has an option");
    // More than strangers of one network may begin: malformed offers are not counted.
    for (let i = 0; i < 30; i++) {
      const endpoints = { source: `2001:db8:a::${i + 1000}`, destination: field.cn.homeAddress };
      const header = encodeMobilityMessage(rogue.offerWith(spoil(option)), endpoints);
      field.attacker.sendIpv6(encodeMobilityPacket(header, endpoints));
    }
    field.runFor(1000);
    expect(counter(field.cn, counted)).toBe(30);
    expect(reports(field)).toEqual(before);
    expect(field.cn.node.machine.pollTimeout()).toBe(wakesAt);

    rogue.offer([{ type: "host", address: rogue.socket }]);
    field.runFor(100);
    expect(eventsOf(field.cn, "answer-sent").length).toBe(1);
  });

  test("a malformed offer of a peer with a session changes nothing about the session", () => {
    const field = createBattlefield(OPEN);
    const rogue = new RogueNode(field.attacker, field.cn.homeAddress);
    rogue.answersChecks = true;
    rogue.register();
    field.runFor(1000);
    rogue.offer([{ type: "host", address: rogue.socket }]);
    field.runFor(5000);
    const before = reports(field);
    const [option] = encodeMipIce(rogue.describe([{ type: "host", address: rogue.socket }]));
    if (option === undefined) throw new Error("an offer has an option");
    rogue.renewCredentials();
    for (const { spoil } of CASES) rogue.say(rogue.offerWith(spoil(option)));
    field.runFor(1000);
    expect(reports(field)).toEqual(before);
  });
});
