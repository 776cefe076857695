/** What is wrong with an address that a file gives to a node. */

import { addressAt, contains, type Network, offsetIn, sizeOf } from "../model/address-text.ts";

export interface AddressProblem {
  readonly code: "bad-address" | "duplicate";
  readonly message: string;
}

export function placeProblem(segment: string, network: Network, address: string): AddressProblem | undefined {
  const text = `${addressAt(network, 0n)}/${network.length}`;
  if (!contains(network, address))
    return { code: "bad-address", message: `expected an address inside ${segment} (${text}); found ${address}` };
  const offset = offsetIn(network, address);
  const isUnusable = offset === 0n || (network.family === 4 && offset === sizeOf(network) - 1n);
  return isUnusable
    ? {
        code: "bad-address",
        message: `expected the address of a host; found ${address}, which ${text} keeps for itself`,
      }
    : undefined;
}

export function ownerProblem(
  owners: ReadonlyMap<string, string>,
  node: string,
  address: string,
): AddressProblem | undefined {
  const owner = owners.get(address);
  return owner === undefined
    ? undefined
    : {
        code: "duplicate",
        message: `expected an address of its own; found ${address}, which ${owner} has; change ${node} or ${owner}`,
      };
}
