/** The results directory of a run, `<out>/<run-id>/`, and links beside it to the newest. */

import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaptureStream } from "../lab/capture-streams.ts";
import type { LabEvent } from "../lab/lab-event.ts";
import type { LabRecord } from "../lab/lab-record.ts";
import type { Plan } from "../plan/plan.ts";
import { rulesOf } from "../plan/timeline-plan.ts";
import { renderHtml } from "../report/html/run-page.ts";
import { renderJunit } from "../report/junit.ts";
import { mergeCaptures } from "../report/pcapng.ts";
import type { RunResult } from "../report/run-result.ts";
import { displayPath } from "../support/display-path.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { makeResultsDirectory } from "./make-results-directory.ts";

export interface ResultsDirectory {
  /** As the user would write it. */
  readonly displayPath: string;
  writeCapture(plan: Plan, streams: readonly CaptureStream[]): Promise<RunResult["captures"]>;
  /** Everything available before the lab is removed. */
  writeRecord(written: { readonly text: string; readonly plan: Plan; readonly record: LabRecord }): Promise<void>;
  /** The result and the reports made from it. */
  writeResult(result: RunResult, events: readonly LabEvent[], topology: ResolvedTopology): Promise<void>;
}

/** Created before the run starts, so that a run whose results cannot be written never starts. */
export async function createResultsDirectory(out: string, from: string, runId: string): Promise<ResultsDirectory> {
  const directory = await makeResultsDirectory(out, from, runId);
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeFile(join(directory, name), content);
  return {
    displayPath: displayPath(directory, from),
    async writeCapture(plan, streams) {
      if (streams.length === 0) return [];
      const segments = plan.segments.map((segment) => segmentCapture(plan, segment.name, streams));
      const { file, segments: summaries } = mergeCaptures(segments, "M-ICE testbed");
      await write("capture.pcapng", file);
      return summaries.map(({ segment, packets, octets }) => ({
        segment: segment,
        packets,
        octets,
        droppedByKernel: sum(streams.filter(({ segment }) => segment === segment).map((s) => s.droppedByKernel ?? 0)),
      }));
    },
    async writeRecord({ text, plan, record }) {
      await Promise.all([write("topology.yaml", text), writeRules(directory, plan), writeLogs(directory, record)]);
    },
    async writeResult(result, events, topology) {
      const inOrder = events.toSorted((a, b) => a.at - b.at);
      await Promise.all([
        write("events.ndjson", inOrder.map((event) => `${JSON.stringify(event)}\n`).join("")),
        write("report.html", renderHtml(result, inOrder, topology)),
        write("junit.xml", renderJunit(result)),
        write("result.json", `${JSON.stringify(result, null, 2)}\n`),
      ]);
    },
  };
}

function segmentCapture(
  plan: Plan,
  segment: string,
  streams: readonly CaptureStream[],
): Parameters<typeof mergeCaptures>[0][number] {
  const nodes = plan.nodes.filter(({ segments }) => segments.includes(segment)).map(({ name }) => name);
  return {
    segment: segment,
    description: nodes.join(", "),
    streams: streams.filter((stream) => stream.segment === segment).map(({ pcap }) => pcap),
  };
}

/** Exactly what was loaded: one file per loader of a node, and of a timeline event. */
async function writeRules(directory: string, plan: Plan): Promise<void> {
  const atStart = plan.nodes.flatMap(({ name, setup }) =>
    setup.rules.map(({ tool, text }) => ({ file: `${name}.${tool}`, text })),
  );
  const later = plan.timeline.flatMap(({ name, node, command }) =>
    rulesOf(command).map(({ tool, text }) => ({ file: `${node}.${name}.${tool}`, text })),
  );
  const files = [...atStart, ...later];
  if (files.length === 0) return;
  await mkdir(join(directory, "rules"));
  await Promise.all(files.map(({ file, text }) => writeFile(join(directory, "rules", file), text)));
}

async function writeLogs(directory: string, { logs, hosts }: LabRecord): Promise<void> {
  // A host program has the same name as its node; both logs belong to the node.
  const texts = new Map(logs);
  for (const { name, log } of hosts) texts.set(name, (texts.get(name) ?? "") + log);
  await mkdir(join(directory, "logs"));
  await Promise.all([...texts].map(([name, text]) => writeFile(join(directory, "logs", `${name}.log`), text)));
}

/**
 * Points a link in the results directory at a run, atomically. Where links cannot be created, the directory can be
 * found by its name.
 */
export async function pointAt(out: string, link: "latest" | "latest-matrix", runId: string): Promise<void> {
  const temporary = join(out, `.${link}-${runId}`);
  try {
    await symlink(runId, temporary);
    await rename(temporary, join(out, link));
  } catch {
    await rm(temporary, { force: true });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
