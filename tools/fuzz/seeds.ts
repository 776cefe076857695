/** Valid inputs of every decoder: the vectors, and the packets of a recorded run. */

import { encodeLine } from "../../agent/src/control/codec.ts";
import { CONTROL_VERSION, type NodeSetup } from "../../agent/src/control/messages.ts";
import {
  BARE_REQUEST,
  COOKIE_COLLISIONS,
  FINGERPRINTED_REQUEST,
  MICE_STUN_VECTORS,
} from "../../test/vectors/mice-stun.ts";
import { ANSWER_OPTION, MOBILITY_HEADERS, OFFER_OPTION, UPDATED_OFFER_OPTION } from "../../test/vectors/mobility.ts";
import { RFC_5769_VECTORS } from "../../test/vectors/rfc5769.ts";
import { mobilityIn, RECORDED_PAYLOADS, runTo } from "./recorded-run.ts";

const isIpv6 = (payload: Uint8Array): boolean => (payload[0] ?? 0) >> 4 === 6;

export const STUN_MESSAGES: readonly Uint8Array[] = [
  ...RFC_5769_VECTORS.map(({ bytes }) => bytes),
  ...MICE_STUN_VECTORS.map(({ bytes }) => bytes),
  BARE_REQUEST,
  FINGERPRINTED_REQUEST,
  requestWith("0003000400000006 0027000403e80000"),
  requestWith("002600080000000000000000"),
  requestWith("0026001000000000000000000000000000000000"),
  requestWith("00260004000000007fff0000"),
  ...RECORDED_PAYLOADS.filter((payload) => !isIpv6(payload)),
];

/** Requests without the magic cookie: bare, with CHANGE-REQUEST, with RESPONSE-ADDRESS, with both. */
export const CLASSIC_REQUESTS: readonly Uint8Array[] = [
  "",
  "0003000400000006",
  "0002000800010009c6336463",
  "0003000400000002 0002000800010009c6336463",
].map((attributes) => {
  const request = requestWith(attributes);
  request.set([0xde, 0xad, 0xbe, 0xef], 4);
  return request;
});

export const IPV6_PACKETS: readonly Uint8Array[] = [
  ...RECORDED_PAYLOADS.filter(isIpv6),
  ...RECORDED_PAYLOADS.filter(isIpv6).slice(0, 4).map(withHomeAddressOption),
];

export const MOBILITY_SEEDS: readonly Uint8Array[] = [
  ...MOBILITY_HEADERS.map(({ header }) => header),
  ...Object.values(COOKIE_COLLISIONS),
  ...RECORDED_PAYLOADS.flatMap((payload) => mobilityIn(payload)?.header ?? []),
];

export const PAYLOADS: readonly Uint8Array[] = [
  ...STUN_MESSAGES,
  ...IPV6_PACKETS,
  ...MOBILITY_SEEDS,
  ...MOBILITY_SEEDS.map((header) => new Uint8Array([...new Uint8Array(8), ...header])),
  Uint8Array.of(0xff),
  Uint8Array.of(0x45, 0, 0, 20, ...new Uint8Array(16)),
];

/** Consecutive mobility options, starting at the first octet. */
export const MIP_ICE_CHAINS: readonly Uint8Array[] = [
  OFFER_OPTION,
  ANSWER_OPTION,
  UPDATED_OFFER_OPTION,
  new Uint8Array([...OFFER_OPTION, 0, 0, ...ANSWER_OPTION]),
];

export const CONTROL_LINES: readonly Uint8Array[] = controlLines().map((line) => new TextEncoder().encode(line));

/** A Binding request with only these attributes. */
function requestWith(attributes: string): Uint8Array {
  const body = Buffer.from(attributes.replaceAll(" ", ""), "hex");
  return new Uint8Array([0, 1, 0, body.length, 0x21, 0x12, 0xa4, 0x42, ...new Uint8Array(12), ...body]);
}

/** The packet with a Destination Options header with a home address in front of its payload. */
function withHomeAddressOption(packet: Uint8Array): Uint8Array {
  const next = packet[6] ?? 59;
  const options = [next, 2, 1, 2, 0, 0, 0xc9, 16, ...packet.subarray(8, 24)];
  const whole = new Uint8Array([...packet.subarray(0, 40), ...options, ...packet.subarray(40)]);
  whole[6] = 60;
  new DataView(whole.buffer).setUint16(4, whole.length - 40);
  return whole;
}

function controlLines(): readonly string[] {
  const { mn, cn } = runTo(4000);
  const events = [...mn.node.events, ...cn.node.events].map(({ atMs, event }) =>
    encodeLine({ type: "event", atMs, event }),
  );
  const traffic = { id: 1, to: cn.homeAddress, count: 3, intervalMs: 10, timeoutMs: 1000 };
  return [
    encodeLine({ type: "setup", setup: setup() }),
    encodeLine({ type: "start" }),
    encodeLine({ type: "connect", peer: cn.homeAddress }),
    encodeLine({ type: "ping", ...traffic }),
    encodeLine({ type: "echo", ...traffic, sizeBytes: 64 }),
    encodeLine({ type: "hello", version: 1, pid: 1, nodeVersion: "v20", clock: { monotonicMs: 1.5, realMs: 2e12 } }),
    encodeLine({ type: "capture", segment: "internet", data: "AAECAwQF" }),
    encodeLine({ type: "reply", id: 1, result: { sent: 2, received: 1, duplicates: 0, rttMs: [1.25, null] } }),
    encodeLine({ type: "bye", clock: { monotonicMs: 9, realMs: 2e12 }, counters: { "dropped.unknown": 3 } }),
    JSON.stringify(setup()),
    ...events,
  ];
}

function setup(): NodeSetup {
  return {
    version: CONTROL_VERSION,
    node: "ha-a",
    interfaces: [
      {
        segment: "internet",
        interfaceName: "internet",
        find: { by: "address", address: "10.200.0.2" },
        mac: "02:00:00:00:00:01",
        addresses: ["198.18.0.2/24"],
      },
    ],
    routes: [{ to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "internet" }],
    rules: [{ tool: "nft", text: "table ip mice {\n}\n" }],
    hosts: [{ address: "198.18.0.2", name: "ha-a" }],
    capture: true,
    role: {
      type: "home-agent",
      address: "2001:db8:a::1",
      homePrefix: "2001:db8:a::/64",
      listen: ["198.18.0.2"],
      registrationKeys: { "2001:db8:a::100": "00ff" },
      tunMtu: 1400,
      seed: "00ff",
    },
    startsOn: "command",
    autostart: { connect: ["2001:db8:b::200"] },
  };
}
