/** The candidate sockets of a node, with what its set-up says of the segments they are on. */

import type { NodeSetup } from "../../control/messages.ts";
import { familyOf } from "../../core/address.ts";
import type { LocalSocket } from "../../core/local-socket.ts";

/** One socket for each of the node's local addresses, in their order. */
export function localSockets(
  { interfaces, routes }: Pick<NodeSetup, "interfaces" | "routes">,
  localAddresses: readonly string[],
  port: number,
): readonly LocalSocket[] {
  const attached = interfaces.filter(({ isStandby }) => isStandby !== true);
  return localAddresses.map((ip) => {
    const own = attached.flatMap(({ interfaceName, addresses, nat64 }) =>
      [...addresses, ...(nat64 === undefined ? [] : [nat64.ipv4])].flatMap((cidr) => {
        const [address, length] = cidr.split("/");
        const isThroughNat64 = cidr === nat64?.ipv4;
        return address === ip ? [{ interfaceName, prefixLength: Number(length), isThroughNat64 }] : [];
      }),
    )[0];
    if (own === undefined) return { ip, port };
    const { interfaceName, prefixLength } = own;
    if (own.isThroughNat64) return { ip, port, prefixLength, hasRouter: true, interfaceName };
    const hasRouter = routes.some(
      (route) => route.interfaceName === interfaceName && familyOf(route.to) === familyOf(ip),
    );
    return { ip, port, prefixLength, hasRouter, interfaceName };
  });
}
