/** Which segments stand for the internet. */

import type { ResolvedTopology } from "./resolved.ts";

/**
 * Whether a segment is a part of the internet: no router serves it, and somebody uses it as one, namely a router as its
 * outside, a home agent, a STUN server or a name server. Its edge leads to the rest of the internet, which a lab does not have: what
 * is sent there is swallowed.
 */
export function isOpenSegment({ nodes }: ResolvedTopology, segment: string): boolean {
  const here = nodes.flatMap((node) => {
    const own = node.interfaces.find((attached) => attached.segment === segment);
    return own === undefined ? [] : [{ node, interfaceName: own.interfaceName }];
  });
  const isServed = here.some(({ node, interfaceName }) => node.role === "router" && node.lan.includes(interfaceName));
  const isUsed = here.some(({ node: { role } }) => ["router", "home-agent", "stun-server", "dns"].includes(role));
  return isUsed && !isServed;
}
