/** Prefix translation in theory: each address of one network stands for the same one of another. */

import { addressAt, contains, offsetIn, parseNetwork } from "../address-text.ts";
import type { TranslatedPrefix } from "../resolved.ts";
import type { Endpoint } from "./packet.ts";

/** The inside endpoint that an outside one stands for, if it does. */
export function prefixInside(prefixes: readonly TranslatedPrefix[], endpoint: Endpoint): Endpoint | undefined {
  for (const { inside, outside } of prefixes) {
    const found = exchanged(endpoint, outside, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The outside endpoint that stands for an inside one, if one does. */
export function prefixOutside(prefixes: readonly TranslatedPrefix[], endpoint: Endpoint): Endpoint | undefined {
  for (const { inside, outside } of prefixes) {
    const found = exchanged(endpoint, inside, outside);
    if (found !== undefined) return found;
  }
  return undefined;
}

function exchanged({ ip, port }: Endpoint, from: string, to: string): Endpoint | undefined {
  const network = parseNetwork(from);
  return contains(network, ip) ? { ip: addressAt(parseNetwork(to), offsetIn(network, ip)), port } : undefined;
}
