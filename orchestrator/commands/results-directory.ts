/** The results directory of a run, `<out>/<run-id>/`, and links beside it to the newest. */

import { rename, rm, symlink } from "node:fs/promises";
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
import type { TestbedError } from "../support/errors.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { makeResultsDirectory } from "./make-results-directory.ts";
import { createResultFiles, type ResultFile } from "./result-files.ts";

export interface ResultsDirectory {
  /** As the user would write it. */
  readonly displayPath: string;
  writeCapture(plan: Plan, streams: readonly CaptureStream[]): Promise<RunResult["captures"]>;
  /** Everything available before the lab is removed. */
  writeRecord(written: { readonly text: string; readonly plan: Plan; readonly record: LabRecord }): Promise<void>;
  /** The result and the reports made from it. */
  writeResult(result: RunResult, events: readonly LabEvent[], topology: ResolvedTopology): Promise<void>;
  /** Why some of it could not be written; the writers never reject for that. */
  failure(): TestbedError | undefined;
}

/** Created before the run starts, so that a run whose results cannot be written never starts. */
export async function createResultsDirectory(out: string, from: string, runId: string): Promise<ResultsDirectory> {
  const directory = await makeResultsDirectory(out, from, runId);
  const files = createResultFiles(directory, from);
  return {
    displayPath: displayPath(directory, from),
    failure: () => files.failure(),
    async writeCapture(plan, streams) {
      if (streams.length === 0) return [];
      const segments = plan.segments.map((segment) => segmentCapture(plan, segment.name, streams));
      const { file, segments: summaries } = mergeCaptures(segments, "M-ICE testbed");
      await files.write([{ name: "capture.pcapng", content: file }]);
      return summaries.map(({ segment, packets, octets }) => ({
        segment: segment,
        packets,
        octets,
        droppedByKernel: sum(streams.filter(({ segment }) => segment === segment).map((s) => s.droppedByKernel ?? 0)),
      }));
    },
    writeRecord: ({ text, plan, record }) =>
      files.write([{ name: "topology.yaml", content: text }, ...ruleFiles(plan), ...logFiles(record)]),
    async writeResult(result, events, topology) {
      const inOrder = events.toSorted((a, b) => a.at - b.at);
      await files.write([
        { name: "result.json", content: `${JSON.stringify(result, null, 2)}\n` },
        { name: "junit.xml", content: renderJunit(result) },
        { name: "report.html", content: renderHtml(result, inOrder, topology) },
        { name: "events.ndjson", content: eventLines(inOrder) },
      ]);
    },
  };
}

/** Events written at once: fewer parts are written faster, and all in one may be too long for a text. */
const EVENTS_AT_ONCE = 1000;

function* eventLines(events: readonly LabEvent[]): Generator<string, undefined> {
  for (let first = 0; first < events.length; first += EVENTS_AT_ONCE) {
    const some = events.slice(first, first + EVENTS_AT_ONCE);
    yield some.map((event) => `${JSON.stringify(event)}\n`).join("");
  }
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
function ruleFiles(plan: Plan): readonly ResultFile[] {
  const atStart = plan.nodes.flatMap(({ name, setup }) =>
    setup.rules.map(({ tool, text }) => ({ name: `rules/${name}.${tool}`, content: text })),
  );
  const later = plan.timeline.flatMap(({ name, deeds }) =>
    deeds.flatMap(({ node, command }) =>
      rulesOf(command).map(({ tool, text }) => ({ name: `rules/${node}.${name}.${tool}`, content: text })),
    ),
  );
  return [...atStart, ...later];
}

function logFiles({ logs, hosts }: LabRecord): readonly ResultFile[] {
  // A host program has the same name as its node; both logs belong to the node.
  const texts = new Map(logs);
  for (const { name, log } of hosts) texts.set(name, (texts.get(name) ?? "") + log);
  return [...texts].map(([name, content]) => ({ name: `logs/${name}.log`, content }));
}

/**
 * Points a link in the results directory at a run, atomically. Where links cannot be created, the directory can be
 * found by its name.
 */
export async function pointAt(out: string, link: "latest" | "latest-matrix", runId: string): Promise<void> {
  const temporary = join(out, `.${link}-${runId}`);
  const isMade = await symlink(runId, temporary).then(
    () => true,
    () => false,
  );
  if (!isMade) return;
  await rename(temporary, join(out, link)).catch(() => rm(temporary, { force: true }).catch(() => undefined));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
