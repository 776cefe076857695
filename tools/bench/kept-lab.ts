/** A lab kept by a run, and programs of this machine inside its nodes. */

import { readdir, readFile, readlink } from "node:fs/promises";
import { execa } from "execa";
import * as z from "zod";
import { testbed } from "./testbed.ts";

export interface KeptLab {
  /** `nominatedAfterMs` of the run's first session. */
  readonly nominatedAfterMs: number;
  /** A command that runs inside a node. */
  readonly inside: (node: string, ...command: readonly string[]) => readonly [file: string, ...args: string[]];
  /** Memory of each agent. */
  readonly memory: () => Promise<readonly AgentMemory[]>;
  readonly remove: () => Promise<void>;
}

/** Octets, as the kernel counts them in proc_pid_smaps(5). */
export interface AgentMemory {
  readonly resident: number;
  /** Memory shared with no other process. */
  readonly own: number;
}

const keptRun = z.object({ runId: z.string(), sessions: z.array(z.object({ nominatedAfterMs: z.number() })).min(1) });

/** Runs a topology on the netns runtime, without captures, and keeps its lab for measurements. Throws when it fails. */
export async function keepLab(topology: string, out: string): Promise<KeptLab> {
  const [file, ...args] = testbed(
    topology,
    ...["--runtime", "netns", "--keep", "--no-capture", "--json", "--out", out],
  );
  const { stdout } = await execa(file, args);
  const { runId, sessions } = keptRun.parse(JSON.parse(stdout));
  const supervisor = await findSupervisor(runId);
  return {
    nominatedAfterMs: sessions[0]?.nominatedAfterMs ?? Number.NaN,
    inside: (node, ...command) => {
      // Not in its PID namespace: nsenter would then sit between a signal and the program.
      const lab = ["--target", supervisor, "--net", "--mount", "--"];
      return ["nsenter", ...lab, "ip", "netns", "exec", node, ...command];
    },
    memory: () => memoryOfAgents(supervisor),
    async remove() {
      const [down, ...words] = testbed("down", runId, "--runtime", "netns");
      await execa(down, words);
    },
  };
}

async function findSupervisor(runId: string): Promise<string> {
  for (const pid of await pids()) {
    const words = await commandOf(pid);
    if (words[0] === "sh" && words.includes(`run=${runId}`)) return pid;
  }
  throw new Error(`no lab of run ${runId}`);
}

async function memoryOfAgents(supervisor: string): Promise<readonly AgentMemory[]> {
  const lab = await readlink(`/proc/${supervisor}/ns/pid`);
  const memory: AgentMemory[] = [];
  for (const pid of await pids()) {
    const words = await commandOf(pid);
    const isAgent = words[0]?.endsWith("/node") === true && words.at(-2)?.endsWith("/agent.cjs") === true;
    if (!isAgent || (await readlink(`/proc/${pid}/ns/pid`).catch(() => "")) !== lab) continue;
    memory.push(await memoryOf(pid));
  }
  return memory;
}

/** Memory of a process of this machine. */
export async function memoryOf(pid: string): Promise<AgentMemory> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const octets = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]) * 1024;
  return { resident: octets("Rss"), own: octets("Private_Clean") + octets("Private_Dirty") };
}

async function pids(): Promise<readonly string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
}

async function commandOf(pid: string): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
}
