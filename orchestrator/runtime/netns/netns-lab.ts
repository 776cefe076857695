/** One lab of network namespaces: segments made by `ip -batch`, nodes as processes under the lab's supervisor. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { AgentCommand, NodeSetup } from "@testbed/agent/control";
import type { NodeSpec, ProgramSpec, SegmentSpec, UnboundSetup } from "../../plan/plan.ts";
import { TestbedError } from "../../support/errors.ts";
import { searchPath } from "../../support/search-path.ts";
import { createBoundedLog } from "../bounded-log.ts";
import { readLines } from "../read-lines.ts";
import type { DestroyReport, NodeExit, NodeHandle, ProgramHandle, RunIdentity, RuntimeLab } from "../runtime.ts";
import { runWithInput } from "./run-with-input.ts";
import { type Supervisor, startSupervisor, supervisorLabels } from "./supervisor.ts";
import { bridgeBatch, nodeBatch, sysctlWrites } from "./wiring.ts";

/** How many of a node's last log lines an error carries. */
const LOG_TAIL_LINES = 20;

/** Starts a lab whose nodes run `agentCommand`. Nothing new is made once `signal` is aborted. */
export function createNetnsLab(
  identity: RunIdentity,
  signal: AbortSignal,
  agentCommand: readonly string[],
): RuntimeLab {
  let supervisor: Promise<Supervisor> | undefined;
  let isDestroyed = false;
  let segments: readonly SegmentSpec[] = [];
  const nodes = new Map<string, NodeSpec>();
  const handles: NodeHandle[] = [];

  const inLab = async (): Promise<Supervisor> => {
    signal.throwIfAborted();
    if (isDestroyed) throw new TestbedError("interrupted", "the lab is being removed");
    return (supervisor ??= startSupervisor(supervisorLabels(identity)));
  };

  return {
    async createSegments(specs) {
      segments = [...segments, ...specs];
      await ipBatch(await inLab(), bridgeBatch(specs));
    },
    async createNodes(specs) {
      for (const spec of specs) nodes.set(spec.name, spec);
      await ipBatch(await inLab(), nodeBatch(segments, specs));
    },
    async startNode(name) {
      const spec = nodes.get(name);
      if (spec === undefined) throw new Error(`startNode before createNodes: ${name}`);
      const child = spawnIn(await inLab(), name, nodeScript(spec), agentCommand);
      child.stdin.write(`${JSON.stringify({ type: "setup", setup: boundSetup(spec.setup) })}\n`);
      const handle = nodeHandle(name, child);
      handles.push(handle);
      return handle;
    },
    async startProgram(spec) {
      const child = spawnIn(await inLab(), spec.inside, "", programCommand(spec), spec.environment);
      child.stdin.end();
      return programHandle(spec.name, child);
    },
    async keep() {
      (await inLab()).keep();
      const command: AgentCommand = { type: "keep" };
      for (const handle of handles) handle.send(JSON.stringify(command));
    },
    async destroy(): Promise<DestroyReport> {
      isDestroyed = true;
      await supervisor?.then((running) => running.stop());
      return { leftovers: [] };
    },
  };
}

async function ipBatch({ enter }: Supervisor, batch: string): Promise<void> {
  const { exitCode, errors } = await runWithInput("nsenter", enter(["ip", "-batch", "-"]), batch);
  if (exitCode !== 0) {
    throw new TestbedError("setup-failed", `ip could not make the lab's interfaces: ${errors.trim()}`, {
      hint: "the kernel needs veth and bridge; `testbed plan` shows what was asked for",
    });
  }
}

/** Runs a command in a node's namespace after `script`; stdin and stdout are the control channel. */
function spawnIn(
  { enter }: Supervisor,
  namespace: string,
  script: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const inNamespace = ["ip", "netns", "exec", namespace, "sh", "-c", `${script}exec "$@"`, namespace, ...command];
  return spawn("nsenter", enter(inNamespace), { stdio: "pipe", env: { PATH: searchPath(), ...environment } });
}

/** By sysfs, which needs no program, or by `ip` where sysfs is read-only, as in containers. */
const LOOPBACK_UP = "{ echo 0x1 > /sys/class/net/lo/flags; } 2> /dev/null || ip link set lo up || exit 1\n";

/**
 * Gives a node its own copy of the machine's files that it writes to (one mount(8) for all), and sets kernel
 * parameters.
 */
function nodeScript(spec: NodeSpec): string {
  const ownFiles = ["hosts", "resolv.conf"].map((file) => ({
    own: `/run/${spec.name}.${file}`,
    machine: `/etc/${file}`,
  }));
  const table = `/run/${spec.name}.fstab`;
  const binds = ownFiles.map(({ own, machine }) => `${own} ${machine} none bind`);
  const sysctls = sysctlWrites(spec.sysctls).map(([path, value]) => `echo '${value}' > ${path} || exit 1\n`);
  return [
    ...ownFiles.map(({ own }) => `: > ${own}\n`),
    `printf '%s\\n' ${binds.map((line) => `'${line}'`).join(" ")} > ${table}\n`,
    `mount --all --fstab ${table} || exit 1\n`,
    ...sysctls,
    LOOPBACK_UP,
  ].join("");
}

function boundSetup(setup: UnboundSetup): NodeSetup {
  return {
    ...setup,
    interfaces: setup.interfaces.map((iface) => ({ ...iface, find: { by: "name", name: iface.interfaceName } })),
  };
}

function programCommand({ name, command }: ProgramSpec): readonly string[] {
  if (command !== undefined && command.length > 0) return command;
  throw new TestbedError(
    "bad-topology",
    `node ${name} has no command, and the netns runtime has no images to take one from`,
    {
      hint: "give the node a `command` that exists on this machine, or use --runtime docker",
    },
  );
}

function nodeHandle(name: string, child: ChildProcessWithoutNullStreams): NodeHandle {
  const { log, forgetLog, exited } = watch(child);
  return {
    name,
    lines: readLines(child.stdout),
    // A node that has exited needs no command; `exited` reports it.
    send: (line) => {
      if (child.stdin.writable) child.stdin.write(`${line}\n`);
    },
    exited,
    log,
    forgetLog,
  };
}

function programHandle(name: string, child: ChildProcessWithoutNullStreams): ProgramHandle {
  const output = createBoundedLog();
  child.stdout.setEncoding("utf8").on("data", output.add);
  const { log, exited } = watch(child);
  return { name, exited, log: () => output.text() + log() };
}

function watch(child: ChildProcessWithoutNullStreams) {
  const log = createBoundedLog();
  child.stderr.setEncoding("utf8").on("data", log.add);
  child.stdin.on("error", () => {
    // EPIPE of a node that has exited: `exited` reports it.
  });
  const exited = new Promise<NodeExit>((resolve) => {
    child.once("error", (error) => log.add(`${error.message}\n`));
    child.once("close", (code) => {
      resolve({ code: code ?? 137, logTail: log.text().trimEnd().split("\n").slice(-LOG_TAIL_LINES) });
    });
  });
  return { log: log.text, forgetLog: log.clear, exited };
}
