/**
 * Lines of the control channel. A value is encoded as one line of JSON; a line is decoded to a checked value or an
 * error. Neither side trusts the other: every field is checked, unknown fields are dropped, and nothing here throws.
 */

import { nodeEvent, socketAddress } from "./event-shapes.ts";
import { impairedLink, impairment, linkFigures } from "./link-shapes.ts";
import {
  type AgentCommand,
  type AgentReport,
  type ClockReading,
  type FlowPacket,
  type HeardDatagram,
  type MarkToSend,
  type NodeSetup,
  type SegmentPlace,
  SOCKET_PROTOCOLS,
  type TrafficResult,
} from "./messages.ts";
import { lifetimeObservation, natObservation } from "./observation-shapes.ts";
import { nodeSetup, prefix, routes, rules } from "./setup-shapes.ts";
import {
  array,
  boolean,
  type Checked,
  integer,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  string,
  text,
  unionByType,
} from "./shape.ts";

/** A value as one line, with its newline. */
export function encodeLine(value: AgentCommand | AgentReport): string {
  return `${JSON.stringify(value)}\n`;
}

/** Decodes a line from the orchestrator. */
export function decodeCommand(line: string): Checked<AgentCommand> {
  return decodeJson(line, command);
}

/** Decodes a line from a node. */
export function decodeReport(line: string): Checked<AgentReport> {
  return decodeJson(line, report);
}

/** Decodes a set-up from the environment of a node that is started by hand. */
export function decodeSetup(json: string): Checked<NodeSetup> {
  return decodeJson(json, nodeSetup);
}

const MAX_COUNT = 1_000_000;
/** A day: nothing in a lab waits longer. */
const MAX_MS = 86_400_000;

const id = integer(0, Number.MAX_SAFE_INTEGER);
const count = integer(0, MAX_COUNT);
const address = text(/^[0-9A-Fa-f:.]+$/, "an IP address");
const clock: Shape<ClockReading> = object({ monotonicMs: number, realMs: number });
const traffic = {
  id,
  to: address,
  count: integer(1, MAX_COUNT),
  intervalMs: integer(1, MAX_MS),
  timeoutMs: integer(1, MAX_MS),
};

/** At least a sequence number, at most the UDP payload over IPv6 (65535 - 8). */
const payloadBytes = integer(8, 65527);

const hex = text(/^([0-9A-Fa-f]{2})+$/, "octets in hex");
const mark = hex;
const probe = { id, local: address, waitMs: integer(1, MAX_MS), seed: hex };

const command: Shape<AgentCommand> = unionByType<AgentCommand>({
  setup: object({ setup: nodeSetup }),
  start: object<object>({}),
  connect: object({ peer: address }),
  ping: object(traffic),
  echo: object({ ...traffic, sizeBytes: payloadBytes }),
  probe: object({
    ...probe,
    ports: array(integer(1, 0xffff)),
    server: object({ first: socketAddress, second: socketAddress }),
  }),
  "probe-lifetime": object({
    ...probe,
    server: socketAddress,
    silencesMs: array(integer(1, MAX_MS)),
    refreshSilenceMs: integer(1, MAX_MS),
  }),
  sniff: object({
    id,
    protocol: oneOf(...SOCKET_PROTOCOLS),
    local: address,
    marks: array(mark),
    awaited: mark,
    waitMs: integer(1, MAX_MS),
  }),
  "await-socket": object({
    ...{ id, protocol: oneOf(...SOCKET_PROTOCOLS), port: integer(1, 0xffff), waitMs: integer(1, MAX_MS) },
  }),
  "send-marks": object({
    id,
    protocol: oneOf(...SOCKET_PROTOCOLS),
    local: address,
    marks: array(object<MarkToSend>({ to: socketAddress, mark })),
  }),
  "start-flow": object({
    id,
    to: address,
    intervalMs: integer(1, MAX_MS),
    sizeBytes: payloadBytes,
    timeoutMs: integer(1, MAX_MS),
  }),
  "stop-flow": object({ flow: id }),
  move: object({
    ...{ id, routes, localAddresses: array(address) },
    to: array(object<SegmentPlace>({ segment: string, addresses: array(prefix) })),
  }),
  deregister: object({ id }),
  reboot: object({ id, rules, downMs: integer(0, MAX_MS) }),
  kill: object({ id }),
  restart: object({ id, downMs: integer(0, MAX_MS) }),
  readdress: object({
    ...{ id, segment: string, addresses: array(prefix), overlapMs: integer(0, MAX_MS) },
    ...{ rules, localAddresses: array(address) },
  }),
  "change-rules": object({ id, rules }),
  "impair-link": object({ id, segment: string, out: impairment, in: impairment }),
  keep: object<object>({}),
  reset: object<object>({}),
  reuse: object({ rules }),
  finish: object<object>({}),
});

const trafficResult: Shape<TrafficResult> = object({
  sent: count,
  received: count,
  duplicates: count,
  rttMs: array(nullable(number)),
});

const report: Shape<AgentReport> = unionByType<AgentReport>({
  hello: object({ version: number, pid: number, nodeVersion: string, clock }),
  ready: object<Omit<Extract<AgentReport, { type: "ready" }>, "type">>({
    phasesMs: optional(record(number)),
    links: optional(array(impairedLink)),
  }),
  alive: object<object>({}),
  event: object({ atMs: number, event: nodeEvent }),
  reply: object({ id, result: trafficResult }),
  probed: object({ id, observation: natObservation }),
  "lifetime-probed": object({ id, observation: lifetimeObservation }),
  heard: object({ id, datagrams: array(object<HeardDatagram>({ mark, port: integer(0, 0xffff) })) }),
  "socket-awaited": object({ id, isThere: boolean }),
  flow: object({ id, packets: array(object<FlowPacket>({ sentAtMs: number, rttMs: nullable(number) })) }),
  "flow-ended": object({ id }),
  done: object({ id, atMs: number }),
  capture: object({ segment: string, data: text(/^[A-Za-z0-9+/]*={0,2}$/, "base64") }),
  "capture-done": object({ segment: string, captured: number, droppedByKernel: number }),
  fatal: object({ code: string, message: string }),
  bye: object<Omit<Extract<AgentReport, { type: "bye" }>, "type">>({
    clock,
    counters: record(number),
    links: optional(array(linkFigures)),
  }),
});

function decodeJson<T>(json: string, shape: Shape<T>): Checked<T> {
  const value = parseJson(json);
  return value === undefined
    ? { ok: false, error: { path: "", expected: "one line of JSON", found: excerpt(json) } }
    : shape(value, "");
}

/** The value; undefined (which JSON cannot express) for text that is not JSON. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function excerpt(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 57)}…` : line);
}
