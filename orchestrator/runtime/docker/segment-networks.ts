/** Docker networks as segments: bridges that only carry frames. */

import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { NetworkCreateOptions } from "dockerode";
import type { SegmentSpec } from "../../plan/plan.ts";
import { SEGMENT_BRIDGE_OPTIONS } from "../../plan/shared-segment.ts";
import type { RunIdentity } from "../runtime.ts";
import { answered, type Engine, engineCall, engineMessage } from "./engine.ts";
import { objectLabels } from "./labels.ts";
import {
  drawSegmentSubnet,
  endpointAddress,
  gatewayAddress,
  overlapsAny,
  type SegmentAddress,
  type SegmentSubnet,
  SUBNET_RANDOM_OCTETS,
} from "./segment-subnet.ts";

/** A segment that exists. */
export interface SegmentNetwork {
  readonly networkName: string;
  /** Returns the addresses of the next endpoint. */
  readonly nextAddress: () => SegmentAddress;
}

/** Most draws; with a thousand networks on the engine, one draw in 131 collides. */
const MAX_DRAWS = 20;

/** Makes a segment's network. The engine is the lock: it refuses a subnet that is taken, and another is drawn. */
export async function createSegmentNetwork(
  engine: Engine,
  identity: RunIdentity,
  segment: SegmentSpec,
): Promise<SegmentNetwork> {
  const networkName = `mice-${identity.runId}-${segment.name}`;
  const machineNetworks = engine.isLocal ? ownNetworks() : [];
  for (let draw = 1; ; draw++) {
    const subnet = drawSegmentSubnet(randomBytes(SUBNET_RANDOM_OCTETS), needsIpv6Subnets(engine.version.api));
    if (draw < MAX_DRAWS && overlapsAny(subnet, machineNetworks)) continue;
    try {
      const options = { ...networkOptions(networkName, subnet), Labels: objectLabels(identity, segment.name) };
      await answered(engine.docker.createNetwork(options));
      return { networkName, nextAddress: addressesOf(subnet) };
    } catch (error) {
      if (draw < MAX_DRAWS && engineMessage(error).includes("Pool overlaps")) continue;
      await engineCall(`make segment ${segment.name}`, Promise.reject(error as Error));
    }
  }
}

/** The networks that this machine is attached to: a segment must not hide part of them from it. */
function ownNetworks(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.flatMap(({ family, cidr }) => (family === "IPv4" && cidr !== null ? [cidr] : []));
}

/**
 * Whether an engine carries IPv6 only on networks with an IPv6 subnet: on others it disables IPv6 on the interfaces
 * (from 26.1, API 1.45) and drops bridged IPv6 packets (from 27, with br_netfilter). Older engines carry IPv6 on every
 * network, and start containers more slowly on one with an IPv6 subnet (20.10: six at once 2.4 s instead of 1.7 s).
 */
export function needsIpv6Subnets(api: string): boolean {
  const [major = 0, minor = 0] = api.split(".").map(Number);
  return major > 1 || minor >= 45;
}

/**
 * Options of a network that serves as a segment: no masquerading, none of the topology's addresses, and no IPv4 address
 * of the machine on the bridge. Its IPv6 link-local address stays; nodes guard themselves against it (`neighbours`).
 * Networks that are `internal`, which newer engines can make without any address, drop routed frames where br_netfilter
 * is on.
 */
export function networkOptions(name: string, subnet: SegmentSubnet): NetworkCreateOptions {
  const gateway = gatewayAddress(subnet);
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: "bridge",
    EnableIPv6: subnet.ipv6 !== undefined,
    IPAM: {
      Driver: "default",
      Config: [
        { Subnet: subnet.ipv4, Gateway: gateway.ipv4 },
        ...(subnet.ipv6 === undefined ? [] : [{ Subnet: subnet.ipv6, Gateway: gateway.ipv6 }]),
      ],
    },
    Options: SEGMENT_BRIDGE_OPTIONS,
  };
}

function addressesOf(subnet: SegmentSubnet): () => SegmentAddress {
  let used = 0;
  return () => endpointAddress(subnet, used++);
}
