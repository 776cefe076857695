/** Plans the programs of hosts. */

import type { ResolvedHost, ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { labEnvironment } from "./lab-environment.ts";
import type { ProgramSpec } from "./plan.ts";
import { PROGRAM_LIMITS } from "./program-limits.ts";

/** What a file does not say is left out: most programs need little of it. */
export function planProgram(topology: ResolvedTopology, node: ResolvedNode): readonly ProgramSpec[] {
  if (node.role !== "host") return [];
  const { name, source, command, files, writable, workdir, user, capabilities, devices } = node;
  const { startAfter, ready, stopSignal, isService } = node;
  const watched = watchedOf(topology, name);
  return [
    {
      name,
      inside: name,
      source,
      ...(command === undefined ? {} : { command }),
      environment: labEnvironment(node, topology),
      ...(files.length === 0 ? {} : { files }),
      ...(writable.length === 0 ? {} : { writable }),
      ...(workdir === undefined ? {} : { workdir }),
      ...(user === undefined ? {} : { user }),
      ...(capabilities.length === 0 ? {} : { capabilities }),
      ...(devices.length === 0 ? {} : { devices }),
      ...limitsOf(node),
      ...(startAfter.length === 0 ? {} : { startAfter }),
      ...(ready === undefined ? {} : { ready }),
      ...(watched.length === 0 ? {} : { watched }),
      ...(stopSignal === undefined ? {} : { stopSignal }),
      ...(isService ? { isService } : {}),
    },
  ];
}

function limitsOf({ pids, memoryMiB }: ResolvedHost): Pick<ProgramSpec, "limits"> {
  if (pids === undefined && memoryMiB === undefined) return {};
  return { limits: { processes: pids ?? PROGRAM_LIMITS.processes, memoryMiB: memoryMiB ?? PROGRAM_LIMITS.memoryMiB } };
}

/** Patterns of a host's output that expectations are about. */
function watchedOf({ expectations }: ResolvedTopology, host: string): readonly string[] {
  const patterns = expectations.flatMap((each) => ("host" in each && each.host === host ? (each.output ?? []) : []));
  return [...new Set(patterns)];
}
