/** The file format of a topology. References and addresses are checked by `resolve.ts`. */

import * as z from "zod";
import { expectationSchema, sessionSchema } from "./schema/expectation.ts";
import { type flowSchema, flowsSchema } from "./schema/flow.ts";
import { extendingHost, host } from "./schema/host.ts";
import { type impairment, linkKey, linkSchema } from "./schema/link.ts";
import {
  correspondentNode,
  dnsServer,
  homeAgent,
  mobileNode,
  router,
  stationaryNode,
  stunServer,
} from "./schema/nodes.ts";
import { timelineEventSchema } from "./schema/timeline.ts";
import { mtu, name, network, reference } from "./schema/values.ts";

export const segmentSchema = z
  .strictObject({
    ipv4: network(4).optional().describe("IPv4 network of the segment, such as 198.18.0.0/24"),
    ipv6: network(6).optional().describe("IPv6 network of the segment, such as 2001:db8:1::/64"),
    dns: reference
      .optional()
      .describe(
        "The node of role `dns` that hosts on this segment are told of, as by DHCP; they then know no other names",
      ),
    mtu: mtu
      .optional()
      .describe("Octets of the largest IP packet on it, which its nodes know; 1500 when absent, 1280 or more for IPv6"),
    isolated: z
      .boolean()
      .optional()
      .describe("Whether its nodes reach nobody on it but the routers whose LAN it is, as clients of a guest WLAN"),
  })
  .describe("One segment: an Ethernet segment that carries frames between the nodes on it");

export const nodeSchema = z.discriminatedUnion("role", [
  router,
  homeAgent,
  stunServer,
  dnsServer,
  mobileNode,
  correspondentNode,
  stationaryNode,
  host,
]);

/** The whole file. */
export const topologySchema = z.strictObject({
  name,
  summary: z.string().min(1).describe("One line: what this network is, and what must happen in it"),
  segments: z.record(name, segmentSchema),
  nodes: z.record(name, nodeSchema),
  links: z.record(linkKey, linkSchema).optional().describe("Impairments of links by <node>/<segment>"),
  sessions: z.array(sessionSchema).optional(),
  flows: flowsSchema.optional(),
  timeline: z.array(timelineEventSchema).optional().describe("What happens while data flows, each at its time"),
  expect: z.array(expectationSchema).optional(),
  seed: z.int().min(0).max(0xffffffff).optional().describe("All randomness of a run follows from it; 1 when absent"),
});

export type SegmentEntry = z.output<typeof segmentSchema>;
export type NodeEntry = z.output<typeof nodeSchema>;
export type RouterEntry = z.output<typeof router>;
export type HomeAgentEntry = z.output<typeof homeAgent>;
export type DnsServerEntry = z.output<typeof dnsServer>;
export type StunServerEntry = z.output<typeof stunServer>;
export type MobileEntry = z.output<typeof mobileNode> | z.output<typeof correspondentNode>;
export type StationaryEntry = z.output<typeof stationaryNode>;
export type HostEntry = z.output<typeof host>;
export type ImpairmentEntry = z.output<typeof impairment>;
export type LinkEntry = z.output<typeof linkSchema>;
export type SessionEntry = z.output<typeof sessionSchema>;
export type FlowEntry = z.output<typeof flowSchema>;
export type ExpectationEntry = z.output<typeof expectationSchema>;
export type TimelineEventEntry = z.output<typeof timelineEventSchema>;

/** JSON Schema of the file format, for editors; kept in `topologies/topology.schema.json`. */
export function topologyJsonSchema(): Record<string, unknown> {
  const written = topologySchema.extend({ nodes: z.record(name, z.union([nodeSchema, extendingHost])) });
  return { title: "M-ICE testbed topology", ...z.toJSONSchema(written, { io: "input" }) };
}
