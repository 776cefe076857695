/**
 * The answerer's side of a session: judges offers in the order of digest 8.6, gathers, answers. Crossing offers: A-29;
 * repeated ones: A-33; offers without the home address: A-20; refreshes of a binding: A-34; restarts: A-32.
 */

import { addressToBytes } from "../address.ts";
import { candidateView, type LocalCandidate } from "../ice/candidate.ts";
import type { IceCredentials } from "../ice/ice-machine.ts";
import type { InstantMs } from "../machine.ts";
import type { MobilityMessageOf } from "../mip6/messages.ts";
import { createAnswerBook } from "./answer-book.ts";
import { createGeneration, describeGeneration, listsCandidate, setRemote } from "./generation.ts";
import { decodeMipIce, encodeMipIce, MISMATCH_ANSWER, type MipIceDescription } from "./mip-ice-option.ts";
import { HOME_WAY } from "./mobility-link.ts";
import type { Offerer } from "./offerer.ts";
import type { ReceivedMobility } from "./session-environment.ts";
import type { SessionHost } from "./session-host.ts";

type CareOfTestInitIce = MobilityMessageOf<"care-of-test-init-ice">;

export interface Answerer {
  /** Candidates for an answer are being gathered. */
  readonly isAnswering: boolean;
  takeOffer(now: InstantMs, received: ReceivedMobility<CareOfTestInitIce>): void;
  /** Ends what is under way, because this node offers anew. */
  abandon(): void;
}

/** How the credentials of an offer relate to those that the peer last gave. */
type OfferKind = "first" | "restart" | "refresh" | "half-changed";

/** What an offer meets on this node's side: nothing, its own offer, or the end of one. */
type Crossing = "none" | "loses" | "straggles";

/**
 * For how long after an answer the first copy of a further offer is taken for a straggler of crossing offers, which the
 * peer has given up. An honest restart is repeated and then taken.
 */
const STRAGGLER_WINDOW_MS = 3000;

export function createAnswerer(host: SessionHost, offerer: Offerer): Answerer {
  const { peer, env, path } = host;
  const { outbox } = env;
  const book = createAnswerBook();
  let gathering: { readonly cookie: Uint8Array; readonly stop: () => void } | undefined;

  const abandon = (): void => {
    gathering?.stop();
    if (gathering !== undefined) book.forget(gathering.cookie);
    gathering = undefined;
  };
  const send = (now: InstantMs, offer: CareOfTestInitIce, description: MipIceDescription): void => {
    const careOf = env.correspondent.careOfToken(now, peer);
    const answer: MobilityMessageOf<"care-of-test-ice"> = {
      type: "care-of-test-ice",
      careOfNonceIndex: careOf.index,
      careOfInitCookie: offer.careOfInitCookie,
      careOfKeygenToken: careOf.token,
      options: encodeMipIce(description),
    };
    book.record(offer.careOfInitCookie, { type: "answered", header: env.link.send(peer, answer, HOME_WAY) });
    outbox.emit({ type: "answer-sent", peer, candidates: description.candidates.map(candidateView) });
  };
  const answerAnew = (
    now: InstantMs,
    offer: CareOfTestInitIce,
    remote: MipIceDescription,
    candidates: readonly LocalCandidate[],
    offeredAt: InstantMs,
  ): void => {
    gathering = undefined;
    const generation = createGeneration(offeredAt, "answer", candidates, env);
    host.adopt(generation);
    host.remoteCredentials = remote.credentials;
    send(now, offer, describeGeneration(generation, "answer"));
    setRemote(now, generation, remote);
  };
  const accept = (now: InstantMs, offer: CareOfTestInitIce, remote: MipIceDescription, kind: OfferKind): void => {
    const candidates = remote.candidates.map(candidateView);
    outbox.emit({ type: "offer-received", peer, candidates, isRestart: kind === "restart" });
    const { generation } = host;
    if (kind === "refresh" && generation !== undefined)
      return send(now, offer, describeGeneration(generation, "answer"));
    abandon();
    if (path.route !== undefined && !listsCandidate(remote, path.route.remote)) path.takeHome();
    book.record(offer.careOfInitCookie, { type: "pending" });
    const stop = env.gather(now, peer, (at, local) => answerAnew(at, offer, remote, local, now));
    gathering = { cookie: offer.careOfInitCookie, stop };
  };
  const refuse = (now: InstantMs, offer: CareOfTestInitIce): void => {
    send(now, offer, MISMATCH_ANSWER);
    host.fail("the offer does not list the peer's home address (ice-mismatch)");
  };
  const takeDescription = (now: InstantMs, offer: CareOfTestInitIce, remote: MipIceDescription): void => {
    const kind = kindOf(remote, host.remoteCredentials);
    if (kind === "half-changed") return outbox.count("dropped.offer-half-changed");
    const crossing = crossingOf(now, kind, offerer, comparesHigher(env.homeAddress, peer));
    if (crossing === "loses" || (crossing === "straggles" && book.find(offer.careOfInitCookie) === undefined)) {
      book.record(offer.careOfInitCookie, { type: crossing === "loses" ? "lost" : "straggler" });
      return outbox.count(`ignored.offer-${crossing}`);
    }
    if (kind === "refresh") return accept(now, offer, remote, kind);
    if (!hasDefaultCandidate(remote, peer)) return refuse(now, offer);
    offerer.abandon();
    accept(now, offer, remote, kind);
  };

  return {
    get isAnswering() {
      return gathering !== undefined;
    },
    abandon,
    takeOffer(now, { message }) {
      const known = book.find(message.careOfInitCookie);
      if (known?.type === "answered") return env.link.sendHeader(peer, known.header, HOME_WAY);
      if (known?.type === "pending" || known?.type === "lost") return outbox.count("ignored.offer-repeated");
      const received = decodeMipIce(message.options);
      if (!received.ok) return outbox.count(`dropped.${received.error.code}`);
      if (received.value === undefined) return outbox.count("dropped.offer-without-mip-ice");
      takeDescription(now, message, received.value.description);
    },
  };
}

function kindOf({ credentials }: MipIceDescription, last: IceCredentials | undefined): OfferKind {
  if (last === undefined) return "first";
  const isSameUfrag = credentials.ufrag === last.ufrag;
  if (isSameUfrag !== (credentials.pwd === last.pwd)) return "half-changed";
  return isSameUfrag ? "refresh" : "restart";
}

/** A refresh gives way to an offer of new credentials, whoever sent it; else the larger home address keeps its own. */
function crossingOf(now: InstantMs, kind: OfferKind, offerer: Offerer, isOwnHigher: boolean): Crossing {
  const { offering, answeredAt } = offerer;
  const isOfferingAnew = offering !== undefined && offering !== "refresh";
  if (kind === "refresh") return isOfferingAnew ? "loses" : "none";
  if (isOfferingAnew) return isOwnHigher ? "loses" : "none";
  const isJustAnswered = answeredAt !== undefined && now - answeredAt < STRAGGLER_WINDOW_MS;
  return isJustAnswered && isOwnHigher ? "straggles" : "none";
}

/** Compares home addresses as unsigned 128-bit numbers. */
function comparesHigher(own: string, peer: string): boolean {
  return Buffer.compare(addressToBytes(own), addressToBytes(peer)) > 0;
}

/** The default candidate is the one a peer without ICE would send to: the home address. */
function hasDefaultCandidate({ candidates }: MipIceDescription, peer: string): boolean {
  return candidates.some(({ type, address }) => type === "relayed" && address.ip === peer);
}
