/** What a router does to packets: address translation, firewall, prefix translation, port forwards. */

import { NAT_BEHAVIOURS } from "@testbed/agent/control";
import * as z from "zod";
import { FIREWALL_PRESET_NAMES, NAT_PRESET_NAMES } from "../../model/presets.ts";
import {
  DENIALS,
  FORWARD_PROTOCOLS,
  INBOUND_POLICIES,
  OUTBOUND_UDP_POLICIES,
  PINHOLE_PROTOCOLS,
  PORT_MAPPING_PROTOCOLS,
  UNSOLICITED_SYN_ANSWERS,
} from "../../model/words.ts";
import { address, duration, network, port, portRange, reference } from "./values.ts";

/** The kernel's sets keep nothing for longer than 49 days; measuring a lifetime takes 1.4 times as long. */
const LONGEST_LIFETIME = "600m";

/** Fewer ports than a new mapping tries would be no block. */
const MOST_DRAWS = 8;

/** Each outside address has tables of its own. */
const MOST_ADDRESSES = 16;

const tcp = z
  .strictObject({
    mapping: z.enum(NAT_BEHAVIOURS.mapping).optional().describe("RFC 5382 REQ-1; that of UDP when absent"),
    filtering: z.enum(NAT_BEHAVIOURS.filtering).optional().describe("RFC 5382 REQ-3; that of UDP when absent"),
    hairpinning: z.boolean().optional().describe("RFC 5382 REQ-8; that of UDP when absent"),
    unsolicitedSyn: z
      .enum(UNSOLICITED_SYN_ANSWERS)
      .optional()
      .describe(
        "What a SYN from outside is told that is let in to nobody (RFC 5382 REQ-4): nothing, RST, or ICMP at once; as the firewall's `denied` when absent",
      ),
    established: duration(LONGEST_LIFETIME)
      .optional()
      .describe("How long an idle connection is remembered (RFC 5382 REQ-5); 2 h 4 min when absent"),
    transitory: duration(LONGEST_LIFETIME)
      .optional()
      .describe("How long one that is opening or closing is (RFC 5382 REQ-5, RFC 7857 section 2); 4 min when absent"),
  })
  .describe("TCP, where it differs from UDP");

const natObject = z.strictObject({
  preset: z.enum(NAT_PRESET_NAMES).optional().describe("The point to start from; other keys override it"),
  mapping: z.enum(NAT_BEHAVIOURS.mapping).optional().describe("RFC 4787 section 4.1"),
  filtering: z.enum(NAT_BEHAVIOURS.filtering).optional().describe("RFC 4787 section 5"),
  portAssignment: z
    .enum(NAT_BEHAVIOURS.portAssignment)
    .optional()
    .describe("RFC 4787 section 4.2; overload: hosts share a port towards different destinations, as Linux MASQUERADE"),
  addresses: z
    .union([z.int().min(1).max(MOST_ADDRESSES), z.array(address(4)).min(1).max(MOST_ADDRESSES)])
    .optional()
    .describe("Outside addresses on the `wan` segment: how many, or which, the first being the router's own; one"),
  pooling: z
    .enum(NAT_BEHAVIOURS.pooling)
    .optional()
    .describe(
      "Which of several outside addresses (RFC 4787 REQ-2): one for each inside host, or for each pair of inside host and destination",
    ),
  parity: z.enum(NAT_BEHAVIOURS.parity).optional().describe("Even ports for even ones (RFC 4787 section 4.2.2); any"),
  ports: portRange.optional().describe("Outside ports to draw from, both ends included"),
  blockSize: z
    .int()
    .min(MOST_DRAWS)
    .max(4096)
    .optional()
    .describe("With `portAssignment: block`: how many ports an inside host has (RFC 7422)"),
  mappingsPerHost: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Most mappings of an inside host at each outside address (RFC 6888 REQ-4); what is over it is dropped"),
  mappingsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe("Most new mappings of an inside host a second, and at once; what is over it is dropped"),
  hairpinning: z.boolean().optional().describe("RFC 4787 REQ-9, with external source address and port"),
  udpLifetime: duration(LONGEST_LIFETIME).optional().describe("How long an idle UDP mapping lives (RFC 4787 REQ-5)"),
  refresh: z.enum(["outbound", "both"]).optional().describe("Which packets keep a mapping alive (RFC 4787 REQ-6)"),
  portMapping: z
    .array(z.enum(PORT_MAPPING_PROTOCOLS))
    .optional()
    .describe("How inside hosts may ask for an outside port: PCP (RFC 6887), NAT-PMP (RFC 6886), UPnP IGD; not at all"),
  tcp: tcp.optional(),
  unsolicited: z
    .enum(NAT_BEHAVIOURS.unsolicited)
    .optional()
    .describe("What a stray packet from outside does: poison claims the outside port towards its sender"),
  seed: z.int().min(0).max(0xffffffff).optional().describe("Makes drawn ports reproducible; follows the topology's"),
});
export const nat = z
  .union([z.enum(["none", ...NAT_PRESET_NAMES]), natObject])
  .describe("IPv4 address translation: a preset, a point of RFC 4787, or none");

export const nat64 = natObject
  .extend({
    prefix: network(6).describe(
      "The prefix of synthesised addresses (RFC 6052), 32, 40, 48, 56, 64 or 96 bits long, such as 64:ff9b::/96",
    ),
  })
  .describe("NAT64 (RFC 6146) for inside segments with IPv6 alone: a prefix, and the keys of `nat`");

const pinhole = z.strictObject({
  protocol: z.enum(PINHOLE_PROTOCOLS).describe("UDP, or the Mobility Header (protocol 135, IPv6 only)"),
  to: reference.describe("A node, or an address"),
  port: port.optional(),
  from: reference.optional().describe("A node, an address or a network; everybody when absent"),
});
const firewallObject = z.strictObject({
  preset: z.enum(FIREWALL_PRESET_NAMES).optional().describe("The policy to start from; other keys override it"),
  inbound: z.enum(INBOUND_POLICIES).optional(),
  outboundUdp: z
    .union([z.enum(OUTBOUND_UDP_POLICIES), z.array(port).min(1)])
    .optional()
    .describe("UDP from inside to outside: everything, nothing, or only these destination ports"),
  denied: z
    .enum(DENIALS)
    .optional()
    .describe("What becomes of the rest: nobody is told, or ICMP says `administratively prohibited`; drop when absent"),
  udpIdle: duration(LONGEST_LIFETIME).optional().describe("How long an idle UDP flow is remembered"),
  pinholes: z.array(pinhole).optional().describe("What may come in unsolicited"),
});
export const firewall = z
  .union([z.enum(FIREWALL_PRESET_NAMES), firewallObject])
  .describe("What the middlebox lets through; `stateful` with address translation, `open` without");

export const prefixTranslation = z
  .strictObject({
    ipv4: network(4).optional().describe("1:1 NAT: the network outside, as long as the one inside"),
    ipv6: network(6).optional().describe("NPTv6 (RFC 6296): the network outside, as long as the one inside"),
  })
  .describe(
    "A network outside in place of the one inside: each host has an address of its own there, and all its ports",
  );

export const forward = z
  .strictObject({
    protocol: z.enum(FORWARD_PROTOCOLS),
    port: port.describe("Outside"),
    to: reference.describe("A node inside, or an IPv4 address"),
    toPort: port.optional().describe("Inside; the same port when absent"),
  })
  .describe("An outside port that stands for a socket inside for good, open to every remote address (static mapping)");
