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
    const own = attached.flatMap(({ interfaceName, addresses }) =>
      addresses.flatMap((cidr) => {
        const [address, length] = cidr.split("/");
        return address === ip ? [{ interfaceName, prefixLength: Number(length) }] : [];
      }),
    )[0];
    if (own === undefined) return { ip, port };
    const hasRouter = routes.some(
      ({ to, interfaceName }) => interfaceName === own.interfaceName && familyOf(to) === familyOf(ip),
    );
    return { ip, port, prefixLength: own.prefixLength, hasRouter };
  });
}
