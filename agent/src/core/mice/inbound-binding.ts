/**
 * The binding that a peer has with this node as its correspondent: a Binding Update that connectivity checks back sends
 * data straight to the peer (digest 8.6 "CN on BU", A-7).
 */

import { sameSocketAddress } from "../address.ts";
import type { ValidPair } from "../ice/ice-machine.ts";
import type { InstantMs } from "../machine.ts";
import type { MobilityMessageOf } from "../mip6/messages.ts";
import { encodeAuthorized } from "../mip6/return-routability.ts";
import { BINDING_STATUS } from "../mip6/status.ts";
import {
  type AuthorizedUpdate,
  grantedLifetimeSec,
  judgeUpdate,
  type ReceivedUpdate,
  type UpdateVerdict,
} from "./binding-update-receiver.ts";
import { describeGeneration, directPairs, type Generation } from "./generation.ts";
import { minInstant } from "./min-instant.ts";
import { decodeMipIce, encodeMipIce } from "./mip-ice-option.ts";
import type { ReceivedMobility } from "./session-environment.ts";
import type { SessionHost } from "./session-host.ts";

export interface InboundBinding {
  takeUpdate(now: InstantMs, received: ReceivedMobility<MobilityMessageOf<"binding-update">>): void;
  /** Judges a held update again, after connectivity checks went on. */
  advance(now: InstantMs): void;
  /** A new generation begins: no update of the old one can be proven any more. The binding lives on until it expires. */
  suspend(): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

/** What connectivity checks say about a care-of address. */
type Standing = { readonly type: "proven"; readonly pair: ValidPair } | { readonly type: "pending" | "unproven" };

export function createInboundBinding(host: SessionHost): InboundBinding {
  const { peer, env, path } = host;
  const { outbox, timers } = env;
  let lastSequence: number | undefined;
  let expiresAt: InstantMs | undefined;
  let held: { readonly authorized: AuthorizedUpdate; readonly until: InstantMs } | undefined;

  const report = ({ update, careOf }: AuthorizedUpdate, status: number): void => {
    const { sequence } = update.message;
    outbox.emit({ type: "binding-update-received", peer, sequence, careOf, status });
  };
  const acknowledge = (
    authorized: AuthorizedUpdate,
    answer: { readonly status: number; readonly lifetimeSec: number; readonly sequence?: number },
  ): void => {
    const { update, key, careOf } = authorized;
    const { flags, sequence } = update.message;
    if (!flags.acknowledge && answer.status < BINDING_STATUS.reasonUnspecified) return;
    const { generation } = host;
    const isUpdated = answer.status === BINDING_STATUS.accepted && update.offer !== undefined && answer.lifetimeSec > 0;
    const message: MobilityMessageOf<"binding-acknowledgement"> = {
      ...acknowledgementOf(answer.sequence ?? sequence, answer),
      options: isUpdated && generation !== undefined ? encodeMipIce(describeGeneration(generation, "answer")) : [],
    };
    const authorization = { key, careOf, correspondent: env.homeAddress };
    env.link.sendHeader(peer, encodeAuthorized(message, env.link.endpointsTo(peer), authorization), update.way);
  };
  const accept = (now: InstantMs, authorized: AuthorizedUpdate, pair: ValidPair): void => {
    const lifetimeSec = grantedLifetimeSec(authorized.update, timers.bindingLifetimeMs);
    expiresAt = now + lifetimeSec * 1000;
    report(authorized, BINDING_STATUS.accepted);
    acknowledge(authorized, { status: BINDING_STATUS.accepted, lifetimeSec });
    path.takeDirect(pair, "inbound");
  };
  const reject = (authorized: AuthorizedUpdate, status: number, sequence?: number): void => {
    report(authorized, status);
    acknowledge(authorized, { status, lifetimeSec: 0, ...(sequence !== undefined && { sequence }) });
  };
  const judgeCareOf = (now: InstantMs, authorized: AuthorizedUpdate, until: InstantMs): void => {
    const standing = standingOf(authorized, host.generation);
    held = standing.type === "pending" && now < until ? { authorized, until } : undefined;
    if (standing.type === "proven") accept(now, authorized, standing.pair);
    else if (held === undefined) reject(authorized, BINDING_STATUS.invalidCareOfAddress);
  };
  const carryOut = (now: InstantMs, update: ReceivedUpdate, verdict: UpdateVerdict): void => {
    switch (verdict.type) {
      case "drop":
        return outbox.count(`dropped.update-${verdict.reason}`);
      case "refuse": {
        const { sequence } = update.message;
        const answer = { status: verdict.status, lifetimeSec: 0 };
        outbox.emit({
          type: "binding-update-received",
          peer,
          sequence,
          careOf: verdict.careOf,
          status: verdict.status,
        });
        return void env.link.send(peer, { ...acknowledgementOf(sequence, answer), options: [] }, update.way);
      }
      case "reject":
        return reject(verdict.authorized, verdict.status, verdict.sequence);
      case "delete":
        lastSequence = update.message.sequence;
        expiresAt = undefined;
        report(verdict.authorized, BINDING_STATUS.accepted);
        acknowledge(verdict.authorized, { status: BINDING_STATUS.accepted, lifetimeSec: 0 });
        return path.release("inbound");
      case "judge-care-of":
        lastSequence = update.message.sequence;
        return judgeCareOf(now, verdict.authorized, now + timers.bindingHoldMs);
    }
  };

  return {
    takeUpdate(now, { message, header, way }) {
      const offer = decodeMipIce(message.options);
      if (!offer.ok) return outbox.count(`dropped.${offer.error.code}`);
      const update = { message, header, way, offer: offer.value?.description };
      carryOut(
        now,
        update,
        judgeUpdate(now, update, { homeAddress: peer, lastSequence }, env.correspondent, env.homeAddress),
      );
    },
    advance(now) {
      if (held !== undefined) judgeCareOf(now, held.authorized, held.until);
    },
    suspend() {
      held = undefined;
    },
    handleTimeout(now) {
      if (held !== undefined && now >= held.until) judgeCareOf(now, held.authorized, held.until);
      if (expiresAt === undefined || now < expiresAt) return;
      expiresAt = undefined;
      path.release("inbound");
    },
    pollTimeout: () => minInstant(held?.until, expiresAt),
  };
}

function acknowledgementOf(
  sequence: number,
  { status, lifetimeSec }: { readonly status: number; readonly lifetimeSec: number },
): Omit<MobilityMessageOf<"binding-acknowledgement">, "options"> {
  return { type: "binding-acknowledgement", status, keyManagement: false, sequence, lifetimeSec };
}

/**
 * Whether the care-of address is the remote end of a valid direct pair. The updated offer names it with its port, and
 * its remote candidate the local end, which tells a pair that is still being checked from one that never was.
 */
function standingOf({ update, careOf }: AuthorizedUpdate, generation: Generation | undefined): Standing {
  if (generation === undefined) return { type: "unproven" };
  const named = update.offer?.candidates.find(({ address }) => address.ip === careOf)?.address;
  const pair = directPairs(generation).find(({ remote }) =>
    named === undefined ? remote.address.ip === careOf : sameSocketAddress(remote.address, named),
  );
  if (pair !== undefined) return { type: "proven", pair };
  const local = update.offer?.remoteCandidates[0];
  if (named === undefined || local === undefined) return { type: "unproven" };
  return { type: generation.ice.standingOf(local, named) === "pending" ? "pending" : "unproven" };
}
