/**
 * Where br_netfilter is on, the machine's iptables see bridged frames, and another Docker network's masquerading
 * rewrites every packet of a lab whose source lies in that network's subnet (measured: 20 of 20 packets lost). Such a
 * plan is refused before anything is made.
 */

import type { NetworkInspectInfo } from "dockerode";
import ipaddr from "ipaddr.js";
import type { NodeSpec } from "../../plan/plan.ts";
import { TestbedError } from "../../support/errors.ts";
import { bridgeNetfilter } from "./bridge-netfilter.ts";
import { type Engine, engineCall } from "./engine.ts";

/** A network of the engine that masquerades outgoing packets. */
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
  const { use, network, subnet } = conflict;
  throw new TestbedError(
    "address-conflict",
    `${use}, which meets ${subnet} of the Docker network ${network}: ` +
      "this machine (br_netfilter) would masquerade the lab's packets as that network's",
    {
      hint:
        `give the topology other addresses, or remove the network (docker network rm ${network}), ` +
        "or turn br_netfilter off (sysctl net.bridge.bridge-nf-call-iptables=0)",
    },
  );
}

/** An address or route of a lab that overlaps a network's subnet; `use` begins a sentence about it. */
export interface Conflict {
  readonly use: string;
  readonly network: string;
  readonly subnet: string;
}

/** Every address of the nodes, and every destination of their routes, that overlaps a network's subnet. */
export function findConflicts(
  nodes: readonly NodeSpec[],
  networks: readonly MasqueradedNetwork[],
): readonly Conflict[] {
  return nodes
    .flatMap(usesOf)
    .flatMap(({ cidr, use }) =>
      networks.flatMap(({ name, subnets }) =>
        subnets.filter((subnet) => meets(cidr, subnet)).map((subnet) => ({ use, network: name, subnet })),
      ),
    );
}

/** Destinations of routes count as well: the outside prefix of a prefix translation is on no interface. */
function usesOf({ name, setup }: NodeSpec): readonly { readonly cidr: string; readonly use: string }[] {
  const addresses = setup.interfaces.flatMap((iface) => iface.addresses);
  const destinations = setup.routes.map(({ to }) => to).filter((to) => !to.endsWith("/0"));
  return [
    ...addresses.map((address) => ({
      cidr: `${address.split("/")[0] ?? ""}/${address.includes(":") ? 128 : 32}`,
      use: `node ${name} has the address ${address}`,
    })),
    ...destinations.map((to) => ({ cidr: to, use: `node ${name} has a route to ${to}` })),
  ];
}

function masqueraded({ Name, Driver, Options, IPAM }: NetworkInspectInfo): readonly MasqueradedNetwork[] {
  if (Driver !== "bridge") return [];
  if (Options?.["com.docker.network.bridge.enable_ip_masquerade"] === "false") return [];
  return [
    { name: Name, subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet])) },
  ];
}

function meets(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => ipaddr.parseCIDR(text));
  if (one === undefined || other === undefined || one[0].kind() !== other[0].kind()) return false;
  return one[0].match(other[0], Math.min(one[1], other[1]));
}
