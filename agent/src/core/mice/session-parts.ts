/** Which part of a session takes a mobility message of the peer. */

import { assertNever, type InstantMs } from "../machine.ts";
import { BINDING_ERROR_STATUS } from "../mip6/status.ts";
import type { InboundBinding } from "./binding/inbound-binding.ts";
import type { OutboundBinding } from "./binding/outbound-binding.ts";
import type { Answerer } from "./offer/answerer.ts";
import type { Offerer } from "./offer/offerer.ts";
import type { ReceivedMobility } from "./session/session-environment.ts";

export interface SessionParts {
  readonly offerer: Offerer;
  readonly answerer: Answerer;
  readonly outbound: OutboundBinding;
  readonly inbound: InboundBinding;
  /** The peer requests an offer. */
  readonly takeRequest: (now: InstantMs) => void;
  /** Counts a message without effect. */
  readonly count: (name: string) => void;
}

export function passToPart(now: InstantMs, received: ReceivedMobility, parts: SessionParts): void {
  const { offerer, answerer, outbound, inbound, takeRequest, count } = parts;
  const { message } = received;
  switch (message.type) {
    case "home-test":
      offerer.takeHomeTest(now, message);
      break;
    case "care-of-test-ice":
      offerer.takeAnswer(now, message);
      break;
    case "care-of-test-init-ice":
      answerer.takeOffer(now, message);
      break;
    case "binding-update":
      inbound.takeUpdate(now, { ...received, message });
      break;
    case "binding-acknowledgement":
      outbound.takeAcknowledgement(now, { ...received, message });
      break;
    case "binding-error":
      if (message.status === BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType) offerer.takeRefusal();
      else count("ignored.binding-error");
      break;
    case "binding-refresh-request":
      takeRequest(now);
      break;
    case "home-test-init":
    case "care-of-test-init":
    case "care-of-test":
      count(`ignored.${message.type}`);
      break;
    default:
      assertNever(message);
  }
}
