/**
 * The model of `portAssignment: overload`: the kernel's own NAT (Linux MASQUERADE). A flow from inside gets the outside
 * port that its endpoint used last, else the inside port, else a drawn one: the first of them that makes the flow
 * unique outside. So two inside hosts share a port while their destinations differ (Linux `nf_nat_core.c`,
 * `get_unique_tuple`; measured on Linux 6.18).
 */

import type { NatProfile } from "@testbed/agent/control";
import type { ResolvedRouter } from "../model/resolved.ts";
import { type Endpoint, type ModelPacket, sameEndpoint } from "./packet.ts";
import type { Translation } from "./translation.ts";

/** A flow that a NAT remembers, from inside, or from outside to a forward or to nobody. */
interface Flow {
  readonly inside: Endpoint;
  readonly port: number;
  readonly peer: Endpoint;
  readonly isFromInside: boolean;
}

/** The translation of such a NAT with this outside address, before its first packet. */
export function createOverloadTranslation(
  router: ResolvedRouter,
  { ports, unsolicited }: NatProfile,
  outsideIp: string,
): Translation {
  const forwards = router.forwards.filter(({ protocol }) => protocol === "udp");
  const forwardOf = ({ destination }: ModelPacket) => forwards.find(({ port }) => port === destination.port);
  const isToOutside = ({ destination }: ModelPacket): boolean => destination.ip === outsideIp;
  /** The newest first. */
  const flows: Flow[] = [];
  const isUnique = (port: number, peer: Endpoint): boolean =>
    !flows.some((flow) => flow.port === port && sameEndpoint(flow.peer, peer));
  const freePort = (inside: Endpoint, peer: Endpoint): number => {
    const last = flows.find((flow) => flow.isFromInside && sameEndpoint(flow.inside, inside))?.port;
    if (last !== undefined && isUnique(last, peer)) return last;
    if (isUnique(inside.port, peer)) return inside.port;
    let drawn = ports.first;
    while (!isUnique(drawn, peer)) drawn += 1;
    return drawn;
  };
  return {
    isFirewalled: false,
    insideOf(packet, fromOutside) {
      const forward = isToOutside(packet) && fromOutside ? forwardOf(packet) : undefined;
      return forward && { ip: forward.to, port: forward.toPort };
    },
    outsideOf({ source, destination }) {
      const forward = forwards.find(({ to, toPort }) => to === source.ip && toPort === source.port);
      const port = forward?.port ?? freePort(source, destination);
      flows.unshift({ inside: source, port, peer: destination, isFromInside: true });
      return {
        source: { ip: outsideIp, port },
        why: `${router.name} sends it from ${reasonFor(port, source, forward)}`,
      };
    },
    learnInbound({ source, destination }, inside) {
      flows.unshift({ inside, port: destination.port, peer: source, isFromInside: false });
    },
    /** The flow is known since it came in. */
    learnAnswer() {},
    learnRefused(packet) {
      if (unsolicited === "ignore" || !isToOutside(packet)) return;
      const { source, destination } = packet;
      flows.unshift({ inside: destination, port: destination.port, peer: source, isFromInside: false });
    },
    admission: () => `${router.name} lets it in: it forwards that port`,
    refusal(packet, fromOutside) {
      if (!isToOutside(packet)) return undefined;
      if (!fromOutside) return "it does not turn packets round (no hairpinning)";
      const isUsed = flows.some(({ port, isFromInside }) => isFromInside && port === packet.destination.port);
      return isUsed
        ? "it filters by address and port, and from that outside port nothing was sent there"
        : "nobody inside uses that outside port";
    },
  };
}

function reasonFor(port: number, source: Endpoint, forward: unknown): string {
  if (forward !== undefined) return "the port that it forwards";
  return port === source.port
    ? "the port inside, which is unique towards this destination"
    : "another port than inside, which is taken towards a destination of this one";
}
