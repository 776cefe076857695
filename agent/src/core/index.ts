/** The protocol nodes and what a driver needs to run them. */

export type { SocketAddress } from "./address.ts";
export type { CandidateType, CandidateView, DataPath, NodeEvent, PairView } from "./events.ts";
export type { Datagram, InstantMs, Rng, Transmit } from "./machine.ts";
export { createMobileNode } from "./mice/mobile-node.ts";
export { createHomeAgent } from "./mip6/home-agent.ts";
export type { IceProfile, NodeTimers } from "./node/agent-settings.ts";
export type {
  HomeAgentConfig,
  MobileNodeConfig,
  MobileNodeMachine,
  NodeMachine,
} from "./node/node-machine.ts";
