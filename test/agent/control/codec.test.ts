import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AgentCommand,
  type AgentReport,
  CONTROL_VERSION,
  decodeCommand,
  decodeReport,
  decodeSetup,
  describeShapeError,
  encodeLine,
  type NodeSetup,
} from "../../../agent/src/control/index.ts";

const clock = { monotonicMs: 12.5, realMs: 1.7e12 };
const candidate = {
  type: "server-reflexive",
  address: { ip: "198.18.0.1", port: 4191 },
  base: { ip: "192.168.1.2", port: 4191 },
  priority: 1694498815,
} as const;
const pair = {
  local: candidate,
  remote: { type: "relayed", address: { ip: "2001:db8:b::2", port: 9 }, priority: 1 },
} as const;
const peer = "2001:db8:b::2";

const routerSetup: NodeSetup = {
  version: CONTROL_VERSION,
  node: "nat-a",
  interfaces: [
    {
      segment: "internet",
      interfaceName: "internet",
      find: { by: "address", address: "10.200.0.2" },
      mac: "02:00:00:00:00:01",
      addresses: ["198.18.0.1/24", "2001:db8::1/64"],
    },
    {
      segment: "home-lan",
      interfaceName: "home-lan",
      find: { by: "name", name: "eth1" },
      mac: "02:00:00:00:00:02",
      addresses: ["192.168.1.1/24"],
    },
  ],
  routes: [{ to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "internet" }],
  rules: [{ tool: "nft", text: "table ip mice {\n}\n" }],
  hosts: [{ address: "198.18.0.1", name: "nat-a" }],
  capture: true,
  role: { type: "router" },
};

const setups: readonly NodeSetup[] = [
  routerSetup,
  {
    ...routerSetup,
    interfaces: routerSetup.interfaces.map((iface) => ({
      ...iface,
      impairment: { out: { delayMs: 20, jitterMs: 2.5, lossRate: 0.01, lossBurst: 3 }, in: {}, seed: "0badcafe" },
    })),
  },
  { ...routerSetup, role: { type: "host" }, startsOn: "command" },
  { ...routerSetup, role: { type: "stun-server", listen: ["198.18.0.9"], alternate: ["198.18.0.254"] } },
  {
    ...routerSetup,
    role: {
      type: "home-agent",
      address: "2001:db8:a::1",
      homePrefix: "2001:db8:a::/64",
      listen: ["198.18.0.10", "2001:db8::10"],
      alternate: ["198.18.0.254", "2001:db8::fffe"],
      registrationKeys: { "2001:db8:a::2": "00ff" },
      tunMtu: 1400,
      seed: "00".repeat(32),
    },
  },
  {
    ...routerSetup,
    role: {
      type: "mobile-node",
      homeAddress: "2001:db8:a::2",
      homeAgent: { address: "2001:db8:a::1", listen: ["198.18.0.10"] },
      localAddresses: ["192.168.1.2"],
      port: 4191,
      profile: "ice16",
      timers: { freeDelayMs: 1000 },
      registrationKey: "00ff",
      tunMtu: 1400,
      seed: "00".repeat(32),
    },
    autostart: { connect: [peer] },
  },
];

const commands: readonly AgentCommand[] = [
  ...setups.map((setup) => ({ type: "setup", setup }) as const),
  { type: "start" },
  { type: "connect", peer },
  { type: "ping", id: 1, to: peer, count: 3, intervalMs: 100, timeoutMs: 1000 },
  { type: "echo", id: 2, to: peer, count: 3, intervalMs: 100, sizeBytes: 1200, timeoutMs: 1000 },
  {
    type: "probe",
    id: 3,
    local: "192.168.1.2",
    waitMs: 150,
    seed: "00ff",
    ports: [20000, 20001, 20002, 20003, 20004],
    server: { first: { ip: "198.18.0.2", port: 3478 }, second: { ip: "198.18.0.254", port: 3479 } },
  },
  {
    type: "probe-lifetime",
    id: 4,
    local: "192.168.1.2",
    waitMs: 150,
    seed: "00ff",
    server: { ip: "198.18.0.2", port: 3478 },
    refreshSilenceMs: 1400,
    silencesMs: [1000, 2000],
  },
  { type: "await-socket", id: 10, protocol: "tcp", port: 9000, waitMs: 30_000 },
  { type: "sniff", id: 9, protocol: "tcp", local: "192.168.1.2", marks: ["00ff", "00fe"], awaited: "00ff", waitMs: 60 },
  {
    type: "send-marks",
    id: 10,
    protocol: "udp",
    local: "198.18.0.2",
    marks: [{ to: { ip: "198.18.0.4", port: 4191 }, mark: "00ff" }],
  },
  { type: "start-flow", id: 5, to: peer, intervalMs: 20, sizeBytes: 200, timeoutMs: 1000 },
  { type: "stop-flow", flow: 5 },
  {
    type: "move",
    id: 7,
    to: [{ segment: "office-lan", addresses: ["192.168.1.2/24"] }],
    routes: [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "office-lan" }],
    localAddresses: ["192.168.1.2"],
  },
  { type: "deregister", id: 8 },
  { type: "reboot", id: 6, rules: [{ tool: "nft", text: "table ip mice {\n}\n" }], downMs: 500 },
  { type: "restart", id: 12, downMs: 500 },
  {
    ...{ type: "readdress", id: 13, segment: "internet", addresses: ["198.18.0.9/24"], overlapMs: 0 },
    ...{ rules: [], localAddresses: [] },
  },
  { type: "change-rules", id: 14, rules: [{ tool: "nft", text: "table ip mice {\n}\n" }] },
  { type: "impair-link", id: 11, segment: "internet", out: { delayMs: 20 }, in: { lossRate: 1 } },
  { type: "keep" },
  { type: "reset" },
  { type: "reuse", rules: [{ tool: "nft", text: "table ip t {\n}\n" }] },
  { type: "finish" },
];

const events: readonly (AgentReport & { type: "event" })["event"][] = [
  { type: "registration-sent", sequence: 1, careOf: candidate.address },
  { type: "registered", homeAddress: peer, careOf: candidate.address, natDetected: true, lifetimeSec: 600 },
  { type: "registration-failed", reason: "status 129" },
  {
    type: "binding-registered",
    homeAddress: peer,
    observed: candidate.address,
    careOf: "192.168.1.2",
    natDetected: true,
  },
  { type: "binding-removed", homeAddress: peer, reason: "expired" },
  { type: "candidate", peer, candidate },
  { type: "gathering-done", peer, candidates: 3 },
  { type: "offer-sent", peer, candidates: [candidate], isRestart: false },
  { type: "offer-received", peer, candidates: [], isRestart: true },
  { type: "answer-sent", peer, candidates: [candidate] },
  { type: "answer-received", peer, candidates: [candidate] },
  { type: "check-list", peer, role: "controlling", pairs: [pair], cut: { pairs: 206, candidates: 3 } },
  { type: "check-sent", peer, kind: "triggered", pair },
  { type: "check-succeeded", peer, pair, mapped: candidate.address, rttMs: 0.25 },
  { type: "check-failed", peer, pair, reason: "timeout" },
  { type: "check-refused", peer, pair, by: "198.18.0.1", reason: "port unreachable" },
  { type: "check-received", peer, from: candidate.address, local: candidate.base, nominating: true },
  { type: "peer-reflexive", peer, side: "remote", candidate },
  { type: "role-conflict", peer, role: "controlled" },
  { type: "pair-valid", peer, pair },
  { type: "nominated", peer, pair, afterMs: 88 },
  { type: "session-failed", peer, reason: "no pair" },
  { type: "binding-update-sent", peer, sequence: 7, careOf: "198.18.0.1" },
  { type: "binding-update-received", peer, sequence: 7, careOf: "198.18.0.1", status: 0 },
  { type: "binding-accepted", peer, sequence: 7, lifetimeSec: 420 },
  { type: "binding-rejected", peer, status: 136 },
  { type: "path", peer, path: "direct", pair },
  { type: "path", peer, path: "home-agents" },
  { type: "keepalive-sent", peer, pair },
  { type: "pair-dead", peer, pair, reason: "no-answer", silentMs: 14_500.5 },
];

const reports: readonly AgentReport[] = [
  { type: "hello", version: CONTROL_VERSION, pid: 1, nodeVersion: "v24.0.0", clock },
  { type: "ready" },
  { type: "ready", phasesMs: { network: 20.5 } },
  { type: "ready", links: [{ segment: "internet", direction: "in", applied: "netem" }] },
  ...events.map((event) => ({ type: "event", atMs: 1.25, event }) as const),
  { type: "reply", id: 1, result: { sent: 2, received: 1, duplicates: 0, rttMs: [0.1, null] } },
  { type: "probed", id: 3, observation: { type: "udp-blocked" } },
  { type: "probed", id: 3, observation: { type: "no-nat", filtering: "address-dependent" } },
  {
    type: "probed",
    id: 3,
    observation: {
      type: "nat",
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      hairpinning: false,
      portPreservation: true,
      parityPreservation: true,
      mapped: candidate.address,
    },
  },
  { type: "lifetime-probed", id: 4, observation: { aliveAfterMs: 1000, goneAfterMs: 2000, outboundRefresh: true } },
  { type: "heard", id: 9, datagrams: [{ mark: "00ff", port: 4191 }] },
  { type: "capture", segment: "internet", data: "1MOyoQ==" },
  {
    type: "flow",
    id: 5,
    packets: [
      { sentAtMs: 1000.25, rttMs: 1.5 },
      { sentAtMs: 1020, rttMs: null },
    ],
  },
  { type: "flow-ended", id: 5 },
  { type: "alive" },
  { type: "done", id: 6, atMs: 1012.5 },
  { type: "capture-done", segment: "internet", captured: 12, droppedByKernel: 0 },
  { type: "fatal", code: "leak", message: "route 0.0.0.0/0 dev eth0" },
  { type: "bye", clock, counters: { "udp.sent": 3 } },
  {
    type: "bye",
    clock,
    counters: {},
    links: [{ segment: "internet", direction: "out", applied: "user-space", counters: { delivered: 3, lost: 1 } }],
  },
];

describe("lines of the control channel", () => {
  test.each(commands)("a command comes out as it went in: $type", (command) => {
    const line = encodeLine(command);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(decodeCommand(line)).toEqual({ ok: true, value: command });
  });

  test.each(reports)("a report comes out as it went in: $type", (report) => {
    expect(decodeReport(encodeLine(report))).toEqual({ ok: true, value: report });
  });

  test("a set-up in the environment is the same value without its envelope", () => {
    for (const setup of setups) expect(decodeSetup(JSON.stringify(setup))).toEqual({ ok: true, value: setup });
  });

  test("fields that the contract does not have are left out", () => {
    const line = '{"type":"connect","peer":"2001:db8:b::2","__proto__":{"peer":"x"},"extra":1}';
    expect(decodeCommand(line)).toEqual({ ok: true, value: { type: "connect", peer } });
  });

  test("names that objects inherit are no fields", () => {
    const line = '{"type":"constructor"}';
    expect(decodeCommand(line).ok).toBe(false);
    expect(decodeReport('{"type":"bye","clock":{"monotonicMs":1,"realMs":1}}').ok).toBe(false);
  });
});

const refused: readonly { readonly what: string; readonly line: string; readonly error: string }[] = [
  { what: "no JSON", line: "hello", error: 'the value: expected one line of JSON, found "hello"' },
  { what: "no object", line: "[1]", error: "the value: expected an object, found a list" },
  {
    what: "an unknown type",
    line: '{"type":"explode"}',
    error:
      'type: expected one of setup, start, connect, ping, echo, probe, probe-lifetime, sniff, await-socket, send-marks, start-flow, stop-flow, move, deregister, reboot, kill, restart, readdress, change-rules, impair-link, keep, reset, reuse, finish, found "explode"',
  },
  { what: "a missing field", line: '{"type":"connect"}', error: "peer: expected an IP address, found nothing" },
  {
    what: "words that ping would take as options",
    line: '{"type":"ping","id":1,"to":"-f","count":1,"intervalMs":1,"timeoutMs":1}',
    error: 'to: expected an IP address, found "-f"',
  },
  {
    what: "a fraction where a count belongs",
    line: '{"type":"ping","id":1,"to":"::1","count":1.5,"intervalMs":1,"timeoutMs":1}',
    error: "count: expected an integer from 1 to 1000000, found 1.5",
  },
];

describe("a line that is no command", () => {
  test.each(refused)("is refused with its place: $what", ({ line, error }) => {
    const decoded = decodeCommand(line);
    expect(decoded.ok ? "accepted" : describeShapeError(decoded.error)).toBe(error);
  });

  const inSetup = (change: object): string => JSON.stringify({ type: "setup", setup: { ...routerSetup, ...change } });
  const iface = (change: object): string => inSetup({ interfaces: [{ ...routerSetup.interfaces[0], ...change }] });

  test.each([
    { what: "another version", line: inSetup({ version: 2 }), path: "setup.version" },
    {
      what: "a name with a newline for ip -batch",
      line: iface({ interfaceName: "a\nlink" }),
      path: "setup.interfaces[0].interfaceName",
    },
    {
      what: "a name that is too long",
      line: iface({ interfaceName: "a".repeat(16) }),
      path: "setup.interfaces[0].interfaceName",
    },
    {
      what: "an address that is more than an address",
      line: iface({ addresses: ["::1/64 dev x"] }),
      path: "setup.interfaces[0].addresses[0]",
    },
    { what: "no way to find an interface", line: iface({ find: { by: "luck" } }), path: "setup.interfaces[0].find.by" },
    {
      what: "a name to find that is none",
      line: iface({ find: { by: "name", name: "" } }),
      path: "setup.interfaces[0].find.name",
    },
    { what: "a MAC address that is none", line: iface({ mac: "02:00" }), path: "setup.interfaces[0].mac" },
    {
      what: "a host name with a newline for /etc/hosts",
      line: inSetup({ hosts: [{ address: "::1", name: "a\nb" }] }),
      path: "setup.hosts[0].name",
    },
    {
      what: "a link that loses more than everything",
      line: iface({ impairment: { out: { lossRate: 1.5 }, seed: "00000000" } }),
      path: "setup.interfaces[0].impairment.out.lossRate",
    },
    {
      what: "a link's seed that is none",
      line: iface({ impairment: { in: { delayMs: 1 }, seed: "x" } }),
      path: "setup.interfaces[0].impairment.seed",
    },
    { what: "an unknown role", line: inSetup({ role: { type: "king" } }), path: "setup.role.type" },
    { what: "half a role", line: inSetup({ role: { type: "home-agent" } }), path: "setup.role.address" },
  ])("a set-up is refused with the place: $what", ({ line, path }) => {
    const decoded = decodeCommand(line);
    expect(decoded.ok ? "accepted" : decoded.error.path).toBe(path);
  });

  test("arbitrary text never throws, in either direction", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        decodeCommand(text);
        decodeReport(text);
      }),
    );
  });

  test("a valid line with one value replaced never throws", () => {
    const lines = [...commands, ...reports].map((value) => encodeLine(value));
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.jsonValue(), fc.nat(), (line, value, at) => {
        const paths = leaves(JSON.parse(line) as unknown);
        const changed = replaceAt(JSON.parse(line) as unknown, paths[at % paths.length] ?? [], value);
        decodeCommand(JSON.stringify(changed));
        decodeReport(JSON.stringify(changed));
      }),
      { numRuns: 500 },
    );
  });
});

type Path = readonly (string | number)[];

function leaves(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]))];
}

function replaceAt(value: unknown, [head, ...rest]: Path, replacement: unknown): unknown {
  if (head === undefined) return replacement;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>;
  copy[head] = replaceAt(copy[head], rest, replacement);
  return copy;
}
