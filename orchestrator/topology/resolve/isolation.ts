/** Checks segments whose clients are kept apart. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import type { Attachment } from "./attachment.ts";

/** Reports isolated segments without a router: nobody on them would reach anybody. */
export function checkIsolation(topology: Topology, attachments: readonly Attachment[], report: Report): void {
  for (const [name, { isolated }] of topology.segments) {
    if (isolated !== true || attachments.some(({ segment, side }) => segment === name && side === "lan")) continue;
    report(
      "missing",
      ["segments", name, "isolated"],
      `expected a router whose \`lan\` is ${name}, the only one that its nodes reach; found none; add one, or remove \`isolated\``,
    );
  }
}
