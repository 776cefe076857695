/** The pure decoders: octets in, a value or a rejection out. */

import { decodeCommand, decodeReport, decodeSetup } from "../../agent/src/control/codec.ts";
import { createLineSplitter } from "../../agent/src/control/lines.ts";
import type { Checked } from "../../agent/src/control/shape.ts";
import { decodeMipIce, encodeMipIce } from "../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeIpv6Packet, forwardedCopy, NEXT_HEADER } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeMobilityMessage, encodeMobilityMessage } from "../../agent/src/core/mip6/messages.ts";
import { decodeOptions } from "../../agent/src/core/mip6/options.ts";
import { isAuthentic } from "../../agent/src/core/mip6/registration-authentication.ts";
import { isAuthorized } from "../../agent/src/core/mip6/return-routability.ts";
import { decodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { demultiplex } from "../../agent/src/core/node/demultiplex.ts";
import { ALTERNATE_STUN_PORT, STUN_PORT } from "../../agent/src/core/ports.ts";
import type { Decoded } from "../../agent/src/core/result.ts";
import type { StunAttribute } from "../../agent/src/core/stun/attributes.ts";
import { verifyFingerprint } from "../../agent/src/core/stun/fingerprint.ts";
import { frameStun } from "../../agent/src/core/stun/frame.ts";
import { MAGIC_COOKIE } from "../../agent/src/core/stun/header.ts";
import { verifyIntegrity } from "../../agent/src/core/stun/integrity.ts";
import { decodeMessage, decodeStun, encodeStun, type StunMessage } from "../../agent/src/core/stun/message.ts";
import { receiveStun } from "../../agent/src/core/stun/receive.ts";
import { answerBinding } from "../../agent/src/core/stun/server.ts";
import {
  authenticateRequest,
  authenticateResponse,
  type RequestVerdict,
  type ResponseVerdict,
} from "../../agent/src/core/stun/short-term.ts";
import type { SeededRng } from "../../agent/src/testing/index.ts";
import { KEY_R } from "../../test/vectors/mice-stun.ts";
import { L_TO_R, RETURN_ROUTABILITY } from "../../test/vectors/mobility.ts";
import { repairClassicStun, repairIpv6, repairMipIceOptions, repairMobility, repairStun } from "./repair.ts";
import {
  CLASSIC_REQUESTS,
  CONTROL_LINES,
  IPV6_PACKETS,
  MIP_ICE_CHAINS,
  MOBILITY_SEEDS,
  PAYLOADS,
  STUN_MESSAGES,
} from "./seeds.ts";
import { expectAtMost, expectProportional, type FuzzTarget } from "./target.ts";

/** Octets that the largest answer has more than its request: addresses, error code, integrity, fingerprint. */
const MAX_ANSWER_SURPLUS = 128;

const stunRepair = (input: Uint8Array): Uint8Array => repairStun(input, KEY_R);
const asIs = (input: Uint8Array): Uint8Array => input;

const stunMessage: FuzzTarget = {
  name: "stun-message",
  seeds: STUN_MESSAGES,
  repair: stunRepair,
  run(input) {
    const frame = frameStun(input);
    const result = frame.ok ? decodeMessage(frame.value) : frame;
    expectProportional(result, input.length);
    if (frame.ok) {
      verifyIntegrity(frame.value, KEY_R);
      verifyFingerprint(frame.value);
    }
    if (!result.ok) return [codeOf(result)];
    if (!hasReplacedText(result.value)) {
      const again = decodeStun(encodeStun(result.value, { fingerprint: false }));
      if (!again.ok) throw new Error(`a decoded message does not survive encoding: ${again.error.code}`);
    }
    return [result.value.class, ...result.value.attributes.map(({ type }) => type)];
  },
};

const stunReceive: FuzzTarget = {
  name: "stun-receive",
  seeds: STUN_MESSAGES,
  repair: stunRepair,
  run(input, rng) {
    const received = receiveStun(input, { requireFingerprint: rng.integer(0, 1) === 1 });
    return [received.kind === "stun" ? received.message.class : received.reason];
  },
};

const stunCredentials: FuzzTarget = {
  name: "stun-credentials",
  seeds: STUN_MESSAGES,
  repair: stunRepair,
  run(input) {
    const frame = frameStun(input);
    const message = frame.ok ? decodeMessage(frame.value) : frame;
    if (!frame.ok || !message.ok) return [];
    const received = { frame: frame.value, message: message.value };
    const request = authenticateRequest(received, (username) => (username.includes(":") ? KEY_R : undefined));
    const response = authenticateResponse(received, KEY_R);
    if (request.verdict === "reject")
      expectAtMost(input.length + MAX_ANSWER_SURPLUS, request.reply.length, "octets of a refusal");
    return [`request ${request.verdict} ${detailOf(request)}`, `response ${response.verdict} ${detailOf(response)}`];
  },
};

const DISCOVERY = [
  { ips: ["198.18.0.2", "198.18.0.4"], ports: [STUN_PORT, ALTERNATE_STUN_PORT] },
  { ips: ["2001:db8::2", "2001:db8::4"], ports: [STUN_PORT, ALTERNATE_STUN_PORT] },
] as const;

const stunServer: FuzzTarget = {
  name: "stun-server",
  seeds: [...STUN_MESSAGES, ...CLASSIC_REQUESTS],
  repair: (input, rng) => (rng.integer(0, 3) === 0 ? repairClassicStun(input) : stunRepair(input)),
  run(input, rng) {
    const isIpv6 = rng.integer(0, 1) === 1;
    const local = { ip: isIpv6 ? "2001:db8::2" : "198.18.0.2", port: STUN_PORT };
    const remote = { ip: isIpv6 ? "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" : "198.18.255.255", port: 65_535 };
    const answers = answerBinding(
      { local, remote, payload: input },
      rng.integer(0, 1) === 1 ? { discovery: DISCOVERY } : {},
    );
    expectAtMost(1, answers.length, "answers to one request");
    for (const { payload } of answers)
      expectAtMost(input.length + MAX_ANSWER_SURPLUS, payload.length, "octets of an answer");
    return answers.map(({ payload, local: from }) => {
      const [isError, isClassic] = [((payload[1] ?? 0) & 0x10) !== 0, payload[4] !== MAGIC_COOKIE >>> 24];
      return `${isError ? "refused" : "answered"}${isClassic ? " without cookie" : ""} from ${from.port}`;
    });
  },
};

const demultiplexer: FuzzTarget = {
  name: "demultiplex",
  seeds: PAYLOADS,
  repair: (input, rng) => (rng.integer(0, 1) === 1 ? stunRepair(input) : repairIpv6(input, KEY_R)),
  run(input) {
    const payload = demultiplex(input);
    if (payload.kind === "ipv6" && payload.packet.length < 40) throw new Error("an IPv6 packet without a whole header");
    return [payload.kind === "unknown" ? payload.reason : payload.kind];
  },
};

const mobilityMessage: FuzzTarget = {
  name: "mobility-message",
  seeds: MOBILITY_SEEDS,
  repair: (input) => repairMobility(input, L_TO_R),
  run(input) {
    const result = decodeMobilityMessage(input, L_TO_R);
    expectProportional(result, input.length);
    if (!result.ok) return [codeOf(result)];
    const { value } = result;
    if (value.type === "unknown") return ["unknown"];
    if (value.type === "binding-update" || value.type === "binding-acknowledgement") {
      const { careOfAddress: careOf, bindingKey: key } = RETURN_ROUTABILITY;
      isAuthorized(input, { key, careOf, correspondent: L_TO_R.destination });
      isAuthentic(input, { key, careOf, homeAddress: L_TO_R.source });
    }
    encodeAgainWhereItFits(() => encodeMobilityMessage(value, L_TO_R), input.length);
    return [value.type, ...value.options.map(({ type }) => type)];
  },
};

const mobilityOptions: FuzzTarget = {
  name: "mobility-options",
  seeds: MOBILITY_SEEDS,
  repair: asIs,
  run(input, rng) {
    const result = decodeOptions(input, rng.integer(0, 32));
    expectProportional(result, input.length);
    return result.ok ? result.value.map(({ type }) => type) : [codeOf(result)];
  },
};

const mipIce: FuzzTarget = {
  name: "mip-ice",
  seeds: MIP_ICE_CHAINS,
  repair(input) {
    const mended = new Uint8Array(input);
    repairMipIceOptions(mended, 0);
    return mended;
  },
  run(input) {
    const options = decodeOptions(input, 0);
    if (!options.ok) return [];
    const result = decodeMipIce(options.value);
    expectProportional(result, input.length);
    if (!result.ok) return [codeOf(result)];
    if (result.value === undefined) return ["no option"];
    const { description, skipped } = result.value;
    encodeAgainWhereItFits(() => encodeMipIce(description), input.length);
    return [`lite ${description.isLite}`, ...description.candidates.map(({ type }) => type), ...skipped];
  },
};

const ipv6Packet: FuzzTarget = {
  name: "ipv6-packet",
  seeds: IPV6_PACKETS,
  repair: (input) => repairIpv6(input, KEY_R),
  run(input) {
    const ip = decodeIpv6Packet(input);
    expectProportional(ip, input.length);
    if (!ip.ok) return [codeOf(ip)];
    forwardedCopy(input);
    const udp = decodeUdpInIpv6(ip.value);
    const home = ip.value.homeAddress === undefined ? "no home address" : "home address";
    return [`mobility ${ip.value.nextHeader === NEXT_HEADER.mobility}`, home, udp.ok ? "udp" : codeOf(udp)];
  },
};

const controlLine: FuzzTarget = {
  name: "control-line",
  seeds: CONTROL_LINES,
  repair: asIs,
  run(input, rng) {
    const splitter = createLineSplitter(2048);
    const cut = rng.integer(0, input.length);
    const split = [...splitter.push(input.subarray(0, cut)), ...splitter.push(input.subarray(cut))];
    return split.map((each) => {
      if (!each.ok) return "too long";
      const checked = pickDecoder(rng)(each.line);
      expectProportional(checked, input.length);
      return checked.ok ? "ok" : checked.error.path.replaceAll(/\d+|(?<=Keys\.).*/g, "").slice(0, 40);
    });
  },
};

const LINE_DECODERS = [decodeCommand, decodeReport, decodeSetup];

function pickDecoder(rng: SeededRng): (line: string) => Checked<unknown> {
  return LINE_DECODERS[rng.integer(0, LINE_DECODERS.length - 1)] ?? decodeCommand;
}

export const DECODER_TARGETS: readonly FuzzTarget[] = [
  stunMessage,
  stunReceive,
  stunCredentials,
  stunServer,
  demultiplexer,
  mobilityMessage,
  mobilityOptions,
  mipIce,
  ipv6Packet,
  controlLine,
];

/** Text that was not valid UTF-8 grows by its replacement characters, and may then not fit its field again. */
function hasReplacedText({ attributes }: StunMessage): boolean {
  return JSON.stringify(attributes.flatMap((each) => (isTextForPeople(each) ? [each.value] : []))).includes("\ufffd");
}

function isTextForPeople({ type }: StunAttribute): boolean {
  return type === "software" || type === "error-code";
}

function codeOf(result: Extract<Decoded<unknown>, { readonly ok: false }>): string {
  return result.error.code;
}

function detailOf(verdict: RequestVerdict | ResponseVerdict): string {
  if ("reason" in verdict) return verdict.reason;
  return "code" in verdict ? String(verdict.code) : "";
}

/**
 * A decoded value must fit its fields again. Only the total may be too large, because the encoder aligns what was
 * unaligned; it then throws a RangeError about the total.
 */
function encodeAgainWhereItFits(encode: () => unknown, inputLength: number): void {
  try {
    encode();
  } catch (error) {
    const isAboutRoom =
      error instanceof RangeError && /Mobility Header has|leave no room|do not fit 16/.test(error.message);
    if (!isAboutRoom || inputLength < 128) throw error;
  }
}
