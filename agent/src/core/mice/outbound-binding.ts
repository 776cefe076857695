/**
 * The binding that this node has with a peer as its correspondent: Binding Updates over the selected pair, and fresh
 * tokens and an update before the binding expires. Its acknowledgement is also what sends this node's data
 * straight to the peer.
 */

import type { ValidPair } from "../ice/ice-machine.ts";
import { isRelayed } from "../ice/pair.ts";
import type { InstantMs } from "../machine.ts";
import type { MobilityMessageOf } from "../mip6/messages.ts";
import { createBindingUpdateSender } from "./binding-update-sender.ts";
import { describeGeneration } from "./generation.ts";
import { minInstant } from "./min-instant.ts";
import { encodeMipIce } from "./mip-ice-option.ts";
import type { Offerer } from "./offerer.ts";
import type { ReceivedMobility } from "./session-environment.ts";
import type { SessionHost } from "./session-host.ts";

export interface OutboundBinding {
  /** Wants an update once a direct pair is selected and both tokens are there; sends it as soon as that holds. */
  advance(now: InstantMs): void;
  /** Wants an update for the generation or the tokens that come. */
  request(): void;
  /** A new generation begins: nothing of the old one is updated. The binding lives on until it expires. */
  suspend(): void;
  takeAcknowledgement(now: InstantMs, received: ReceivedMobility<MobilityMessageOf<"binding-acknowledgement">>): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

/** A binding is refreshed when this part of its lifetime is over, which leaves time for repetitions. */
const REFRESH_AT_PART = 0.75;

/** How often expired nonces are answered by a new exchange of tokens before the direct path is given up. */
const MAX_TOKEN_RENEWALS = 3;

export function createOutboundBinding(host: SessionHost, offerer: Offerer): OutboundBinding {
  const { peer, env, path } = host;
  const { timers, outbox } = env;
  const limits = { firstMs: timers.mobilityFirstTimeoutMs, maxMs: timers.mobilityMaxTimeoutMs };
  const sender = createBindingUpdateSender(peer, limits, env.link, (sequence, careOf) =>
    outbox.emit({ type: "binding-update-sent", peer, sequence, careOf }),
  );
  let isWanted = false;
  let renewals = 0;
  /** The pair that the update in flight or in force is about. */
  let pair: ValidPair | undefined;
  let inForce: { readonly refreshAt: InstantMs; readonly expiresAt: InstantMs; isRefreshOver: boolean } | undefined;

  const giveUp = (): void => {
    sender.stop();
    isWanted = false;
    inForce = undefined;
    path.release("outbound");
  };
  const renewTokens = (now: InstantMs): void => {
    isWanted = true;
    offerer.refresh(now);
  };
  const accept = (now: InstantMs, sequence: number, lifetimeSec: number): void => {
    const lifetimeMs = lifetimeSec * 1000;
    renewals = 0;
    inForce = { refreshAt: now + lifetimeMs * REFRESH_AT_PART, expiresAt: now + lifetimeMs, isRefreshOver: false };
    outbox.emit({ type: "binding-accepted", peer, sequence, lifetimeSec });
    if (pair !== undefined) path.takeDirect(pair, "outbound");
  };
  const reject = (status: number): void => {
    outbox.emit({ type: "binding-rejected", peer, status });
    giveUp();
  };

  return {
    advance(now) {
      const { generation } = host;
      const selected = generation?.ice.selectedPair();
      if (!isWanted || generation?.origin !== "offer" || selected === undefined || isRelayed(selected)) return;
      const tokens = offerer.tokens(now);
      if (tokens === undefined || generation.ice.state !== "completed") return;
      isWanted = false;
      pair = selected;
      sender.start(now, {
        ...tokens,
        careOf: selected.local.address.ip,
        lifetimeSec: timers.bindingLifetimeMs / 1000,
        offer: encodeMipIce(describeGeneration(generation, "offer")),
        way: { type: "pair", local: selected.local.base, remote: selected.remote.address },
      });
    },
    request() {
      isWanted = true;
    },
    suspend() {
      sender.stop();
      isWanted = false;
      if (inForce !== undefined) inForce.isRefreshOver = true;
    },
    takeAcknowledgement(now, { message, header }) {
      const outcome = sender.takeAcknowledgement(now, message, header);
      switch (outcome.type) {
        case "accepted":
          return accept(now, outcome.sequence, outcome.lifetimeSec);
        case "rejected":
          return reject(outcome.status);
        case "expired-tokens":
          renewals += 1;
          return renewals > MAX_TOKEN_RENEWALS ? reject(outcome.status) : renewTokens(now);
        case "ignored":
          return outbox.count(`dropped.acknowledgement-${outcome.reason}`);
        case "resent":
          return outbox.count("resumed.sequence");
      }
    },
    handleTimeout(now) {
      if (sender.handleTimeout(now) || (inForce !== undefined && now >= inForce.expiresAt)) giveUp();
      if (inForce === undefined || inForce.isRefreshOver || now < inForce.refreshAt) return;
      inForce.isRefreshOver = true;
      renewTokens(now);
    },
    pollTimeout: () =>
      minInstant(
        sender.pollTimeout(),
        inForce?.expiresAt,
        inForce?.isRefreshOver === false ? inForce.refreshAt : undefined,
      ),
  };
}
