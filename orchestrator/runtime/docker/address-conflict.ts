/**
 * Where br_netfilter is on, the machine's iptables see bridged frames, and the masquerading of another Docker network
 * rewrites every packet of a lab whose source lies in that network's subnet (measured: 20 of 20 packets lost). Such a
 * plan is refused before anything is made.
 */

import type { NetworkInspectInfo } from "dockerode";
import ipaddr from "ipaddr.js";
import type { NodeSpec } from "../../plan/plan.ts";
import { TestbedError } from "../../support/errors.ts";
import { bridgeNetfilter } from "./bridge-netfilter.ts";
import { type Engine, engineCall } from "./engine.ts";

/** A network of the engine that masquerades what leaves it. */
export interface MasqueradedNetwork {
  readonly name: string;
  /** CIDR. */
  readonly subnets: readonly string[];
}

/** Throws `address-conflict`, naming address and network, when the engine's machine would rewrite a lab's packets. */
export async function refuseConflictingAddresses(engine: Engine, nodes: readonly NodeSpec[]): Promise<void> {
  if (bridgeNetfilter(engine) === false) return;
  const networks = await engineCall("list its networks", engine.docker.listNetworks());
  const [conflict] = findConflicts(nodes, networks.flatMap(masqueraded));
  if (conflict === undefined) return;
  const { node, address, network, subnet } = conflict;
  throw new TestbedError(
    "address-conflict",
    `node ${node} has the address ${address}, which lies in ${subnet} of the Docker network ${network}: ` +
      "this machine (br_netfilter) would masquerade the lab's packets as that network's",
    {
      hint:
        `give the topology other addresses, or remove the network (docker network rm ${network}), ` +
        "or turn br_netfilter off (sysctl net.bridge.bridge-nf-call-iptables=0)",
    },
  );
}

/** Every address of the nodes that lies in a network's subnet. */
export function findConflicts(
  nodes: readonly NodeSpec[],
  networks: readonly MasqueradedNetwork[],
): readonly { readonly node: string; readonly address: string; readonly network: string; readonly subnet: string }[] {
  return nodes.flatMap((node) =>
    node.setup.wires
      .flatMap((wire) => wire.addresses)
      .flatMap((address) =>
        networks.flatMap(({ name, subnets }) =>
          subnets
            .filter((subnet) => contains(subnet, address))
            .map((subnet) => ({ node: node.name, address, network: name, subnet })),
        ),
      ),
  );
}

function masqueraded({ Name, Driver, Options, IPAM }: NetworkInspectInfo): readonly MasqueradedNetwork[] {
  if (Driver !== "bridge") return [];
  if (Options?.["com.docker.network.bridge.enable_ip_masquerade"] === "false") return [];
  return [
    { name: Name, subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet])) },
  ];
}

function contains(subnet: string, address: string): boolean {
  const range = ipaddr.parseCIDR(subnet);
  const [ip] = ipaddr.parseCIDR(address);
  return ip.kind() === range[0].kind() && ip.match(range);
}
