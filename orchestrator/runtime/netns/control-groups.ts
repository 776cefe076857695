/**
 * Limits of a host's program, by control groups of the kernel, cgroups(7): one group for each program, of version 2 or,
 * where the machine has them, of version 1 for processes and for memory. A machine or user that cannot make groups has
 * no limits.
 */

import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProgramLimits } from "../../plan/program-limits.ts";
import type { ExceededLimit } from "../runtime.ts";

/** The group of one program. */
export interface ControlGroup {
  /** Files that take the id of a process that enters the group. */
  readonly entrances: readonly string[];
  /** Limits that its processes have run into. */
  exceeded(): Promise<readonly ExceededLimit[]>;
  /** Removes the group once its processes have ended. */
  remove(): Promise<void>;
}

/** Groups of labs are called so, followed by their run and host. */
const PREFIX = "mice-testbed.";

const ROOT = "/sys/fs/cgroup";

/** Processes that the testbed itself needs in a group, beside the program's. */
const OWN_PROCESSES = 16;

/** A file of a group with its content. */
type Setting = readonly [file: string, content: string];

/** Where groups are made, with what limits their processes and what counts that they did. */
interface Hierarchy {
  readonly directory: string;
  readonly settings: (limits: ProgramLimits) => readonly Setting[];
  /** Files whose line `key count` is above 0 once a limit was reached. */
  readonly counters: readonly { readonly file: string; readonly key: string; readonly limit: ExceededLimit }[];
}

const PIDS_COUNTER = { file: "pids.events", key: "max", limit: "pids" } as const;

const octets = (memoryMiB: number): string => String(memoryMiB * 1024 * 1024);

const pidsSetting = ({ processes }: ProgramLimits): Setting => ["pids.max", String(processes + OWN_PROCESSES)];

const VERSION_1: readonly Hierarchy[] = [
  { directory: join(ROOT, "pids"), settings: (limits) => [pidsSetting(limits)], counters: [PIDS_COUNTER] },
  {
    directory: join(ROOT, "memory"),
    settings: ({ memoryMiB }) => [["memory.limit_in_bytes", octets(memoryMiB)]],
    counters: [{ file: "memory.oom_control", key: "oom_kill", limit: "memory" }],
  },
];

const VERSION_2: Hierarchy = {
  directory: ROOT,
  settings: (limits) => [pidsSetting(limits), ["memory.max", octets(limits.memoryMiB)]],
  counters: [PIDS_COUNTER, { file: "memory.events", key: "oom_kill", limit: "memory" }],
};

/** A group for a program; undefined where none can be made. */
export async function createControlGroup(
  runId: string,
  host: string,
  limits: ProgramLimits,
): Promise<ControlGroup | undefined> {
  const made: { readonly path: string; readonly counters: Hierarchy["counters"] }[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(made.map(({ path }) => removeGroup(path)));
  };
  try {
    for (const { directory, settings, counters } of await hierarchies()) {
      const path = join(directory, `${PREFIX}${runId}.${host}`);
      await mkdir(path);
      made.push({ path, counters });
      for (const [file, content] of settings(limits)) await writeFile(join(path, file), content);
    }
  } catch {
    // A user who may not, a file system that is read-only, a controller that is another's.
    await remove();
    return undefined;
  }
  return {
    entrances: made.map(({ path }) => join(path, "cgroup.procs")),
    exceeded: async () => {
      const counted = made.flatMap(({ path, counters }) => counters.map((counter) => ({ path, ...counter })));
      const isReached = await Promise.all(counted.map(({ path, file, key }) => countOf(join(path, file), key)));
      return counted.filter((_, i) => (isReached[i] ?? 0) > 0).map(({ limit }) => limit);
    },
    remove,
  };
}

/** Removes the groups of runs that have no process any more. */
export async function sweepControlGroups(isAlive: (runId: string) => boolean): Promise<void> {
  for (const { directory } of await hierarchies()) {
    const entries = await readdir(directory).catch(() => []);
    const dead = entries.filter((entry) => entry.startsWith(PREFIX) && !isAlive(entry.split(".")[1] ?? ""));
    await Promise.all(dead.map((entry) => removeGroup(join(directory, entry))));
  }
}

async function hierarchies(): Promise<readonly Hierarchy[]> {
  const hasVersion2 = await access(join(ROOT, "cgroup.controllers")).then(
    () => true,
    () => false,
  );
  return hasVersion2 ? [VERSION_2] : VERSION_1;
}

async function countOf(path: string, key: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => "");
  const line = text.split("\n").find((each) => each.startsWith(`${key} `));
  return Number(line?.slice(key.length + 1) ?? 0);
}

/** How often the removal of a group is tried: its last process may still be on its way out. */
const REMOVAL_ATTEMPTS = 40;
const REMOVAL_INTERVAL_MS = 25;

async function removeGroup(path: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVAL_ATTEMPTS; attempt += 1) {
    const isGone = await rmdir(path).then(
      () => true,
      (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT",
    );
    if (isGone) return;
    await sleep(REMOVAL_INTERVAL_MS);
  }
}
