/** The model of prefix translation: each address of one network maps to the same host of another. */

import { addressAt, contains, offsetIn, parseNetwork } from "../model/address-text.ts";
import type { TranslatedPrefix } from "../model/resolved.ts";
import type { Endpoint } from "./packet.ts";
import type { Translation } from "./translation.ts";

/** The prefix translation of the router named `middlebox`; stateless, and it refuses nothing. */
export function createPrefixTranslation(middlebox: string, { inside, outside }: TranslatedPrefix): Translation {
  return {
    isFirewalled: true,
    insideOf: ({ destination }) => exchanged(destination, outside, inside),
    outsideOf({ source }) {
      const own = exchanged(source, inside, outside);
      return own && { source: own, why: `${middlebox} sends it from the address that stands for the inside one` };
    },
    learnInbound: () => undefined,
    learnAnswer: () => undefined,
    admission: (_packet, fromOutside) =>
      fromOutside ? `${middlebox} lets it in` : `${middlebox} turns it round (hairpinning)`,
    refusal: () => undefined,
  };
}

function exchanged({ ip, port }: Endpoint, from: string, to: string): Endpoint | undefined {
  const network = parseNetwork(from);
  return contains(network, ip) ? { ip: addressAt(parseNetwork(to), offsetIn(network, ip)), port } : undefined;
}
