/** The roles of nodes other than hosts. */

import { ICE_PROFILES, KEY_MODES } from "@testbed/agent/control";
import * as z from "zod";
import { STATIONARY_PROTOCOLS } from "../../model/words.ts";
import { fixedAddresses, gateway, segments } from "./attachment.ts";
import { firewall, forward, nat, nat64, prefixTranslation } from "./middlebox.ts";
import { address, duration, network, port, reference } from "./values.ts";

export const router = z.strictObject({
  role: z.literal("router"),
  wan: z
    .union([reference, z.array(reference).min(1)])
    .describe("The outside segment, or several over which address translation spreads what goes out"),
  lan: z.union([reference, z.array(reference).min(1)]).describe("The inside segment, or several isolated ones"),
  nat: nat.optional(),
  nat64: nat64.optional(),
  forwards: z.array(forward).optional().describe("Port forwards through address translation"),
  prefixTranslation: prefixTranslation.optional(),
  firewall: firewall.optional(),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

export const homeAgent = z.strictObject({
  role: z.literal("home-agent"),
  on: segments,
  homePrefix: network(6).describe("The home network it serves, such as 2001:db8:a::/64"),
  address: address(6).optional().describe("Its own address in the home prefix; ::1 of it when absent"),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

export const stunServer = z.strictObject({
  role: z.literal("stun-server"),
  on: reference.describe("The segment it is attached to, with a second address for NAT behaviour discovery (RFC 5780)"),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

export const dnsServer = z.strictObject({
  role: z.literal("dns"),
  on: reference.describe("The segment it is attached to; it answers for the names of all nodes (unbound)"),
  dns64: network(6)
    .optional()
    .describe("DNS64 (RFC 6147): names with IPv4 alone get IPv6 addresses with this prefix, that of a `nat64`"),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

/** How a node's agent works. */
const agentFields = {
  profile: z.enum(ICE_PROFILES).optional().describe("Pacing and retransmission of the checks"),
  lite: z.boolean().optional().describe("A lite agent answers checks and sends none; for nodes in the open"),
  keys: z
    .enum(KEY_MODES)
    .optional()
    .describe("Keys of the checks: passwords in offer and answer (when absent), or derived from return routability"),
  consent: duration("60m", "100ms")
    .optional()
    .describe(
      "Mean time between two questions whether the selected pair is alive; 5s when absent, dead after thrice it",
    ),
  keepalive: duration("60m", "1s")
    .optional()
    .describe(
      "Longest time between two questions that keep the mapping of the tunnel to the home agent; 25s when absent",
    ),
};
/** Picks these keys from a node's entry. */
export const agentSchema = z.object(agentFields);

const mobileFields = {
  on: segments,
  homeAgent: reference,
  homeAddress: address(6).optional().describe("In the home prefix; ::100 for a home agent's first node when absent"),
  port: port.optional().describe("UDP port of the candidate sockets; 40000 when absent"),
  ...agentFields,
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
};
export const mobileNode = z.strictObject({ role: z.literal("mobile-node"), ...mobileFields });
export const correspondentNode = z.strictObject({ role: z.literal("correspondent-node"), ...mobileFields });

/** Only mobile nodes have a configurable consent interval, and a tunnel. */
const { consent, keepalive, ...stationaryAgentFields } = agentFields;

export const stationaryNode = z.strictObject({
  role: z.literal("stationary-node"),
  on: reference.describe("The segment it is attached to, which carries IPv6: home agents reach the node there"),
  speaks: z
    .enum(STATIONARY_PROTOCOLS)
    .optional()
    .describe("M-ICE when absent; other nodes begin no sessions, and one of plain IPv6 answers pings alone"),
  stun: reference.optional().describe("The home agent or STUN server that it asks; nobody when absent"),
  port: mobileFields.port,
  ...stationaryAgentFields,
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});
