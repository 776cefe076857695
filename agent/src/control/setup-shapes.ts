/** Shapes of a node's set-up. Only dangerous or meaningless values are rejected here; the kernel checks the rest. */

import { type AgentOptions, ICE_PROFILES, KEY_MODES } from "../core/node/agent-settings.ts";
import { interfaceImpairments } from "./link-shapes.ts";
import {
  CONTROL_VERSION,
  type DaemonSetup,
  type HomeAgentRole,
  type InterfaceSetup,
  MOBILITY_PROTOCOLS,
  type MobileNodeRole,
  type Nat64Access,
  type Nat64Role,
  type NodeSetup,
  type RoleSetup,
  type RouteSetup,
  RULE_TOOLS,
  type RuleText,
  type SegmentNeighbours,
  STARTS_ON,
  type StationaryNodeRole,
  type StunServerRole,
} from "./messages.ts";
import {
  array,
  boolean,
  type FieldShapes,
  integer,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  string,
  text,
  unionByType,
} from "./shape.ts";

/** What the kernel accepts as an interface name, without characters special to `ip` and the rule loaders. */
const interfaceName = text(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/, "an interface name of at most 15 letters and digits");
const address = text(/^[0-9A-Fa-f:.]+$/, "an IP address");
export const prefix = text(/^[0-9A-Fa-f:.]+\/\d{1,3}$/, "an address with prefix length");
const mac = text(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/, "a MAC address");
const hostName = text(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, "a host name");
const hexOctets = text(/^([0-9A-Fa-f]{2})+$/, "octets in hex");
/** A timer's duration, up to a day in milliseconds. */
const duration = integer(0, 86_400_000);
const port = integer(1, 0xffff);
/** IPv6 needs 1280 octets (RFC 8200 section 5). */
const tunMtu = integer(1280, 65535);

const iface: Shape<InterfaceSetup> = object<InterfaceSetup>({
  segment: string,
  interfaceName,
  find: (value: unknown, path: string) => findBy(value, path),
  mac,
  addresses: array(prefix),
  impairment: optional(interfaceImpairments),
  nat64: optional(object<Nat64Access>({ prefix, ipv4: prefix, ipv6: address })),
  mtuOctets: optional(integer(576, 1500)),
  isStandby: optional(boolean),
  neighbours: optional(object<SegmentNeighbours>({ macs: array(mac), addresses: array(prefix) })),
});

const findByAddress = object<{ readonly by: "address"; readonly address: string }>({ by: oneOf("address"), address });
const findByName = object<{ readonly by: "name"; readonly name: string }>({ by: oneOf("name"), name: interfaceName });
const findBy: Shape<InterfaceSetup["find"]> = (value, path) => {
  const checked = findByAddress(value, path);
  return checked.ok || checked.error.path !== `${path}.by` ? checked : findByName(value, path);
};

const homeAgentRole: Shape<Omit<HomeAgentRole, "type">> = object<Omit<HomeAgentRole, "type">>({
  address,
  homePrefix: prefix,
  listen: array(address),
  alternate: optional(array(address)),
  registrationKeys: record(hexOctets),
  tunMtu,
  seed: hexOctets,
});

const agentOptions: FieldShapes<AgentOptions> = {
  profile: optional(oneOf(...ICE_PROFILES)),
  isLite: optional(boolean),
  keys: optional(oneOf(...KEY_MODES)),
  // Every timer is a number; names unknown to the machine have no effect.
  timers: optional(record(duration)),
};

const mobileNodeRole: Shape<Omit<MobileNodeRole, "type">> = object<Omit<MobileNodeRole, "type">>({
  homeAddress: address,
  homeAgent: object<MobileNodeRole["homeAgent"]>({ address, listen: array(address) }),
  peers: optional(array(address)),
  localAddresses: array(address),
  port,
  ...agentOptions,
  registrationKey: optional(hexOctets),
  tunMtu,
  seed: hexOctets,
});

const stationaryNodeRole: Shape<Omit<StationaryNodeRole, "type">> = object<Omit<StationaryNodeRole, "type">>({
  address,
  speaks: optional(oneOf(...MOBILITY_PROTOCOLS)),
  homePrefixes: array(prefix),
  stunServers: array(address),
  localAddresses: array(address),
  port,
  ...agentOptions,
  tunMtu,
  seed: hexOctets,
});

const nat64Role = object<Nat64Role>({
  prefix,
  networks: array(object<Nat64Role["networks"][number]>({ ipv6: prefix, pool: prefix })),
});

const roleByType = {
  router: object<{ readonly nat64?: Nat64Role }>({ nat64: optional(nat64Role) }),
  host: object<object>({}),
  dns: object<object>({}),
  "stun-server": object<Omit<StunServerRole, "type">>({ listen: array(address), alternate: array(address) }),
  "home-agent": homeAgentRole,
  "mobile-node": mobileNodeRole,
  "correspondent-node": mobileNodeRole,
  "stationary-node": stationaryNodeRole,
};

export const routes: Shape<readonly RouteSetup[]> = array(
  object<RouteSetup>({ to: prefix, via: optional(address), interfaceName, mark: optional(integer(1, 255)) }),
);

export const rules: Shape<readonly RuleText[]> = array(object<RuleText>({ tool: oneOf(...RULE_TOOLS), text: string }));

const daemon: Shape<DaemonSetup> = object<DaemonSetup>({
  name: hostName,
  command: array(string),
  configuration: string,
  readyOutput: text(/./, "a part of a line"),
});

/** A node's whole set-up. */
export const nodeSetup: Shape<NodeSetup> = object<NodeSetup>({
  version: oneOf(CONTROL_VERSION),
  node: hostName,
  interfaces: array(iface),
  routes,
  rules,
  hosts: array(object<NodeSetup["hosts"][number]>({ address, name: hostName })),
  nameServers: optional(array(address)),
  daemons: optional(array(daemon)),
  capture: boolean,
  role: unionByType<RoleSetup>(roleByType),
  startsOn: optional(oneOf(...STARTS_ON)),
  autostart: optional(object<NonNullable<NodeSetup["autostart"]>>({ connect: array(address) })),
});
