/** The labels that every object of a lab carries: objects are found and removed by them alone. */

import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { OwnerIdentity, RunIdentity } from "../runtime.ts";

export const LABELS = {
  run: "mice.testbed.run",
  topology: "mice.testbed.topology",
  /** Name of the node, host program or segment in the topology. */
  name: "mice.testbed.name",
  ownerPid: "mice.testbed.owner-pid",
  ownerStart: "mice.testbed.owner-start",
  bootId: "mice.testbed.boot-id",
  /** Machine and PID namespace of the owner's pid. */
  ownerHost: "mice.testbed.owner-host",
} as const;

/** Suffix of the name of a host's program, beside the container that holds its interfaces; names of nodes have no dots. */
export const PROGRAM_SUFFIX = ".program";

/** The labels of one object, decoded. */
export interface LabelledObject {
  readonly runId: string;
  readonly topology: string;
  readonly name: string;
  readonly owner: OwnerIdentity;
  readonly ownerHost: string;
}

export type Labels = Readonly<Record<string, string>>;

export function objectLabels({ runId, topology, owner }: RunIdentity, name: string): Record<string, string> {
  return {
    [LABELS.run]: runId,
    [LABELS.topology]: topology,
    [LABELS.name]: name,
    [LABELS.ownerPid]: String(owner.pid),
    [LABELS.ownerStart]: owner.startTicks,
    [LABELS.bootId]: owner.bootId,
    [LABELS.ownerHost]: ownHost(),
  };
}

/** Reads an object's labels back; undefined for an object that is not ours. */
export function readLabels(labels: Labels): LabelledObject | undefined {
  const runId = labels[LABELS.run];
  if (runId === undefined || runId === "") return undefined;
  return {
    runId,
    topology: labels[LABELS.topology] ?? "",
    name: labels[LABELS.name] ?? "",
    owner: {
      pid: Number(labels[LABELS.ownerPid]),
      startTicks: labels[LABELS.ownerStart] ?? "",
      bootId: labels[LABELS.bootId] ?? "",
    },
    ownerHost: labels[LABELS.ownerHost] ?? "",
  };
}

/** Filter of the engine's list calls: the objects of one run, or of every run. */
export function labelFilter(runId?: string): { label: string[] } {
  return { label: [runId === undefined ? LABELS.run : `${LABELS.run}=${runId}`] };
}

/**
 * The machine and PID namespace of this process. Several machines may share an engine, or containers with its socket
 * mounted: an owner's pid elsewhere has no meaning here.
 */
export function ownHost(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
