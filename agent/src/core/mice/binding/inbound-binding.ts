/**
 * The binding of a peer at this node as its correspondent. A Binding Update with a care-of address that connectivity
 * checks have verified moves data to the direct path (SPEC 8.6 "BU at the correspondent", A-7).
 */

import { sameSocketAddress } from "../../address.ts";
import type { ValidPair } from "../../ice/ice-machine.ts";
import type { InstantMs } from "../../machine.ts";
import { minInstant } from "../../min-instant.ts";
import type { MobilityMessageOf } from "../../mip6/messages.ts";
import { encodeAuthorized } from "../../mip6/return-routability.ts";
import { BINDING_STATUS } from "../../mip6/status.ts";
import { decodeMipIce, encodeMipIce } from "../option/mip-ice-option.ts";
import { describeGeneration, directPairs, type Generation } from "../session/generation.ts";
import type { ReceivedMobility } from "../session/session-environment.ts";
import type { SessionHost } from "../session/session-host.ts";
import {
  type AuthorizedUpdate,
  grantedLifetimeSec,
  judgeUpdate,
  type ReceivedUpdate,
  type UpdateVerdict,
} from "./binding-update-receiver.ts";

/** Result of connectivity checks for a care-of address. */
type Standing =
  | { readonly type: "proven"; readonly pair: ValidPair; readonly generation: Generation }
  | { readonly type: "pending" | "unproven" };

/** At most one binding and one held update. */
export class InboundBinding {
  readonly #host: SessionHost;
  /** Kept across generations, so that an update of an earlier one cannot be replayed. */
  #lastSequence: number | undefined;
  #expiresAt: InstantMs | undefined;
  #held: { readonly authorized: AuthorizedUpdate; readonly until: InstantMs } | undefined;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  takeUpdate(now: InstantMs, { message, header, way }: ReceivedMobility<MobilityMessageOf<"binding-update">>): void {
    const { env, peer } = this.#host;
    const offer = decodeMipIce(message.options);
    if (!offer.ok) {
      env.outbox.count(`dropped.${offer.error.code}`);
      return;
    }
    const update = { message, header, way, offer: offer.value?.description };
    const known = { homeAddress: peer, lastSequence: this.#lastSequence };
    this.#carryOut(now, update, judgeUpdate(now, update, known, env.correspondent, env.homeAddress));
  }

  /** Validates a held update again, after progress of connectivity checks. */
  advance(now: InstantMs): void {
    if (this.#held !== undefined) this.#judgeCareOf(now, this.#held.authorized, this.#held.until);
  }

  /** A new generation begins: a held update of the old one is dropped. The binding remains until it expires. */
  suspend(): void {
    this.#held = undefined;
  }

  /** The pair is dead: drops the binding. */
  drop(): void {
    this.#held = undefined;
    this.#expiresAt = undefined;
  }

  handleTimeout(now: InstantMs): void {
    this.advance(now);
    if (this.#expiresAt === undefined || now < this.#expiresAt) return;
    this.#expiresAt = undefined;
    this.#host.path.release(now, "inbound");
  }

  pollTimeout(): InstantMs | undefined {
    return minInstant(this.#held?.until, this.#expiresAt);
  }

  #carryOut(now: InstantMs, update: ReceivedUpdate, verdict: UpdateVerdict): void {
    switch (verdict.type) {
      case "drop":
        this.#host.env.outbox.count(`dropped.update-${verdict.reason}`);
        break;
      case "refuse":
        this.#refuse(update, verdict);
        break;
      case "reject":
        this.#reject(verdict.authorized, verdict.status, verdict.sequence);
        break;
      case "delete":
        this.#lastSequence = update.message.sequence;
        this.#delete(now, verdict.authorized);
        break;
      case "judge-care-of":
        this.#lastSequence = update.message.sequence;
        this.#judgeCareOf(now, verdict.authorized, now + this.#host.env.timers.bindingHoldMs);
        break;
    }
  }

  #judgeCareOf(now: InstantMs, authorized: AuthorizedUpdate, until: InstantMs): void {
    const { generation, standby } = this.#host;
    const current = standingOf(authorized, generation);
    const standing = current.type === "unproven" ? standingOf(authorized, standby) : current;
    this.#held = standing.type === "pending" && now < until ? { authorized, until } : undefined;
    if (standing.type === "proven") this.#accept(now, authorized, standing);
    else if (this.#held === undefined) this.#reject(authorized, BINDING_STATUS.invalidCareOfAddress);
  }

  #accept(
    now: InstantMs,
    authorized: AuthorizedUpdate,
    { pair, generation }: Extract<Standing, { readonly type: "proven" }>,
  ): void {
    const lifetimeSec = grantedLifetimeSec(authorized.update, this.#host.env.timers.bindingLifetimeMs);
    this.#expiresAt = now + lifetimeSec * 1000;
    this.#report(authorized.update, authorized.careOf, BINDING_STATUS.accepted);
    this.#acknowledge(authorized, { status: BINDING_STATUS.accepted, lifetimeSec, generation });
    this.#host.takeDirect(now, pair, "inbound");
  }

  #delete(now: InstantMs, authorized: AuthorizedUpdate): void {
    this.#expiresAt = undefined;
    this.#held = undefined;
    this.#report(authorized.update, authorized.careOf, BINDING_STATUS.accepted);
    this.#acknowledge(authorized, { status: BINDING_STATUS.accepted, lifetimeSec: 0 });
    this.#host.end(now);
  }

  /** Answers before the key is known, hence without authenticator (SPEC 13). */
  #refuse(update: ReceivedUpdate, { status, careOf }: { readonly status: number; readonly careOf: string }): void {
    const { env, peer } = this.#host;
    this.#report(update, careOf, status);
    const message = acknowledgementOf(update.message.sequence, { status, lifetimeSec: 0 });
    env.link.send(peer, { ...message, options: [] }, update.way);
  }

  /** Status 135 contains the last accepted sequence number (RFC 6275 section 9.5.1). */
  #reject(authorized: AuthorizedUpdate, status: number, sequence?: number): void {
    this.#report(authorized.update, authorized.careOf, status);
    this.#acknowledge(authorized, { status, lifetimeSec: 0, ...(sequence !== undefined && { sequence }) });
  }

  #acknowledge(
    { update, key, careOf }: AuthorizedUpdate,
    answer: {
      readonly status: number;
      readonly lifetimeSec: number;
      readonly sequence?: number;
      /** Described where the update has an offer. */
      readonly generation?: Generation;
    },
  ): void {
    const { env, peer } = this.#host;
    const { flags, sequence } = update.message;
    if (!flags.acknowledge && answer.status < BINDING_STATUS.reasonUnspecified) return;
    const described = update.offer === undefined ? undefined : answer.generation;
    const message: MobilityMessageOf<"binding-acknowledgement"> = {
      ...acknowledgementOf(answer.sequence ?? sequence, answer),
      options: described === undefined ? [] : encodeMipIce(describeGeneration(described, "answer")),
    };
    const authorization = { key, careOf, correspondent: env.homeAddress };
    env.link.sendHeader(peer, encodeAuthorized(message, env.link.endpointsTo(peer), authorization), update.way);
  }

  #report({ message }: ReceivedUpdate, careOf: string, status: number): void {
    const { env, peer } = this.#host;
    env.outbox.emit({ type: "binding-update-received", peer, sequence: message.sequence, careOf, status });
  }
}

function acknowledgementOf(
  sequence: number,
  { status, lifetimeSec }: { readonly status: number; readonly lifetimeSec: number },
): Omit<MobilityMessageOf<"binding-acknowledgement">, "options"> {
  return { type: "binding-acknowledgement", status, keyManagement: false, sequence, lifetimeSec };
}

/**
 * Whether the care-of address is the remote end of a valid direct pair. The updated offer contains its port, and in its
 * remote candidate the local end. That distinguishes a pair that is still being checked from an unknown one.
 */
function standingOf({ update, careOf }: AuthorizedUpdate, generation: Generation | undefined): Standing {
  if (generation === undefined) return { type: "unproven" };
  const named = update.offer?.candidates.find(({ address }) => address.ip === careOf)?.address;
  const pair = directPairs(generation).find(({ remote }) =>
    named === undefined ? remote.address.ip === careOf : sameSocketAddress(remote.address, named),
  );
  if (pair !== undefined) return { type: "proven", pair, generation };
  const local = update.offer?.remoteCandidates[0];
  if (named === undefined || local === undefined) return { type: "unproven" };
  return { type: generation.ice.standingOf(local, named) === "pending" ? "pending" : "unproven" };
}
