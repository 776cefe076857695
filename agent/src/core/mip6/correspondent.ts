/**
 * The correspondent's side of return routability: keygen tokens and binding keys (RFC 6275 sections 5.2 and 9.4).
 *
 * It keeps a node key and a few nonces and no state per peer, so that answering a HoTI costs no memory.
 */

import type { InstantMs, Rng } from "../machine.ts";
import type { MobilityMessageOf } from "./messages.ts";
import { NonceTable } from "./nonce-table.ts";
import { bindingManagementKey, careOfKeygenToken, homeKeygenToken, NODE_KEY_LENGTH } from "./return-routability.ts";
import { BINDING_STATUS } from "./status.ts";

/** A keygen token, eight octets, and its nonce index. */
export interface IndexedToken {
  readonly index: number;
  readonly token: Uint8Array;
}

/** The key of a Binding Update, or the status for its expired nonces (136 to 138). */
type BindingKey = { readonly ok: true; readonly key: Uint8Array } | { readonly ok: false; readonly status: number };

export interface Correspondent {
  /** The HoT for a HoTI of this home address. */
  answerHomeTest(
    now: InstantMs,
    homeAddress: string,
    init: MobilityMessageOf<"home-test-init">,
  ): MobilityMessageOf<"home-test">;
  /** The token for a CoT-ICE: computed from the home address, which is the source of a CoTI-ICE. */
  careOfToken(now: InstantMs, homeAddress: string): IndexedToken;
  /** Kbm of a Binding Update with these nonce indices; that of a deletion uses the home token alone. */
  bindingKey(
    now: InstantMs,
    homeAddress: string,
    indices: { readonly home: number; readonly careOf: number },
    isDeletion: boolean,
  ): BindingKey;
}

/** Draws the node key Kcn; it is kept as long as the correspondent runs. */
export function createCorrespondent(rng: Rng): Correspondent {
  const nodeKey = rng.bytes(NODE_KEY_LENGTH);
  const nonces = new NonceTable(rng);
  return {
    answerHomeTest(now, homeAddress, { homeInitCookie }) {
      const nonce = nonces.current(now);
      return {
        type: "home-test",
        homeNonceIndex: nonce.index,
        homeInitCookie,
        homeKeygenToken: homeKeygenToken(nodeKey, homeAddress, nonce.octets),
        options: [],
      };
    },
    careOfToken(now, homeAddress) {
      const nonce = nonces.current(now);
      return { index: nonce.index, token: careOfKeygenToken(nodeKey, homeAddress, nonce.octets) };
    },
    bindingKey(now, homeAddress, indices, isDeletion) {
      const home = nonces.find(now, indices.home);
      const careOf = nonces.find(now, indices.careOf);
      if (home === undefined && careOf === undefined && !isDeletion)
        return { ok: false, status: BINDING_STATUS.expiredNonces };
      if (home === undefined) return { ok: false, status: BINDING_STATUS.expiredHomeNonceIndex };
      const homeToken = homeKeygenToken(nodeKey, homeAddress, home);
      if (isDeletion) return { ok: true, key: bindingManagementKey(homeToken) };
      if (careOf === undefined) return { ok: false, status: BINDING_STATUS.expiredCareOfNonceIndex };
      return { ok: true, key: bindingManagementKey(homeToken, careOfKeygenToken(nodeKey, homeAddress, careOf)) };
    },
  };
}
