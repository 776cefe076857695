import { describe, expect, test } from "vitest";
import { formatTuple } from "../../../orchestrator/trace/five-tuple.ts";
import { followPackets, type TracedPacket, translationsOf } from "../../../orchestrator/trace/follow-packets.ts";
import type { TraceStream } from "../../../orchestrator/trace/read-streams.ts";
import { capturesOf, fragmentsOf, type SentFrame, tcp, udp } from "../../support/captured-lab.ts";

const ALICE = "192.168.1.2:4000";
const NAT_A = "198.18.0.4:5000";
const NAT_B = "198.18.0.5:5001";
const BOB = "192.168.2.2:4000";
const INNER = { mn: "[2001:db8:a::100]:50000", cn: "[2001:db8:b::100]:7" } as const;

/** One packet from alice through both NATs to bob. */
function passage(at: number, payload: string): SentFrame[] {
  return [
    { at, segment: "home", from: "alice", to: "nat-a", packet: udp(ALICE, NAT_B, payload) },
    { at: at + 0.01, segment: "internet", from: "nat-a", to: "nat-b", packet: udp(NAT_A, NAT_B, payload) },
    { at: at + 0.02, segment: "cafe", from: "nat-b", to: "bob", packet: udp(NAT_A, BOB, payload) },
  ];
}

function wayOf({ sightings }: TracedPacket): string {
  return [sightings[0].sender, ...sightings.map(({ receiver }) => receiver ?? "nobody")].join(" ");
}

function follow(frames: readonly SentFrame[]): readonly TracedPacket[] {
  return followPackets(capturesOf(frames));
}

describe("a packet is followed", () => {
  test("through two NATs, with what each made of it", () => {
    const [packet, ...others] = follow(passage(1000, "hello"));
    expect(others).toEqual([]);
    expect(packet).toMatchObject({ kind: "data", octets: 5, isAmbiguous: false, isCopy: false });
    expect(packet && wayOf(packet)).toBe("alice nat-a nat-b bob");
    expect(packet?.sightings.map(({ segment, at }) => [segment, at])).toEqual([
      ["home", 1000],
      ["internet", expect.closeTo(1000.01, 3)],
      ["cafe", expect.closeTo(1000.02, 3)],
    ]);
    expect(
      packet &&
        translationsOf(packet).map(({ node, from, to }) => `${node}: ${formatTuple(from)} to ${formatTuple(to)}`),
    ).toEqual([
      `nat-a: udp ${ALICE} → ${NAT_B} to udp ${NAT_A} → ${NAT_B}`,
      `nat-b: udp ${NAT_A} → ${NAT_B} to udp ${NAT_A} → ${BOB}`,
    ]);
  });

  test("from IPv6 to IPv4", () => {
    const packets = follow([
      {
        at: 1,
        segment: "lan",
        from: "alice",
        to: "nat64",
        packet: udp("[2001:db8::2]:4000", "[64:ff9b::c612:5]:5001", "hi"),
      },
      {
        at: 1.2,
        segment: "internet",
        from: "nat64",
        to: "bob",
        packet: udp("198.18.0.4:5000", "198.18.0.5:5001", "hi"),
      },
    ]);
    expect(packets.map(wayOf)).toEqual(["alice nat64 bob"]);
  });

  test("into and out of a tunnel, by the packet in it", () => {
    const inner = udp(INNER.mn, INNER.cn, "request");
    const packets = follow([
      { at: 1, segment: "home", from: "mn", to: "nat", packet: udp("192.168.1.2:40000", "198.18.0.2:4191", inner) },
      {
        at: 2,
        segment: "internet",
        from: "nat",
        to: "ha-a",
        packet: udp("198.18.0.4:40000", "198.18.0.2:4191", inner),
      },
      { at: 3, segment: "internet", from: "ha-a", to: "cn", packet: inner },
    ]);
    expect(packets.map(wayOf)).toEqual(["mn nat ha-a cn"]);
    expect(packets[0]?.sightings.map(({ tunnels }) => tunnels.map(formatTuple))).toEqual([
      ["udp 192.168.1.2:40000 → 198.18.0.2:4191"],
      ["udp 198.18.0.4:40000 → 198.18.0.2:4191"],
      [],
    ]);
    expect(packets.flatMap(translationsOf)).toEqual([]);
  });

  test.each([
    ["ChannelData", [0x40, 0, 0, 5], []],
    [
      "a Send indication",
      [0, 0x16, 0, 12, 0x21, 0x12, 0xa4, 0x42, ...Array.from({ length: 12 }, () => 7), 0, 0x13, 0, 5],
      [0, 0, 0],
    ],
  ])("through a relay that takes it in %s", (_, header, padding) => {
    const wrapped = Uint8Array.from([...header, ...new TextEncoder().encode("hello"), ...padding]);
    const packets = follow([
      {
        at: 1,
        segment: "internet",
        from: "alice",
        to: "turn",
        packet: udp("198.18.0.2:4000", "198.18.0.9:3478", wrapped),
      },
      {
        at: 2,
        segment: "internet",
        from: "turn",
        to: "bob",
        packet: udp("198.18.0.9:50000", "198.18.0.3:4000", "hello"),
      },
    ]);
    expect(packets.map(wayOf)).toEqual(["alice turn bob"]);
    expect(packets).toMatchObject([{ kind: "data", octets: 5 }]);
  });

  test("in fragments on one segment and whole on the other", () => {
    const large = "x".repeat(2000);
    const frames = fragmentsOf(udp(ALICE, NAT_B, large), 1000).map((packet, i) => ({
      ...{ at: 1 + i / 100, segment: "home", from: "alice", to: "nat", packet },
    }));
    const packets = follow([
      ...frames,
      { at: 2, segment: "internet", from: "nat", to: "bob", packet: udp(NAT_A, NAT_B, large) },
    ]);
    expect(packets.map(wayOf)).toEqual(["alice nat bob"]);
    expect(packets).toMatchObject([{ octets: 2000 }]);
  });

  test("as a segment of TCP, and once more when it is sent again", () => {
    const send = (at: number, sequence: number): SentFrame[] => [
      { at, segment: "home", from: "alice", to: "nat", packet: tcp(ALICE, NAT_B, sequence, "same") },
      { at: at + 0.1, segment: "internet", from: "nat", to: "bob", packet: tcp(NAT_A, NAT_B, sequence, "same") },
    ];
    const packets = follow([...send(1, 100), ...send(2, 104), ...send(3, 100)]);
    expect(packets.map(wayOf)).toEqual(Array.from({ length: 3 }, () => "alice nat bob"));
    expect(packets.some(({ isAmbiguous }) => isAmbiguous)).toBe(false);
  });
});

describe("what becomes of a packet", () => {
  test("one that a NAT drops ends before it", () => {
    expect(follow(passage(1000, "hello").slice(0, 2)).map(wayOf)).toEqual(["alice nat-a nat-b"]);
  });

  test("an answer with the same content is a packet of its own, and knows what it answers", () => {
    const packets = follow([
      ...passage(1000, "ping"),
      { at: 1000.5, segment: "cafe", from: "bob", to: "nat-b", packet: udp(BOB, NAT_A, "ping") },
      { at: 1000.6, segment: "internet", from: "nat-b", to: "nat-a", packet: udp(NAT_B, NAT_A, "ping") },
      { at: 1000.7, segment: "home", from: "nat-a", to: "alice", packet: udp(NAT_B, ALICE, "ping") },
    ]);
    expect(packets.map(wayOf)).toEqual(["alice nat-a nat-b bob", "bob nat-b nat-a alice"]);
    expect(packets[1]?.answerTo).toBe(packets[0]);
  });

  test("a request from another port with the content of an earlier answer is new", () => {
    const packets = follow([
      { at: 1, segment: "lan", from: "alice", to: "bob", packet: udp(ALICE, "192.168.1.3:7", "1") },
      { at: 2, segment: "lan", from: "bob", to: "alice", packet: udp("192.168.1.3:7", ALICE, "1") },
      { at: 3, segment: "lan", from: "alice", to: "bob", packet: udp("192.168.1.2:4001", "192.168.1.3:7", "1") },
    ]);
    expect(packets.map(wayOf)).toEqual(["alice bob", "bob alice", "alice bob"]);
    expect(packets.map(({ answerTo }) => answerTo !== undefined)).toEqual([false, true, false]);
  });

  test("one that a link duplicates is there twice, and the second is a copy", () => {
    const [first, second, third] = passage(1000, "hello");
    if (first === undefined || second === undefined || third === undefined) throw new Error("three frames");
    const packets = follow([first, second, third, { ...second, at: 1000.03 }, { ...third, at: 1000.04 }]);
    expect(packets.map(wayOf)).toEqual(Array.from({ length: 2 }, () => "alice nat-a nat-b bob"));
    expect(packets.map(({ isCopy }) => isCopy)).toEqual([false, true]);
  });

  test("STUN is told from data", () => {
    const binding = Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const frames = [{ at: 1, segment: "home", from: "alice", to: "nat-a", packet: udp(ALICE, NAT_B, binding) }];
    expect(follow(frames)).toMatchObject([{ kind: "stun" }]);
  });
});

describe("equal contents", () => {
  test("one after the other are told apart by time", () => {
    const packets = follow([...passage(1000, "same"), ...passage(1020, "same")]);
    expect(packets.map(wayOf)).toEqual(Array.from({ length: 2 }, () => "alice nat-a nat-b bob"));
    expect(packets.map(({ isAmbiguous }) => isAmbiguous)).toEqual([false, false]);
  });

  test("under way at once are followed in their order, and called ambiguous", () => {
    const packets = follow([...passage(1000, "same"), ...passage(1000.005, "same")]);
    expect(packets.map(wayOf)).toEqual(Array.from({ length: 2 }, () => "alice nat-a nat-b bob"));
    expect(packets.some(({ isAmbiguous }) => isAmbiguous)).toBe(true);
  });

  test("of two hosts are told apart by what the NAT made of each before", () => {
    const other = "192.168.1.3:4000";
    const through = (at: number, from: string, source: string, mapped: string, payload: string): SentFrame[] => [
      { at, segment: "home", from, to: "nat", packet: udp(source, NAT_B, payload) },
      { at: at + 1, segment: "internet", from: "nat", to: "bob", packet: udp(mapped, NAT_B, payload) },
    ];
    const packets = follow([
      ...through(1, "alice", ALICE, NAT_A, "a"),
      ...through(3, "carol", other, "198.18.0.4:6000", "c"),
      ...through(5, "alice", ALICE, NAT_A, "same"),
      ...through(5.5, "carol", other, "198.18.0.4:6000", "same"),
    ]);
    const sources = packets.map(({ sightings: [first, second] }) => [first.sender, second?.tuple.source.port]);
    expect(sources.slice(2)).toEqual([
      ["alice", 5000],
      ["carol", 6000],
    ]);
    expect(packets.some(({ isAmbiguous }) => isAmbiguous)).toBe(false);
  });
});

test("100,000 packets take less than 5 s of processor time and 300 MB", () => {
  const captures = capturesOf(passage(1000, "x".repeat(200))).map((stream) => manyOf(stream, 33_334));
  const before = process.memoryUsage();
  const beforeCpu = process.cpuUsage();
  const packets = followPackets(captures);
  const { user, system } = process.cpuUsage(beforeCpu);
  const after = process.memoryUsage();
  expect(packets).toHaveLength(33_334);
  expect(packets.every(({ sightings }) => sightings.length === 3)).toBe(true);
  expect((user + system) / 1e6).toBeLessThan(5);
  expect(after.rss - before.rss).toBeLessThan(300e6);
});

/** A capture of one greeting and at most one packet, with that packet a thousand times a second, each with another content. */
function manyOf({ pcap, ...stream }: TraceStream, times: number): TraceStream {
  const greetingEnds = 24 + 16 + 42;
  if (pcap.length === greetingEnds) return { ...stream, pcap };
  const record = Buffer.from(pcap.subarray(greetingEnds));
  const records = Array.from({ length: times }, (_, i) => {
    const copy = Buffer.from(record);
    copy.writeUInt32LE(1 + Math.floor(i / 1000), 0);
    copy.writeUInt32LE(copy.readUInt32LE(4) + (i % 1000) * 1_000_000, 4);
    copy.writeUInt32LE(i, copy.length - 8);
    return copy;
  });
  return { ...stream, pcap: Buffer.concat([pcap.subarray(0, greetingEnds), ...records]) };
}
