/** The network as TCP finds it, in the terms of the model, which knows one protocol: that of datagrams. */

import type { ResolvedRouter, ResolvedTopology } from "../model/resolved.ts";

/** NATs as they are declared for TCP, forwards of TCP alone, and no rules about UDP. */
export function tcpNetwork(topology: ResolvedTopology): ResolvedTopology {
  return { ...topology, nodes: topology.nodes.map((node) => (node.role === "router" ? forTcp(node) : node)) };
}

function forTcp(router: ResolvedRouter): ResolvedRouter {
  const { nat, tcp, firewall, forwards } = router;
  const own: ResolvedRouter = {
    ...router,
    firewall: { ...firewall, outboundUdp: "all", pinholes: [] },
    forwards: forwards.filter(({ protocol }) => protocol === "tcp").map((each) => ({ ...each, protocol: "udp" })),
  };
  if (nat === undefined || tcp === undefined) return own;
  const { mapping, filtering, hairpinning } = tcp;
  return { ...own, nat: { ...nat, mapping, filtering, hairpinning, inboundRefresh: true, unsolicited: "ignore" } };
}
