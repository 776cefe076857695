export { CANDIDATE_TYPES, type CandidateType, DATA_PATHS, type DataPath } from "../core/events.ts";
export { DEFAULT_LIMITS } from "../core/ice/constants.ts";
export { limitPairs, limitRemotes, withinReach } from "../core/ice/usefulness.ts";
export type { Impairment, PacketLimits } from "../core/link/impairment.ts";
export { type LocalSocket, reaches } from "../core/local-socket.ts";
export { fittingCandidates } from "../core/mice/option/fitting-candidates.ts";
export {
  type BehavioursOf,
  type BehaviourTable,
  CONE_NAT,
  NAT_BEHAVIOURS,
  NAT_DEPENDENCES,
  type NatBehaviour,
  type NatDependence,
  type NatPoint,
  type NatProfile,
} from "../core/nat/nat-profile.ts";
export {
  concludeObservation,
  OBSERVED_BEHAVIOURS,
  type ObservedBehaviour,
  type ObservedNat,
  type ProbeAnswers,
} from "../core/nat-probe/nat-observation.ts";
export { translatedSource } from "../core/nat64/host-table.ts";
export { createSynthesis, NAT64_PREFIX_LENGTHS } from "../core/nat64/synthesis.ts";
export {
  type AgentOptions,
  agentSettings,
  DEFAULT_AGENT_SETTINGS,
  ICE_PROFILES,
  KEY_MODES,
} from "../core/node/agent-settings.ts";
export { ALTERNATE_STUN_PORT, DSMIPV6_PORT, STUN_PORT } from "../core/ports.ts";
export * from "./codec.ts";
export { echoSequence } from "./echo-request.ts";
export { createLineSplitter, type LineSplitter, type SplitLine } from "./lines.ts";
export * from "./messages.ts";
export { type Checked, describeShapeError, type ShapeError } from "./shape.ts";
