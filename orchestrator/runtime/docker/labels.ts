/** The labels that every object of a lab carries: the only thing by which objects are ever found and removed. */

import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { OwnerIdentity, RunIdentity } from "../runtime.ts";

export const LABELS = {
  run: "mice.testbed.run",
  topology: "mice.testbed.topology",
  /** Name in the topology: of a node, a host program or a segment. */
  name: "mice.testbed.name",
  ownerPid: "mice.testbed.owner-pid",
  ownerStart: "mice.testbed.owner-start",
  bootId: "mice.testbed.boot-id",
  /** Where the owner's pid means something. */
  ownerHost: "mice.testbed.owner-host",
} as const;

/** What the labels of one object say. */
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
 * The machine and PID namespace that this process lives in. An engine may be shared by several machines, or by
 * containers with its socket mounted: the pid of an owner elsewhere says nothing here.
 */
export function ownHost(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
