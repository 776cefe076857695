/** Prefix translation in predicted: each address of one network stands for the same one of another. */

import { addressAt, contains, offsetIn, parseNetwork } from "../model/address-text.ts";
import type { TranslatedPrefix } from "../model/resolved.ts";
import type { Endpoint } from "./packet.ts";
import type { Translation } from "./translation.ts";

/** The translation of a middlebox by that name; it remembers nothing and refuses nobody. */
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
