/** `testbed validate`: checks topology files. */

import { counted } from "../report/text-table.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { loadTopologies } from "./load-topologies.ts";
import { topologyNames } from "./topology-files.ts";

/** Checks the named files, or all of this repository. */
export async function validate(wanted: readonly string[], context: CommandContext): Promise<ExitCode> {
  const names = wanted.length > 0 ? wanted : await topologyNames();
  const loaded = await loadTopologies(names, context);
  for (const { topology } of loaded) {
    const { name, nodes, segments, sessions } = topology;
    const size = [counted(nodes.length, "node"), "on", counted(segments.length, "segment")].join(" ");
    context.print(`${name}: valid, ${size}, ${counted(sessions.length, "session")}`);
  }
  return 0;
}
