/** A topology's segments, routers and hosts in network namespaces, with UDP sockets on any node and no agents. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { networkBatch } from "../../../agent/src/io/network/network-plan.ts";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import type { NodeSpec } from "../../../orchestrator/plan/plan.ts";
import { renderRules } from "../../../orchestrator/render/rules.ts";
import { startSupervisor } from "../../../orchestrator/runtime/netns/supervisor.ts";
import { bridgeBatch, nodeBatch, sysctlWrites } from "../../../orchestrator/runtime/netns/wiring.ts";
import { formatIssue } from "../../../orchestrator/topology/file/issue.ts";
import type { ResolvedRouter } from "../../../orchestrator/topology/model/resolved.ts";
import { loadTopology } from "../../../orchestrator/topology/resolve/load.ts";

export interface NatWorld {
  /** A router of the topology, as resolved. */
  router(name: string): ResolvedRouter;
  /** Reloads a router's rules for this variant of it. */
  reload(router: ResolvedRouter): Promise<void>;
  /** Opens a UDP socket on a node. */
  open(node: string, ip: string, port: number): Promise<UdpPort>;
  /** Runs a shell script in a node and returns its output. */
  shIn(node: string, script: string): Promise<string>;
  end(): Promise<void>;
}

/** A UDP socket on a node. */
export interface UdpPort {
  readonly ip: string;
  readonly port: number;
  /** Sends at once, or at an instant of the shared monotonic clock in nanoseconds, accurate to about a microsecond. */
  send(to: { readonly ip: string; readonly port: number }, text: string, atNs?: bigint): void;
  /** The source of a text, once it has arrived; rejects after a timeout. */
  source(text: string): Promise<{ readonly ip: string; readonly port: number }>;
  /** Whether a text has arrived. */
  has(text: string): boolean;
}

/** How long an expected packet may take on a busy machine. */
const TIMEOUT_MS = 2000;

/** Builds the lab of a topology file. */
export async function createNatWorld(yaml: string): Promise<NatWorld> {
  const loaded = loadTopology(yaml, "box-rules.yaml");
  if (!loaded.ok) throw new Error(loaded.issues.map(formatIssue).join("\n"));
  const plan = buildPlan(loaded.topology, { capture: false });
  const supervisor = await startSupervisor(new Map([["run", "nat-rules-test"]]));
  const enter = (node: string | undefined, command: readonly string[]): readonly string[] =>
    supervisor.enter(node === undefined ? command : ["nsenter", `--net=/run/netns/${node}`, "--", ...command]);
  const run = (node: string | undefined, command: readonly string[], input = ""): Promise<string> =>
    runToEnd(enter(node, command), input);
  await run(undefined, ["ip", "-batch", "-"], bridgeBatch(plan.segments) + nodeBatch(plan.segments, plan.nodes));
  await Promise.all(plan.nodes.map((node) => settle(node, run)));
  const programs = new Map<string, EndpointProgram>();
  const programOf = (node: string): EndpointProgram => {
    const program = programs.get(node) ?? startProgram(enter(node, [process.execPath, PROGRAM]));
    programs.set(node, program);
    return program;
  };
  const load = (node: string, rules: ReturnType<typeof renderRules>): Promise<void> =>
    Promise.all(rules.map(({ tool, text: rule }) => run(node, LOADERS[tool], rule))).then(() => undefined);
  await Promise.all(plan.nodes.map(({ name, setup }) => load(name, setup.rules)));
  return {
    router: (name) => {
      const node = loaded.topology.nodes.find((candidate) => candidate.name === name);
      if (node?.role !== "router") throw new Error(`${name} is no router`);
      return node;
    },
    reload: (router) => load(router.name, renderRules(router)),
    open: (node, ip, port) => programOf(node).open(ip, port),
    shIn: (node, script) => run(node, ["sh", "-ec", script]),
    end: () => supervisor.stop(),
  };
}

const LOADERS = {
  iptables: ["iptables-restore", "-w"],
  ip6tables: ["ip6tables-restore", "-w"],
  nft: ["nft", "-f", "-"],
};

const PROGRAM = fileURLToPath(new URL("udp-endpoint.ts", import.meta.url));

/** Configures a node's sysctls, addresses and routes as the agent would, without home addresses. */
async function settle(
  { name, sysctls, setup }: NodeSpec,
  run: (node: string, command: readonly string[], input?: string) => Promise<string>,
): Promise<void> {
  const writes = sysctlWrites(sysctls).map(([path, value]) => `[ -e ${path} ] && echo ${value} > ${path}\n`);
  await run(name, ["sh", "-c", `${writes.join("")}true`]);
  const interfaces = setup.interfaces.map((iface) => ({
    ...iface,
    find: { by: "name", name: iface.interfaceName } as const,
  }));
  const found = interfaces.map((iface) => ({ iface, currentName: iface.interfaceName }));
  await run(name, ["ip", "-batch", "-"], networkBatch({ ...setup, interfaces, role: { type: "host" } }, found));
}

interface EndpointProgram {
  open(ip: string, port: number): Promise<UdpPort>;
}

function startProgram(command: readonly string[]): EndpointProgram {
  const child = spawn("nsenter", command, { stdio: ["pipe", "pipe", "inherit"] });
  const opened = new Map<string, () => void>();
  const got = new Map<string, { readonly ip: string; readonly port: number }>();
  const awaited = new Map<string, () => void>();
  const say = (...words: readonly (string | number)[]): void => void child.stdin.write(`${JSON.stringify(words)}\n`);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [verb, key, ip, port, message] = JSON.parse(line) as [string, string, string, number, string];
    if (verb === "open") opened.get(key)?.();
    else {
      got.set(`${key} ${message}`, { ip, port });
      awaited.get(`${key} ${message}`)?.();
    }
  });
  return {
    async open(ip, port) {
      const key = `${ip} ${port}`;
      await new Promise<void>((resolve) => {
        opened.set(key, resolve);
        say("open", key, ip, port);
      });
      return {
        ip,
        port,
        send: (to, message, atNs) =>
          say("send", key, to.ip, to.port, message, ...(atNs === undefined ? [] : [Number(atNs)])),
        has: (message) => got.has(`${key} ${message}`),
        source: async (message) => {
          const name = `${key} ${message}`;
          if (!got.has(name)) await arrival(name, awaited);
          const source = got.get(name);
          if (source === undefined) throw new Error(`"${message}" did not come to ${key}`);
          return source;
        },
      };
    },
  };
}

async function arrival(name: string, awaited: Map<string, () => void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    awaited.set(name, resolve);
    timer = setTimeout(resolve, TIMEOUT_MS);
  });
  clearTimeout(timer);
}

async function runToEnd(command: readonly string[], input: string): Promise<string> {
  const child = spawn("nsenter", command, { stdio: "pipe" });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.stdin.on("error", () => undefined).end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code !== 0) throw new Error(`exit code ${code}: ${command.join(" ")}\n${stderr}`);
  return stdout;
}
