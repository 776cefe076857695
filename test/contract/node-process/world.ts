/** An isolated test environment: network namespaces that run the real agent, and segments between them. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { NodeSetup } from "../../../agent/src/control/index.ts";
import { startSupervisor } from "../../../orchestrator/runtime/netns/supervisor.ts";
import { buildAgentBundle } from "../../../orchestrator/setup/bundle.ts";
import { type AgentProcess, watchAgent } from "./agent-process.ts";

export interface World {
  /** Runs a shell script as root outside the nodes and returns its output. Throws when it fails. */
  sh(script: string): Promise<string>;
  /** The same inside the network of a node. */
  shIn(node: string, script: string): Promise<string>;
  /** Creates a node's network with one interface per segment; their peers attach to a bridge named like the segment. */
  addNode(
    node: string,
    interfaces: readonly { readonly interfaceName: string; readonly bridge: string }[],
  ): Promise<void>;
  /** Starts a program in the network of a node; it is killed with the world at the latest. */
  spawnIn(node: string, command: readonly string[]): ChildProcessWithoutNullStreams;
  /**
   * Starts the agent in a node's network, with its own hosts and resolver files; `setup` is its first line, if present.
   */
  startAgent(node: string, options?: StartOptions): AgentProcess;
  /** Starts the agent outside any node's namespaces, as it would be on the machine itself. */
  startAgentOutside(setup: NodeSetup): AgentProcess;
  /** Ends all processes and removes the world. */
  end(): Promise<void>;
}

export interface StartOptions {
  readonly setup?: NodeSetup;
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that runs the agent, which is appended as its last arguments. */
  readonly by?: readonly string[];
  /** Previous contents of /etc/resolv.conf. */
  readonly resolverFile?: string;
  /** False leaves the machine's own files in place. */
  readonly hasOwnFiles?: boolean;
}

/** The bundle under test, built once per test file. */
export async function buildBundleUnderTest(): Promise<{
  readonly entry: string;
  readonly remove: () => Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), "mice-agent-"));
  const { entry } = await buildAgentBundle(directory);
  return { entry, remove: () => rm(directory, { recursive: true, force: true }) };
}

export async function createWorld(bundle: string): Promise<World> {
  const supervisor = await startSupervisor(new Map([["run", "node-process-test"]]));
  const sh = (script: string): Promise<string> => runToEnd(supervisor.enter(["sh", "-ec", script]));
  const inNode = (node: string, command: readonly string[]): readonly string[] =>
    supervisor.enter(["ip", "netns", "exec", node, ...command]);
  let nextIndex = 101;
  await sh("mkdir /run/files; ip link set lo up");

  return {
    sh,
    shIn: (node, script) => runToEnd(inNode(node, ["sh", "-ec", script])),
    async addNode(node, interfaces) {
      await sh(`ip netns add ${node}`);
      for (const { interfaceName, bridge } of interfaces) {
        const index = nextIndex++;
        await sh(`
          ip link add ${bridge} type bridge mcast_snooping 0 2> /dev/null || true
          ip link set ${bridge} addrgenmode none up
          ip link add name ${interfaceName} index ${index} netns ${node} type veth peer name p${index} index ${index + 1000}
          ip link set p${index} master ${bridge} addrgenmode none up`);
      }
    },
    spawnIn: (node, command) => spawn("nsenter", inNode(node, command), { stdio: "pipe" }),
    startAgent(node, { setup, environment = {}, by = [], resolverFile = "", hasOwnFiles = true } = {}) {
      const ownFiles = `printf '%s' '${resolverFile}' > /run/files/${node}.resolv; ${withOwnFiles(node)}`;
      const script = hasOwnFiles ? ownFiles : 'exec "$@"';
      return start(inNode(node, ["sh", "-ec", script, "sh", ...by, process.execPath, bundle]), setup, environment);
    },
    startAgentOutside(setup) {
      const script = `: > /run/files/world.resolv; ${withOwnFiles("world")}`;
      return start(supervisor.enter(["sh", "-ec", script, "sh", process.execPath, bundle]), setup, {});
    },
    end: () => supervisor.stop(),
  };
}

/** Runs the rest of the command line with /etc/hosts and /etc/resolv.conf replaced by files of the world. */
function withOwnFiles(name: string): string {
  return `
    : > /run/files/${name}.hosts
    mount --bind /run/files/${name}.resolv /etc/resolv.conf
    mount --bind /run/files/${name}.hosts /etc/hosts
    exec "$@"`;
}

function start(
  command: readonly string[],
  setup: NodeSetup | undefined,
  environment: Readonly<Record<string, string>>,
): AgentProcess {
  const child = spawn("nsenter", command, { stdio: "pipe", env: { PATH: process.env["PATH"], ...environment } });
  return watchAgent(child, setup);
}

async function runToEnd(command: readonly string[]): Promise<string> {
  const child = spawn("nsenter", command, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code !== 0) throw new Error(`exit code ${code}: ${command.slice(-1).join("")}\n${stderr}`);
  return stdout;
}
