/** Objects on the engine, to verify that a run leaves none behind. */

import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { LABELS } from "../../orchestrator/runtime/docker/labels.ts";

/** Containers and networks with the label of a run whose id contains this part; of all runs without it. */
export async function objectsOfRun(partOfRunId = ""): Promise<readonly string[]> {
  const { docker } = await connectEngine();
  const filters = { label: [LABELS.run] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  return [
    ...containers.map(({ Labels, Names }) => ({ run: Labels[LABELS.run] ?? "", name: Names[0] ?? "" })),
    ...networks.map(({ Labels, Name }) => ({ run: Labels?.[LABELS.run] ?? "", name: Name })),
  ].flatMap(({ run, name }) => (run.includes(partOfRunId) ? [name] : []));
}
