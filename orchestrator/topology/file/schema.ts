/** The file format of a topology. References and addresses are checked by `resolve.ts`. */

import { CANDIDATE_TYPES, ICE_PROFILES, KEY_MODES, NAT_BEHAVIOURS } from "@testbed/agent/control";
import * as z from "zod";
import { type AddressProblem, addressProblem, type Family, networkProblem } from "../model/address-text.ts";
import { DURATION_PATTERN, durationMs } from "../model/duration.ts";
import { imageNameProblem } from "../model/image-name.ts";
import { bitPerSecOf, RATE_PATTERN, SHARE_PATTERN } from "../model/link-units.ts";
import { FIREWALL_PRESET_NAMES, NAT_PRESET_NAMES } from "../model/presets.ts";
import {
  DENIALS,
  FORWARD_PROTOCOLS,
  HOST_CAPABILITIES,
  INBOUND_POLICIES,
  OUTBOUND_UDP_POLICIES,
  PATH_NAMES,
  PINHOLE_PROTOCOLS,
  STATIONARY_PROTOCOLS,
  TRAFFIC_KINDS,
} from "../model/words.ts";

/** Names become host names, interface names and parts of file names. */
const NAME_PATTERN = /^[a-z][a-z0-9-]{0,30}$/;

/** Text of one shape; `expected` completes "expected …" for a wrong type and for a wrong text alike. */
function text(pattern: RegExp, expected: string): z.ZodString {
  return z.string({ error: `expected ${expected}` }).regex(pattern, { error: `expected ${expected}` });
}

const name = text(NAME_PATTERN, "a name of lower-case letters, digits and hyphens, at most 31, a letter first");
const reference = z.string({ error: "expected a name" });
const MAC_PATTERN = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const mac = text(MAC_PATTERN, "a MAC address in lower case such as 02:00:00:00:00:01").check(
  within(MAC_PATTERN, isMacOfOneNode, "the MAC address of one node: an even first octet, and not all zero"),
);
const port = z.int().min(1).max(65535);
const portRange = text(/^\d{1,5}-\d{1,5}$/, "a port range such as 40000-49999");

/** Text of a pattern whose value lies within a range; text of another shape has been reported as such. */
function within(
  pattern: RegExp,
  isWithin: (text: string) => boolean,
  expected: string,
): (context: z.core.ParsePayload<string>) => void {
  return ({ value, issues }) => {
    if (pattern.test(value) && !isWithin(value)) issues.push(rangeIssue(value, `expected ${expected}`));
  };
}

/** A duration of at most `longest`, and at least `shortest` if given. */
function duration(longest: string, shortest = "0ms"): z.ZodString {
  const isWithin = (value: string): boolean =>
    durationMs(value) <= durationMs(longest) && durationMs(value) >= durationMs(shortest);
  const range = durationMs(shortest) > 0 ? `from ${shortest} to ${longest}` : `of at most ${longest}`;
  return text(DURATION_PATTERN, "a duration such as 30s, 400ms or 2m").check(
    within(DURATION_PATTERN, isWithin, `a duration ${range}`),
  );
}

/** How late in a run something may happen, and the longest time that may be expected: a day. */
const LONGEST_MOMENT = "1440m";

/** An individual address (IEEE 802): the lowest bit of the first octet marks groups, and all. */
function isMacOfOneNode(value: string): boolean {
  return Number.parseInt(value.slice(0, 2), 16) % 2 === 0 && value !== "00:00:00:00:00:00";
}

/** An address without prefix length. */
function address(family: Family): z.ZodString {
  return z.string({ error: `expected an IPv${family} address` }).check((context) => {
    const problem = addressProblem(context.value, family);
    if (problem !== undefined) context.issues.push(customIssue(context.value, problem));
  });
}

/** A network in CIDR form with no host bits set. */
function network(family: Family): z.ZodString {
  return z.string({ error: `expected an IPv${family} network with prefix length` }).check((context) => {
    const problem = networkProblem(context.value, family);
    if (problem !== undefined) context.issues.push(customIssue(context.value, problem));
  });
}

function customIssue(input: string, { expected, advice }: AddressProblem): z.core.$ZodRawIssue {
  return { code: "custom", input, message: expected, params: { advice } };
}

/** A value out of its range; `found` is what is shown of it, the value itself when absent. */
function rangeIssue(input: unknown, expected: string, found?: number): z.core.$ZodRawIssue {
  return { code: "custom", input, message: expected, params: { code: "bad-value", found } };
}

export const segmentSchema = z
  .strictObject({
    ipv4: network(4).optional().describe("IPv4 network of the segment, such as 198.18.0.0/24"),
    ipv6: network(6).optional().describe("IPv6 network of the segment, such as 2001:db8:1::/64"),
  })
  .describe("One segment: an Ethernet segment that carries frames between the nodes on it");

const fixedAddresses = z
  .record(reference, z.strictObject({ ipv4: address(4).optional(), ipv6: address(6).optional(), mac: mac.optional() }))
  .describe("Fixed addresses by segment; whatever is not given is assigned in the order of the file");

const gateway = reference.describe("The router behind which everything else lies; found by itself when there is one");

/** The kernel's sets keep nothing for longer than 49 days; measuring a lifetime takes 1.4 times as long. */
const LONGEST_LIFETIME = "600m";

const natObject = z.strictObject({
  preset: z.enum(NAT_PRESET_NAMES).optional().describe("The point to start from; other keys override it"),
  mapping: z.enum(NAT_BEHAVIOURS.mapping).optional().describe("RFC 4787 section 4.1"),
  filtering: z.enum(NAT_BEHAVIOURS.filtering).optional().describe("RFC 4787 section 5"),
  portAssignment: z.enum(NAT_BEHAVIOURS.portAssignment).optional().describe("RFC 4787 section 4.2"),
  parity: z.enum(NAT_BEHAVIOURS.parity).optional().describe("Even ports for even ones (RFC 4787 section 4.2.2); any"),
  ports: portRange.optional().describe("Outside ports to draw from, both ends included"),
  hairpinning: z.boolean().optional().describe("RFC 4787 REQ-9, with external source address and port"),
  udpLifetime: duration(LONGEST_LIFETIME).optional().describe("How long an idle UDP mapping lives (RFC 4787 REQ-5)"),
  refresh: z.enum(["outbound", "both"]).optional().describe("Which packets keep a mapping alive (RFC 4787 REQ-6)"),
  seed: z.int().min(0).max(0xffffffff).optional().describe("Makes drawn ports reproducible; follows the topology's"),
});
const nat = z
  .union([z.enum(["none", ...NAT_PRESET_NAMES]), natObject])
  .describe("IPv4 address translation: a preset, a point of RFC 4787, or none");

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
const firewall = z
  .union([z.enum(FIREWALL_PRESET_NAMES), firewallObject])
  .describe("What the middlebox lets through; `stateful` with address translation, `open` without");

const prefixTranslation = z
  .strictObject({
    ipv4: network(4).optional().describe("1:1 NAT: the network outside, as long as the one inside"),
    ipv6: network(6).optional().describe("NPTv6 (RFC 6296): the network outside, as long as the one inside"),
  })
  .describe(
    "A network outside in place of the one inside: each host has an address of its own there, and all its ports",
  );

const forward = z
  .strictObject({
    protocol: z.enum(FORWARD_PROTOCOLS),
    port: port.describe("Outside"),
    to: reference.describe("A node inside, or an IPv4 address"),
    toPort: port.optional().describe("Inside; the same port when absent"),
  })
  .describe("An outside port that stands for a socket inside for good, open to every remote address (static mapping)");

const router = z.strictObject({
  role: z.literal("router"),
  wan: reference.describe("The outside segment"),
  lan: z.union([reference, z.array(reference).min(1)]).describe("The inside segment, or several isolated ones"),
  nat: nat.optional(),
  forwards: z.array(forward).optional().describe("Port forwards through address translation"),
  prefixTranslation: prefixTranslation.optional(),
  firewall: firewall.optional(),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

const segments = z
  .union([reference, z.array(reference).min(1)])
  .describe("The segment it is attached to, or several, the preferred one first");

const homeAgent = z.strictObject({
  role: z.literal("home-agent"),
  on: segments,
  homePrefix: network(6).describe("The home network it serves, such as 2001:db8:a::/64"),
  address: address(6).optional().describe("Its own address in the home prefix; ::1 of it when absent"),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

const stunServer = z.strictObject({
  role: z.literal("stun-server"),
  on: reference.describe("The segment it is attached to, with a second address for NAT behaviour discovery (RFC 5780)"),
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
const mobileNode = z.strictObject({ role: z.literal("mobile-node"), ...mobileFields });
const correspondentNode = z.strictObject({ role: z.literal("correspondent-node"), ...mobileFields });

/** Only mobile nodes have a configurable consent interval, and a tunnel. */
const { consent, keepalive, ...stationaryAgentFields } = agentFields;

const stationaryNode = z.strictObject({
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

/** Text that a program receives: the kernel ends it at its first NUL. */
const programText = z.string().check(({ value, issues }) => {
  if (value.includes("\0")) issues.push(rangeIssue(value, "expected text without NUL, at which the kernel ends it"));
});

/** Octets of a host's arguments, and of its environment: the kernel takes 128 KiB at once (MAX_ARG_STRLEN). */
const MOST_PROGRAM_OCTETS = 100_000;

function checkProgramOctets({ value, issues }: z.core.ParsePayload): void {
  const octets = Buffer.byteLength(JSON.stringify(value));
  if (octets > MOST_PROGRAM_OCTETS)
    issues.push(rangeIssue(value, `expected at most ${MOST_PROGRAM_OCTETS} octets in all`, octets));
}

const variableName = text(/^[^=\0]+$/, "the name of a variable, without `=` and NUL");

const host = z.strictObject({
  role: z.literal("host"),
  on: reference.describe("The segment it is attached to"),
  image: z
    .string()
    .check(({ value, issues }) => {
      const problem = imageNameProblem(value);
      if (problem !== undefined) issues.push(rangeIssue(value, problem));
    })
    .describe("Any container image"),
  command: z
    .union([programText, z.array(programText)])
    .check(checkProgramOctets)
    .optional()
    .describe("Arguments, or one line for /bin/sh -c"),
  environment: z
    .record(variableName, z.union([programText, z.number(), z.boolean()]))
    .check(checkProgramOctets)
    .optional(),
  capabilities: z
    .array(z.enum(HOST_CAPABILITIES))
    .optional()
    .describe("Capabilities that the program has, capabilities(7) without CAP_; none when absent"),
  service: z
    .boolean()
    .optional()
    .describe(
      "A server: it runs until the testbed ends it, and must not end earlier. Other programs must end by themselves",
    ),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});

const share = text(SHARE_PATTERN, "a share from 0% to 100%, such as 0.5%");

/** tc counts a delay in 32 bits, which end at 274 s. */
const LONGEST_DELAY = "4m";

/** netem counts octets: a slower rate would be none at all. With the longest delay, faster ones overflow its queue. */
const SLOWEST_RATE = "8bit";
const FASTEST_RATE = "100gbit";

const rate = text(RATE_PATTERN, "a rate such as 20mbit or 256kbit").check(
  within(
    RATE_PATTERN,
    (value) => bitPerSecOf(value) >= bitPerSecOf(SLOWEST_RATE) && bitPerSecOf(value) <= bitPerSecOf(FASTEST_RATE),
    `a rate from ${SLOWEST_RATE} to ${FASTEST_RATE}; a loss of 100% stops everything`,
  ),
);

const impairmentFields = {
  delay: duration(LONGEST_DELAY).optional().describe("One-way delay"),
  jitter: duration(LONGEST_DELAY)
    .optional()
    .describe("Half width of an even spread around the delay; the order of packets is kept"),
  loss: share.optional().describe("Share of packets lost"),
  burst: z
    .number()
    .min(1)
    .max(10_000)
    .optional()
    .describe("Mean length of a run of losses; 1, independent losses, when absent"),
  duplicate: share.optional().describe("Share of packets that arrive twice"),
  reorder: share.optional().describe("Share of packets that overtake the others by skipping the delay"),
  rate: rate.optional().describe("Bits a second, Ethernet header included; packets wait in line for it"),
  queue: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Packets that may wait for the rate; more are lost; 1000 when absent"),
};
const impairment = z.strictObject(impairmentFields);

export const linkSchema = z
  .strictObject({
    ...impairmentFields,
    out: impairment.optional().describe("Only for what leaves the node; overrides what holds for both directions"),
    in: impairment.optional().describe("Only for what arrives at the node"),
  })
  .describe(
    "What happens to packets between a node and a segment, in both directions unless `out` or `in` says otherwise",
  );

const linkKey = text(/^[^/]+\/[^/]+$/, "<node>/<segment>, such as nat-a/internet");

export const sessionSchema = z.strictObject({
  from: reference.describe("The node that makes the offer"),
  to: reference,
  traffic: z.enum(TRAFFIC_KINDS).optional().describe("What runs between the home addresses; echo when absent"),
});

export const expectationSchema = z.strictObject({
  session: reference.describe("from-to, such as mn-cn"),
  path: z.enum(PATH_NAMES).optional(),
  selected: z
    .tuple([z.enum(CANDIDATE_TYPES), z.enum(CANDIDATE_TYPES)])
    .optional()
    .describe("Candidate types of the selected pair: local and remote, seen from the session's `from`"),
  within: duration(LONGEST_MOMENT)
    .optional()
    .describe("Offer to nomination; with `after`, from the event to data on its path"),
  roundTrip: duration(LONGEST_MOMENT).optional().describe("Median round trip of the data on the final path"),
  lost: z.int().min(0).optional().describe("At most this many data packets lost"),
  after: reference
    .optional()
    .describe("An event of the timeline: the other keys then say what holds from it on, until the next one"),
  outage: duration(LONGEST_MOMENT)
    .optional()
    .describe("Only with `after`: longest time in which no data packet was answered"),
});

export const timelineEventSchema = z
  .strictObject({
    at: duration(LONGEST_MOMENT).describe(
      "Counted from when every session has its path and has exchanged its first data",
    ),
    name: name.optional().describe("What `after` calls it; the kind of the event, such as reboot, when absent"),
    move: reference.optional().describe("A mobile or correspondent node, which leaves its segment for another one"),
    to: reference.optional().describe("Only with `move`: the segment"),
    deregister: reference
      .optional()
      .describe("A mobile or correspondent node, which takes its bindings away and can be reached no more"),
    reboot: reference.optional().describe("A router, which forgets its mappings and its flows"),
    link: linkKey.optional().describe("The end of a segment by <node>/<segment>, whose conditions change"),
    conditions: linkSchema
      .optional()
      .describe(
        "Only with `link`: what holds from then on in place of what held before; a loss of 100% breaks the link",
      ),
    down: duration("60m")
      .optional()
      .describe("Only with `reboot`: how long it lets nothing through; no longer than it takes"),
    ports: z
      .enum(["new", "same"])
      .optional()
      .describe("Only with `reboot`: whether drawn ports are drawn anew, which follows from the seed; new when absent"),
  })
  .describe("Something that happens during the run");

export const nodeSchema = z.discriminatedUnion("role", [
  router,
  homeAgent,
  stunServer,
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
  timeline: z.array(timelineEventSchema).optional().describe("What happens while data flows, each at its time"),
  expect: z.array(expectationSchema).optional(),
  seed: z.int().min(0).max(0xffffffff).optional().describe("All randomness of a run follows from it; 1 when absent"),
});

export type SegmentEntry = z.output<typeof segmentSchema>;
export type NodeEntry = z.output<typeof nodeSchema>;
export type RouterEntry = z.output<typeof router>;
export type HomeAgentEntry = z.output<typeof homeAgent>;
export type StunServerEntry = z.output<typeof stunServer>;
export type MobileEntry = z.output<typeof mobileNode> | z.output<typeof correspondentNode>;
export type StationaryEntry = z.output<typeof stationaryNode>;
export type HostEntry = z.output<typeof host>;
export type ImpairmentEntry = z.output<typeof impairment>;
export type LinkEntry = z.output<typeof linkSchema>;
export type SessionEntry = z.output<typeof sessionSchema>;
export type ExpectationEntry = z.output<typeof expectationSchema>;
export type TimelineEventEntry = z.output<typeof timelineEventSchema>;

/** JSON Schema of the file format, for editors; kept in `topologies/topology.schema.json`. */
export function topologyJsonSchema(): Record<string, unknown> {
  return { title: "M-ICE testbed topology", ...z.toJSONSchema(topologySchema, { io: "input" }) };
}
