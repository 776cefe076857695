/** A lab that stands, as its owner sees it. */

import type { HostPrograms } from "./host-programs.ts";
import type { LabEvent } from "./lab-event.ts";
import type { Recorder } from "./recorder.ts";

export interface LiveLab {
  /** What has happened so far; it grows. */
  readonly events: readonly LabEvent[];
  /** What a node, and the program of a host, has written so far; undefined for a node that there is not. */
  readonly log: (node: string) => string | undefined;
}

/** The parts of a lab that a user looks at. */
interface LabParts {
  readonly recorder: Pick<Recorder, "events">;
  readonly links: ReadonlyMap<string, { readonly log: string }>;
  readonly hosts: Pick<HostPrograms, "records">;
}

export function liveLab({ recorder, links, hosts }: LabParts): LiveLab {
  return {
    events: recorder.events,
    log(node) {
      const link = links.get(node);
      const program = hosts.records().find(({ name }) => name === node);
      if (link === undefined && program === undefined) return undefined;
      return (link?.log ?? "") + (program?.log ?? "");
    },
  };
}
