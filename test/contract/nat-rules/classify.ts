/** Classifies a NAT by packets alone: two server addresses with two ports each, and two hosts inside. */

import type { NatDependence } from "@testbed/agent/control";
import type { NatWorld, UdpPort } from "./nat-world.ts";

/** The observed behaviour. */
export interface ObservedNat {
  readonly mapping: NatDependence;
  readonly filtering: NatDependence;
  readonly hairpinning: boolean;
}

/** The servers: address one and two, each with port one and two. */
export interface Servers {
  readonly a1p1: UdpPort;
  readonly a1p2: UdpPort;
  readonly a2p1: UdpPort;
  readonly a2p2: UdpPort;
}

export async function openServers(world: NatWorld): Promise<Servers> {
  const [a1, a2] = ["198.18.0.11", "198.18.0.12"] as const;
  const [a1p1, a1p2, a2p1, a2p2] = await Promise.all([
    world.open("servers", a1, 3478),
    world.open("servers", a1, 3479),
    world.open("servers", a2, 3478),
    world.open("servers", a2, 3479),
  ]);
  return { a1p1, a1p2, a2p1, a2p2 };
}

let serial = 0;

/** A text that was not used before. */
export function freshText(): string {
  serial += 1;
  return `packet ${serial}`;
}

/** The outside address at which a server sees a socket. */
export async function mappedAddress(client: UdpPort, server: UdpPort): Promise<{ ip: string; port: number }> {
  const text = freshText();
  client.send(server, text);
  return server.source(text);
}

/**
 * Whether a packet gets from one socket to another's outside address. A packet on a path known to be open is sent after
 * it: once that has arrived, a missing packet was dropped.
 */
export async function passes(
  from: UdpPort,
  to: { readonly socket: UdpPort; readonly mapped: { readonly ip: string; readonly port: number } },
  openWay: UdpPort,
): Promise<boolean> {
  const [text, fence] = [freshText(), freshText()];
  from.send(to.mapped, text);
  openWay.send(to.mapped, fence);
  await to.socket.source(fence);
  return to.socket.has(text);
}

/** Classifies a NAT with new ports. Mapping is tested first; filtering on a socket that has sent only to `a1p1`. */
export async function classify(world: NatWorld, servers: Servers, port: number): Promise<ObservedNat> {
  const mapping = await classifyMapping(await world.open("inside", "192.168.1.2", port), servers);
  const filtering = await classifyFiltering(await world.open("inside", "192.168.1.2", port + 1), servers);
  const [socket, other] = await Promise.all([
    world.open("inside", "192.168.1.2", port + 2),
    world.open("inside", "192.168.1.3", port + 3),
  ]);
  return { mapping, filtering, hairpinning: await hairpins(socket, other, servers) };
}

async function classifyMapping(client: UdpPort, { a1p1, a2p1, a2p2 }: Servers): Promise<NatDependence> {
  const first = await mappedAddress(client, a1p1);
  const second = await mappedAddress(client, a2p1);
  const third = await mappedAddress(client, a2p2);
  const again = await mappedAddress(client, a1p1);
  if (again.port !== first.port) throw new Error(`a mapping in use changed from ${first.port} to ${again.port}`);
  if (second.port === first.port && third.port === first.port) return "endpoint-independent";
  return third.port === second.port ? "address-dependent" : "address-and-port-dependent";
}

async function classifyFiltering(client: UdpPort, { a1p1, a1p2, a2p2 }: Servers): Promise<NatDependence> {
  const target = { socket: client, mapped: await mappedAddress(client, a1p1) };
  // The strictest test first: a packet that passes may open the filter for later ones.
  if (await passes(a2p2, target, a1p1)) return "endpoint-independent";
  return (await passes(a1p2, target, a1p1)) ? "address-dependent" : "address-and-port-dependent";
}

/** Whether an inside host reaches another at its outside address, and appears there with its own outside address. */
async function hairpins(socket: UdpPort, other: UdpPort, { a1p1 }: Servers): Promise<boolean> {
  const target = { socket, mapped: await mappedAddress(socket, a1p1) };
  const text = freshText();
  other.send(target.mapped, text);
  // The fence is sent by the same node, so that it cannot overtake.
  const fence = freshText();
  other.send(a1p1, fence);
  await a1p1.source(fence);
  await passes(a1p1, target, a1p1);
  if (!socket.has(text)) return false;
  const source = await socket.source(text);
  if (source.ip !== target.mapped.ip) throw new Error(`hairpinned with the inside source ${source.ip}`);
  return true;
}
