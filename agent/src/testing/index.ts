/** A network in virtual time for tests: segments, hosts, NATs, and protocol machines on them. */

export type { NatDependence, NatProfile } from "../core/nat/nat-profile.ts";
export { type Crowd, createCrowd } from "./crowd-net.ts";
export { type MachineNode, routeFromTun, runMachine, type TimedEvent } from "./machine-node.ts";
export {
  createMiceNet,
  type End,
  eventsOf,
  type FurtherAccess,
  HOME_ROUTER,
  type MiceNet,
  type MiceNetSetup,
  type Side,
  type SideSetup,
} from "./mice-net.ts";
export { NatTable } from "./nat-table.ts";
export { createNumberedFlow, type NumberedFlow } from "./numbered-flow.ts";
export { ipv6Packet, packetOctets, type SimPacket, type UdpPacket } from "./packet.ts";
export { type SeededRng, seededRng } from "./seeded-rng.ts";
export { SimHost } from "./sim-host.ts";
export { createSimNat, type SimNat, type SimNatSetup } from "./sim-nat.ts";
export { SimNet, type TraceEntry } from "./sim-net.ts";
export { createStationaryNet, type StationaryNetSetup } from "./stationary-net.ts";
