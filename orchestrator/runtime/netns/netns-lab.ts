/** One lab of network namespaces: segments made by `ip -batch`, nodes as processes under the lab's supervisor. */

import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { StringDecoder } from "node:string_decoder";
import type { AgentCommand, NodeSetup } from "@testbed/agent/control";
import type { NodeSpec, ProgramSpec, SegmentSpec, UnboundSetup } from "../../plan/plan.ts";
import { PROGRAM_LIMITS } from "../../plan/program-limits.ts";
import { TestbedError } from "../../support/errors.ts";
import { readProcess } from "../../support/process-identity.ts";
import { started } from "../../support/start-process.ts";
import { createBoundedLog } from "../bounded-log.ts";
import { archiveOf } from "../program-files.ts";
import { readLines } from "../read-lines.ts";
import type {
  DestroyReport,
  NodeExit,
  NodeHandle,
  OutputListener,
  ProgramExit,
  ProgramHandle,
  RunIdentity,
  RuntimeLab,
} from "../runtime.ts";
import { type ControlGroup, createControlGroup } from "./control-groups.ts";
import { exitCodeOf } from "./exit-code.ts";
import {
  FURNITURE_FILE,
  FURNITURE_TREE,
  furnitureDirectory,
  furnitureOf,
  hidingDirectory,
  programLabels,
  roomCommand,
  roomInput,
} from "./host-room.ts";
import { endOrKill, type Labels, labLabels, MEMBER_NAME } from "./lab-processes.ts";
import { outside } from "./outside.ts";
import { signalNode, signalProgram } from "./program-process.ts";
import { runWithInput } from "./run-with-input.ts";
import { type Supervisor, startSupervisor } from "./supervisor.ts";
import { userIds } from "./user-ids.ts";
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
  let destroyed: Promise<DestroyReport> | undefined;
  let segments: readonly SegmentSpec[] = [];
  const nodes = new Map<string, NodeSpec>();
  const handles: NodeHandle[] = [];
  const members = createMembers();
  const groups: ControlGroup[] = [];

  const inLab = async (): Promise<Supervisor> => {
    signal.throwIfAborted();
    if (destroyed !== undefined) throw new TestbedError("interrupted", "the lab is being removed");
    return (supervisor ??= startSupervisor(labLabels(identity)));
  };

  return {
    async createSegments(specs) {
      segments = [...segments, ...specs];
      await ipBatch(await inLab(), members, bridgeBatch(specs));
    },
    async createNodes(specs) {
      for (const spec of specs) nodes.set(spec.name, spec);
      await ipBatch(await inLab(), members, nodeBatch(segments, specs));
    },
    async startNode(name) {
      const spec = nodes.get(name);
      if (spec === undefined) throw new Error(`startNode before createNodes: ${name}`);
      const inNode = ["ip", "netns", "exec", name, "sh", "-c", `${nodeScript(spec)}exec "$@"`, name, ...agentCommand];
      const child = await startInside(await inLab(), members, inNode);
      child.stdin.write(`${JSON.stringify({ type: "setup", setup: boundSetup(spec.setup) })}\n`);
      const handle = nodeHandle(name, child);
      handles.push(handle);
      return handle;
    },
    async startProgram(spec, onOutput) {
      const command = programCommand(spec);
      const user = spec.user === undefined ? undefined : await userIds(spec.name, spec.user);
      await furnish(await inLab(), members, spec);
      const group = await createControlGroup(identity.runId, spec.name, spec.limits ?? PROGRAM_LIMITS);
      if (group !== undefined) groups.push(group);
      const inside = { group, about: programLabels(spec) };
      const child = await startInside(await inLab(), members, roomCommand(spec, user), inside);
      const handle = programHandle(spec.name, child, { onOutput, group });
      child.stdin.end(roomInput(spec, command));
      return handle;
    },
    async keep() {
      (await inLab()).keep();
      const command: AgentCommand = { type: "keep" };
      for (const handle of handles) handle.send(JSON.stringify(command));
    },
    destroy: () => (destroyed ??= destroyLab(supervisor, members, groups)),
  };
}

/**
 * The kernel ends what is in the lab once the supervisor's shell exits, which waits until all of it is collected. Members
 * that are stopped collect nothing, so both are ended together.
 */
async function destroyLab(
  supervisor: Promise<Supervisor> | undefined,
  members: Members,
  groups: readonly ControlGroup[],
): Promise<DestroyReport> {
  await Promise.all([supervisor?.then((running) => running.stop()), members.end()]);
  await Promise.all(groups.map((group) => group.remove()));
  return { leftovers: [] };
}

/** Programs of this process that entered the lab and wait outside for what they started in it. */
interface Members {
  readonly add: (child: ChildProcess) => void;
  /** Lets those that are stopped go on and collect what they wait for; those that do not end are killed. */
  readonly end: () => Promise<void>;
}

function createMembers(): Members {
  const running = new Map<ChildProcess, Promise<unknown>>();
  return {
    add(child) {
      const ended = new Promise<void>((resolve) => {
        for (const end of ["exit", "error"]) child.once(end, () => resolve());
      });
      running.set(child, ended);
      void ended.then(() => running.delete(child));
    },
    async end() {
      const ended = Promise.all(running.values());
      for (const child of running.keys()) child.kill("SIGCONT");
      await endOrKill(ended, () => {
        for (const child of running.keys()) child.kill("SIGKILL");
      });
    },
  };
}

async function ipBatch({ enter }: Supervisor, members: Members, batch: string): Promise<void> {
  const { exitCode, errors } = await runWithInput("nsenter", enter(["ip", "-batch", "-"]), batch, members.add);
  if (exitCode !== 0) {
    throw new TestbedError("setup-failed", `ip could not make the lab's interfaces: ${errors.trim()}`, {
      hint: "the kernel needs veth and bridge; `testbed plan` shows what was asked for",
    });
  }
}

/** Puts a program's files, and the list of what else its room holds, into the lab's /run. */
async function furnish({ enter }: Supervisor, members: Members, spec: ProgramSpec): Promise<void> {
  const list = furnitureOf(spec);
  if (list === "") return;
  const files = (spec.files ?? []).map((file) => ({ ...file, path: `/${FURNITURE_TREE}${file.path}` }));
  const content = { type: "text", text: list } as const;
  const archive = await buffer(
    await archiveOf([{ path: `/${FURNITURE_FILE}`, content, isExecutable: false }, ...files]),
  );
  const script = 'mkdir "$1" && exec tar -x --no-same-owner -C "$1"';
  const unpack = ["sh", "-c", script, "furnish", furnitureDirectory(spec.inside)];
  const { exitCode, errors } = await runWithInput("nsenter", enter(unpack), archive, members.add);
  if (exitCode !== 0)
    throw new TestbedError("setup-failed", `${spec.name} could not be given its files: ${errors.trim()}`);
}

/** Enters the groups whose files follow `$1`, their number, and runs the rest. */
const IN_GROUPS = `
count=$1; shift
while [ "$count" -gt 0 ]; do echo $$ > "$1" || exit 125; shift; count=$((count - 1)); done
exec "$@"`;

/** What a command that runs in a lab is given beside the lab's namespaces. */
interface Inside {
  readonly group?: ControlGroup | undefined;
  /** Labels beside those of the lab. */
  readonly about?: Labels;
}

/** Runs a command in the lab's namespaces, and in a control group where there is one. */
function startInside(
  { enter }: Supervisor,
  members: Members,
  command: readonly string[],
  { group, about }: Inside = {},
): Promise<ChildProcessWithoutNullStreams> {
  return started("nsenter", () => {
    const entrances = group?.entrances ?? [];
    const inGroups = ["sh", "-c", IN_GROUPS, MEMBER_NAME, String(entrances.length), ...entrances];
    const entering = ["nsenter", ...enter(command, about)];
    const [program = "", ...words] = [...(group === undefined ? [] : inGroups), ...entering];
    const child = spawn(program, words, { stdio: "pipe", ...outside() });
    members.add(child);
    return child;
  });
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

function programCommand({ name, source, command = [], files = [] }: ProgramSpec): readonly string[] {
  const [program = ""] = command;
  if (source.type !== "machine" || program === "") {
    throw new TestbedError("bad-topology", `node ${name} needs an image, and the netns runtime has none`, {
      hint: "give the node a `command` that exists on this machine and no image, or use --runtime docker",
    });
  }
  const hidden = files.some(({ path }) => path === program) ? undefined : hidingDirectory(program);
  if (hidden === undefined) return command;
  throw new TestbedError("bad-topology", `node ${name} runs ${program}, which the ${hidden} of its own hides`, {
    hint: `hosts have an empty ${hidden}: have the program in another directory of this machine`,
  });
}

/** A node whose process is stopped stops its `nsenter` too, which waits for it. */
function nodeHandle(name: string, child: ChildProcessWithoutNullStreams): NodeHandle {
  const { log, forgetLog, exited } = watch(child, ["stderr"]);
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
    hindrance: () =>
      Promise.resolve(readProcess(child.pid ?? 0)?.isStopped === true ? "its process is stopped" : undefined),
    pause: () => signalNode(child, "SIGSTOP"),
    // `nsenter` was stopped with the process that it waits for, and lets that go on when it goes on itself.
    resume: () => Promise.resolve(void child.kill("SIGCONT")),
  };
}

function programHandle(
  name: string,
  child: ChildProcessWithoutNullStreams,
  { onOutput, group }: { readonly onOutput: OutputListener; readonly group: ControlGroup | undefined },
): ProgramHandle {
  const { log, exited: ended } = watch(child, ["stdout", "stderr"]);
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (piece: Uint8Array) => onOutput(stream, piece));
  const exited = ended.then(async (exit): Promise<ProgramExit> => {
    const exceeded = await group?.exceeded();
    return { ...exit, ...(exceeded === undefined ? {} : { exceeded }) };
  });
  return {
    ...{ name, exited, log },
    signal: (signal) => signalProgram(child.pid, signal),
  };
}

/** What a process writes to `logged` streams is kept. */
function watch(child: ChildProcessWithoutNullStreams, logged: readonly ("stdout" | "stderr")[]) {
  const log = createBoundedLog();
  for (const stream of logged) {
    const decoder = new StringDecoder("utf8");
    child[stream].on("data", (piece: Buffer) => log.add(decoder.write(piece)));
  }
  const exited = new Promise<NodeExit>((resolve) => {
    child.once("close", (code, signal) => {
      resolve({ code: exitCodeOf(code, signal), logTail: log.text().trimEnd().split("\n").slice(-LOG_TAIL_LINES) });
    });
  });
  return { log: log.text, forgetLog: log.clear, exited };
}
