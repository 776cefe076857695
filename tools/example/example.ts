/** The example of this repository: its capture, the messages in it, and the flow that every run of nat-nat repeats. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadTopologies } from "../../orchestrator/commands/load-topologies.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { describeKind, exampleDocument } from "./document.ts";
import { type Journey, readJourneys } from "./journeys.ts";

export const CAPTURE = join(PACKAGE_ROOT, "agent/example.pcapng");
export const DOCUMENT = join(PACKAGE_ROOT, "agent/EXAMPLE.md");

export interface Example {
  readonly document: string;
  readonly flow: Flow;
}

/**
 * The part of a run that is independent of timing: the mobility messages of each node in the order of first appearance,
 * and the kinds of STUN messages that each sends outside the tunnel.
 */
export type Flow = Readonly<Record<string, { readonly mobility: readonly string[]; readonly stun: readonly string[] }>>;

/** Reads the checked-in capture, or that of another run of nat-nat. */
export async function readExample(capture = CAPTURE): Promise<Example> {
  const [loaded] = await loadTopologies(["nat-nat"], { directory: PACKAGE_ROOT });
  if (loaded === undefined) throw new Error("topologies/nat-nat.yaml is gone, and the example with it");
  const journeys = readJourneys(await readFile(capture), loaded.topology);
  return { document: exampleDocument(journeys, loaded.topology), flow: flowOf(journeys) };
}

function flowOf(journeys: readonly Journey[]): Flow {
  const senders = [...new Set(journeys.map(({ from }) => from))].toSorted();
  return Object.fromEntries(
    senders.map((sender) => {
      const own = journeys.filter(({ from, message }) => from === sender && message.kind !== "data");
      const kinds = [...new Set(own.map(describeKind))];
      const isMobility = (kind: string): boolean => /^(BU|BA|HoTI|HoT|CoTI-ICE|CoT-ICE) /.test(kind);
      const stun = kinds.filter((kind) => !isMobility(kind) && !kind.endsWith("in the tunnel"));
      return [sender, { mobility: kinds.filter(isMobility), stun: stun.toSorted() }];
    }),
  );
}
