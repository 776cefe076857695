/**
 * The result of a run as in `result.json`: one schema defines the type, the published JSON Schema
 * (`result.schema.json`) and the check in tests. Fields are only added while `schema` stays the same.
 */

import {
  CANDIDATE_TYPES,
  IMPAIRERS,
  type Impairment,
  LINK_DIRECTIONS,
  NAT_BEHAVIOURS,
  OBSERVED_BEHAVIOURS,
  SOCKET_PROTOCOLS,
} from "@testbed/agent/control";
import * as z from "zod";
import { EFFECT_PATHS } from "../judge/event-effect.ts";
import { SESSION_STATES } from "../judge/session-observation.ts";
import { EXPECTATION_VERDICTS, VERDICTS } from "../judge/verdict.ts";
import { INBOUND_KINDS } from "../plan/inbound-probe-plan.ts";
import { PROGRAM_LIMIT_NAMES } from "../runtime/runtime.ts";
import { RUNTIME_NAMES } from "../runtime/runtime-name.ts";
import { PATH_NAMES, TIME_KEYS } from "../topology/model/words.ts";
import { behaviourFields } from "./behaviour-schema.ts";
import { capturedFields, effectFigures } from "./effect-schema.ts";
import { flowResultSchema } from "./flow-schema.ts";

/** Value of a result's `schema` field. */
export const RESULT_SCHEMA_VERSION = 2;

const milliseconds = z.number().min(0).describe("milliseconds, with a fraction");
const count = z.int().min(0);
const candidateType = z.enum(CANDIDATE_TYPES);
const pathName = z.enum(PATH_NAMES);
const effectPath = z.enum(EFFECT_PATHS);

const pairTypes = z.tuple([candidateType, candidateType]);

const candidate = z.strictObject({
  type: candidateType,
  address: z.string().describe("IP address, IPv6 in the form of RFC 5952"),
  port: z.int().min(0).max(65_535),
  priority: z.number().min(0),
});

const pair = z.strictObject({ local: candidate, remote: candidate });

const checks = z.strictObject({
  sent: count.describe("Binding requests, without retransmissions of the same transaction"),
  answered: count,
  failed: count,
  cutPairs: count.describe("pairs left out of the check list, which holds 100: the least useful ones"),
  cutCandidates: count.describe("candidates of the peer that made no pair, beyond 32"),
});

const traffic = z.strictObject({
  sent: count,
  received: count,
  duplicates: count,
  roundTripMs: milliseconds.optional().describe("median"),
});

const outage = z.strictObject({
  ...effectFigures,
  event: z
    .string()
    .describe(
      "name of the event; it answers for the packets sent until the next one, and what that one lost is that one's",
    ),
  selected: pair.optional().describe("the last nominated pair, seen from `from`; absent when the data is not on it"),
  roundTripMs: milliseconds.optional().describe("median round trip of data from then on"),
  ...capturedFields,
});

const session = z.strictObject({
  name: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.enum(SESSION_STATES),
  path: pathName.describe("the way of the data as the session was set up, proven by data that came back"),
  selected: pair.optional().describe("the nominated pair, seen from `from`"),
  nominatedAfterMs: milliseconds.optional().describe("from the offer to the nomination, at `from`"),
  settledAfterMs: milliseconds.optional().describe("from the offer until both ends use the selected path"),
  checks: checks.describe("of `from`"),
  peerChecks: checks.describe("of `to`"),
  refusals: z
    .array(
      z.strictObject({
        node: z.string().describe("whose check it was"),
        pair: pair.describe("seen from that node"),
        by: z.string().describe("IP address of who refused: a middlebox on the way, the other end, or the node itself"),
        reason: z.string().describe("what ICMP said, in words"),
      }),
    )
    .describe("checks that ICMP refused; a later one of the same pair may have succeeded"),
  candidates: z.array(candidate).describe("of `from`, in the order of finding"),
  peerCandidates: z.array(candidate).describe("of `to`, in the order of finding"),
  pingBeforeIce: traffic.optional().describe("through both home agents, before any check"),
  ping: traffic.optional().describe("on the final path"),
  echo: traffic.optional().describe("UDP on the final path"),
  roundTripMs: milliseconds.optional().describe("median round trip of data on the final path"),
  lost: count.describe("data packets without an answer"),
  outages: z.array(outage).describe("what came of each event of the timeline, in the order of happening"),
  failure: z.string().optional(),
});

const natBehaviour = z.strictObject({
  ...behaviourFields(NAT_BEHAVIOURS),
  mappingsPerHost: count.optional(),
  mappingsPerSecond: count.optional(),
  blockSize: count.optional(),
});

const observed = behaviourFields(OBSERVED_BEHAVIOURS);
const observation = z.strictObject({
  type: z.enum(["nat", "no-nat", "udp-blocked"]),
  ...z.strictObject(observed).partial().shape,
  mapping: observed.mapping.optional().describe("absent where too little comes through to tell"),
  parityPreservation: observed.parityPreservation
    .optional()
    .describe("`expected`: where it is declared; `observed`: of every port seen"),
  mapped: z
    .strictObject({ address: z.string(), port: z.int() })
    .optional()
    .describe("outside address towards the server"),
  furtherAddresses: z.array(z.string()).optional().describe("others of the same socket towards other destinations"),
});

const probe = z.strictObject({
  lan: z.string().describe("segment that the probe came from"),
  node: z.string().describe("who asked"),
  server: z.string().describe("whom it asked"),
  ipVersion: z.union([z.literal(4), z.literal(6)]),
  through: z.array(z.string()).describe("middleboxes on the way, inmost first: they are seen together"),
  expected: observation.describe("what the model says of the middleboxes as declared"),
  observed: observation,
  differences: z.array(z.string()),
  attempts: count.describe("how often it was asked until silence could be believed"),
  lifetime: z
    .strictObject({
      declaredSec: z.number(),
      aliveAfterMs: milliseconds.optional().describe("the longest silence that a mapping survived"),
      goneAfterMs: milliseconds.optional().describe("the shortest silence that one did not"),
      outboundRefresh: z.boolean().optional().describe("whether a packet from inside kept one alive"),
      inboundRefresh: z.boolean().optional().describe("whether a packet from outside did"),
    })
    .optional()
    .describe("only where lifetimes were measured"),
});

const wayIn = z.strictObject({
  kind: z.enum(INBOUND_KINDS),
  protocol: z.enum(SOCKET_PROTOCOLS),
  from: z.string().describe("who sent"),
  destination: z.strictObject({ address: z.string(), port: z.int() }).describe("where it was sent to"),
  target: z.strictObject({ node: z.string(), port: z.int() }).describe("where it must arrive"),
  ipVersion: z.union([z.literal(4), z.literal(6)]),
  reachedPort: z.int().optional().describe("port of the target that it came to; absent when it did not come"),
  closedPort: z.int().optional().describe("a port of the same address that must lead nowhere"),
  closedReachedPort: z.int().optional().describe("port of the target that a datagram to the closed port came to"),
  differences: z.array(z.string()),
  attempts: count.describe("how often it was tried until silence could be believed"),
});

const router = z.strictObject({
  name: z.string(),
  declared: natBehaviour.optional().describe("RFC 4787; absent for a middlebox that does not translate"),
  observed: natBehaviour
    .partial()
    .optional()
    .describe("what a probe saw of this middlebox alone; absent when none went through it alone"),
  agrees: z.boolean().optional().describe("whether every probe through it saw what it had to; absent without probes"),
  probes: z.array(probe).describe("from inside of its LANs"),
  inbound: z.array(wayIn).describe("forwards, pinholes and open prefixes, tried from outside"),
  notProbed: z
    .array(z.string())
    .describe("LANs that no probe came from, and ways in that none shows, each with the reason"),
  dropped: z
    .record(z.string(), count)
    .optional()
    .describe("packets that would have made a mapping over a limit, by its key; absent where there is no limit"),
});

const ofSession = {
  subject: z.strictObject({
    session: z.string(),
    after: z.string().optional().describe("the event of the timeline that it is about; absent for the set-up"),
  }),
};

const ofHost = {
  subject: z.strictObject({
    host: z.string(),
    after: z.string().optional().describe("the event of the timeline that it is about; absent for its start"),
  }),
};

const judged = {
  verdict: z
    .enum(EXPECTATION_VERDICTS)
    .describe("`undetermined`: the next event came too soon to tell; such an expectation does not fail the run"),
  source: z
    .string()
    .describe(
      "`file:line`; `predicted` where the file expects nothing of the session; `every host` for exit codes, `service` for services",
    ),
};

/** An exact expectation carries `expected`, an upper limit `limit` and `unit`. */
const expectation = z.discriminatedUnion("key", [
  z
    .strictObject({
      ...ofSession,
      key: z.literal("path"),
      expected: pathName,
      observed: effectPath,
      failure: z.string().optional().describe("why the session got no further"),
      predicted: pathName.optional(),
      ...judged,
    })
    .describe("the path of the data"),
  z
    .strictObject({
      ...ofSession,
      key: z.literal("selected"),
      expected: pairTypes,
      observed: pairTypes.optional().describe("absent when no pair was nominated"),
      predicted: pairTypes.optional().describe("absent when timing decides"),
      ...judged,
    })
    .describe("candidate types of the selected pair: local and remote, seen from the session's `from`"),
  z
    .strictObject({
      subject: z.union([ofSession.subject, ofHost.subject]),
      key: z.enum(TIME_KEYS),
      limit: milliseconds,
      observed: milliseconds.optional().describe("absent when it never came to that"),
      unit: z.literal("ms"),
      ...judged,
    })
    .describe(
      "`within`: from the offer to the nomination, with `after` from the event to data on its path, of a host from its start or the event until what is expected of it; `outage`: the longest time without data; `roundTrip`: the median of the data",
    ),
  z
    .strictObject({
      ...ofSession,
      key: z.literal("lost"),
      limit: count,
      observed: count.optional().describe("absent when nothing was sent"),
      sent: count,
      unit: z.literal("packets"),
      ...judged,
    })
    .describe("data packets without an answer, of those sent in both directions"),
  z
    .strictObject({
      ...ofHost,
      key: z.literal("exit"),
      expected: z
        .union([z.int(), z.array(z.int()), z.literal("any")])
        .describe("a code, several of which one is expected, or `any`: it has to end by itself"),
      observed: z.int().optional().describe("absent when it had not ended by itself, and the testbed ended it"),
      ...judged,
    })
    .describe("exit code of a host's program"),
  z
    .strictObject({
      ...ofHost,
      key: z.literal("output"),
      expected: z.string().describe("text of a line, or a regular expression between slashes"),
      observed: z.string().optional().describe("the first such line; absent when there was none"),
      ...judged,
    })
    .describe("a line of the output of a host's program"),
  z
    .strictObject({
      ...ofHost,
      key: z.literal("service"),
      observed: z.int().optional().describe("exit code, when it ended earlier"),
      ...judged,
    })
    .describe("a host's program that is a service runs until the testbed ends it"),
]);

const prediction = z.strictObject({
  session: z.string(),
  after: z.string().optional().describe("the event of the timeline after which it holds"),
  path: pathName,
  selected: pairTypes.optional(),
  why: z.string(),
});

const capture = z.strictObject({
  segment: z.string().describe("interface name in `capture.pcapng`"),
  packets: count,
  octets: count,
  droppedByKernel: count,
});

const impairment = z
  .strictObject({
    delayMs: milliseconds,
    jitterMs: milliseconds,
    lossRate: z.number(),
    lossBurst: z.number(),
    duplicateRate: z.number(),
    reorderRate: z.number(),
    rateBitPerSec: z.number(),
    queuePackets: count,
    corruptRate: z.number(),
    limits: z.strictObject({ mtuOctets: count, isSilent: z.boolean(), dropsFragments: z.boolean() }).partial(),
  } satisfies Readonly<Record<keyof Impairment, z.ZodType>>)
  .partial();

const link = z.strictObject({
  link: z.string().describe("`<node>/<segment>`, as in the topology file"),
  direction: z.enum(LINK_DIRECTIONS).describe("leaving the node, or arriving at it"),
  impairment: impairment.describe("what was asked for at the start; shares from 0 to 1"),
  changes: z
    .array(z.strictObject({ event: z.string(), impairment: impairment }))
    .describe("what it became with which event of the timeline, in the order of happening"),
  applied: z
    .enum(IMPAIRERS)
    .optional()
    .describe(
      "by the kernel, or by the node's own process where the kernel cannot; absent when the run did not get there",
    ),
  counters: z
    .record(z.string(), count)
    .optional()
    .describe(
      "packets of the whole run `delivered` and `lost`, and what else is told apart; absent when it ended early",
    ),
});

/** What ended a host's program. */
const HOST_ENDS = ["itself", "testbed"] as const;

const host = z.strictObject({
  name: z.string(),
  source: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("image"), image: z.string() }),
      z.strictObject({ type: z.literal("build"), folder: z.string() }),
      z.strictObject({ type: z.literal("machine") }),
    ])
    .describe("an image, an image built from a folder, or a program of the machine"),
  command: z.array(z.string()).optional().describe("its arguments; absent for those of the image"),
  exitCode: z.int().optional().describe("absent while it was still running at the end"),
  endedBy: z
    .enum(HOST_ENDS)
    .optional()
    .describe("whether its program ended by itself or was ended with the lab; absent while it runs in a kept one"),
  service: z.boolean().optional().describe("whether it was to run until the testbed ends it"),
  exceeded: z
    .array(z.enum(PROGRAM_LIMIT_NAMES))
    .optional()
    .describe("limits that its program has run into; absent for none, and where the runtime cannot tell"),
  startedAtMs: milliseconds.optional().describe("counted from the first thing that was recorded, as all three"),
  readyAtMs: milliseconds.optional(),
  endedAtMs: milliseconds.optional(),
  said: z
    .strictObject({ path: z.string().optional(), local: z.string().optional(), remote: z.string().optional() })
    .optional()
    .describe("what its program said last of its own path, in a line `MICE {…}` of its output"),
  lastLines: z.array(z.string()).describe("of its output; all of it is under logs/"),
});

export const runResultSchema = z
  .strictObject({
    schema: z.literal(RESULT_SCHEMA_VERSION),
    runId: z.string(),
    topology: z.string(),
    summary: z.string(),
    runtime: z.enum(RUNTIME_NAMES),
    seed: z.int(),
    startedAt: z.iso.datetime(),
    verdict: z.enum(VERDICTS),
    durationMs: milliseconds.describe("of the whole process until this file was written"),
    phasesMs: z.record(z.string(), milliseconds).describe("where the time went; phases may overlap"),
    sessions: z.array(session).describe("as they were set up; `outages` tells of what happened to them afterwards"),
    flows: z.array(flowResultSchema).describe("between hosts, as the captures show them"),
    timeline: z
      .array(z.strictObject({ event: z.string(), nodes: z.array(z.string()), text: z.string(), atMs: milliseconds }))
      .describe("what happened to whom, counted from the first thing that was recorded"),
    routers: z.array(router),
    links: z.array(link).describe("each direction of a link that has a condition"),
    hosts: z.array(host),
    expectations: z.array(expectation),
    predicted: z.array(prediction),
    captures: z.array(capture),
    counters: z
      .record(z.string(), z.record(z.string(), z.number()))
      .describe("of every node's protocol machine, by node and name"),
    environment: z.strictObject({
      kernel: z.string(),
      engine: z.string().optional(),
      node: z.string().describe("version of Node.js that ran the program"),
      capabilities: z.record(z.string(), z.union([z.boolean(), z.string()])),
    }),
    leftovers: z.array(z.string()).describe("what could not be removed, each with the cure"),
    error: z
      .strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() })
      .optional()
      .describe("why the run could not be carried through; only with verdict `error`"),
  })
  .meta({ title: "Result of a testbed run", id: "result" });

export type RunResult = z.infer<typeof runResultSchema>;
export type SessionResult = RunResult["sessions"][number];
export type FlowResult = RunResult["flows"][number];
export type OutageResult = SessionResult["outages"][number];
export type CandidateResult = SessionResult["candidates"][number];
export type ExpectationResult = RunResult["expectations"][number];
export type HostResult = RunResult["hosts"][number];
export type LinkResult = RunResult["links"][number];
export type RouterResult = RunResult["routers"][number];
export type ProbeResult = RouterResult["probes"][number];
export type WayInResult = RouterResult["inbound"][number];

/** The published JSON Schema, as the text of `result.schema.json`. */
export function resultSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(runResultSchema), null, 2)}\n`;
}
