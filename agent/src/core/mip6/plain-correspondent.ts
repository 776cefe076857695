/**
 * A correspondent of RFC 6275 without M-ICE: it answers return routability, and unknown messages with a Binding Error.
 * It keeps no bindings, so packets to mobile nodes take their home agents' path.
 */

import type { InstantMs, Rng } from "../machine.ts";
import type { NodeMachine } from "../node/node-machine.ts";
import { createOutbox, type Outbox } from "../node/outbox.ts";
import { type Correspondent, createCorrespondent } from "./correspondent.ts";
import { createErrorRate, type ErrorRate } from "./error-rate.ts";
import { decodeIpv6Packet, isCompleteIpv6, NEXT_HEADER } from "./ipv6-packet.ts";
import { decodeMobilityMessage, encodeMobilityMessage, type MobilityMessage } from "./messages.ts";
import { encodeMobilityPacket } from "./mobility-header.ts";
import { BINDING_ERROR_STATUS } from "./status.ts";

/** Makes a correspondent with this IPv6 address. Packets go through the TUN device, as in a stationary node. */
export function createPlainCorrespondent(address: string, rng: Rng): NodeMachine {
  const outbox = createOutbox();
  const parts = { correspondent: createCorrespondent(rng), errorRate: createErrorRate(), outbox };
  const idle = (): void => undefined;
  return {
    start: idle,
    handleDatagram: () => outbox.count("dropped.datagram"),
    handleTunPacket(now, packet) {
      const ip = isCompleteIpv6(packet) ? decodeIpv6Packet(packet) : undefined;
      if (ip?.ok !== true) outbox.count("dropped.tun-not-ipv6");
      else if (ip.value.source === address) outbox.toTun(packet);
      else if (ip.value.nextHeader !== NEXT_HEADER.mobility) outbox.count("dropped.tun-own-address");
      else takeHeader(now, ip.value, parts);
    },
    handleTimeout: idle,
    pollTransmit: () => outbox.pollTransmit(),
    pollTunPacket: () => outbox.pollTunPacket(),
    pollEvent: () => outbox.pollEvent(),
    pollTimeout: () => undefined,
    counters: () => outbox.counters(),
  };
}

interface CorrespondentParts {
  readonly correspondent: Correspondent;
  readonly errorRate: ErrorRate;
  readonly outbox: Outbox;
}

interface ReceivedHeader {
  readonly source: string;
  readonly destination: string;
  /** The complete Mobility Header. */
  readonly payload: Uint8Array;
}

function takeHeader(
  now: InstantMs,
  { source, destination, payload }: ReceivedHeader,
  { correspondent, errorRate, outbox }: CorrespondentParts,
): void {
  const message = decodeMobilityMessage(payload, { source, destination });
  const answer = message.ok ? answerTo(now, source, message.value, correspondent) : undefined;
  if (!message.ok) outbox.count(`dropped.${message.error.code}`);
  else if (answer === undefined) outbox.count(`ignored.${message.value.type}`);
  else if (answer.type === "binding-error" && !errorRate.admits(now, source))
    outbox.count(`dropped.${message.value.type}`);
  else {
    outbox.count(`answered.${message.value.type}`);
    const endpoints = { source: destination, destination: source };
    outbox.toTun(encodeMobilityPacket(encodeMobilityMessage(answer, endpoints), endpoints));
  }
}

/** RFC 6275 sections 9.2 and 9.4; undefined for a message that needs no answer. */
function answerTo(
  now: InstantMs,
  source: string,
  message: MobilityMessage | { readonly type: "unknown" },
  correspondent: Correspondent,
): MobilityMessage | undefined {
  switch (message.type) {
    case "home-test-init":
      return correspondent.answerHomeTest(now, source, message);
    case "care-of-test-init": {
      const { index, token } = correspondent.careOfToken(now, source);
      const { careOfInitCookie } = message;
      const test = { careOfNonceIndex: index, careOfInitCookie, careOfKeygenToken: token };
      return { type: "care-of-test", ...test, options: [] };
    }
    case "care-of-test-init-ice":
    case "care-of-test-ice":
    case "unknown": {
      const status = BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType;
      return { type: "binding-error", status, homeAddress: "::", options: [] };
    }
    default:
      return undefined;
  }
}
