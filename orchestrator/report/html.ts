/** The report of a run for a browser: one file without anything from elsewhere. */

import type { LabEvent } from "../lab/lab-event.ts";
import type { ResolvedTopology } from "../topology/resolved.ts";
import type { RunResult } from "./run-result.ts";

/** Renders `report.html`; `events` in the order of time. */
export function renderHtml(result: RunResult, events: readonly LabEvent[], topology: ResolvedTopology): string {
  return `<!doctype html><title>${result.topology} ${events.length} ${topology.name}</title>`;
}
