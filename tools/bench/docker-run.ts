/** A warm run on the docker runtime against Docker Compose with the same containers, idle. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPlan } from "../../orchestrator/plan/build-plan.ts";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { resolveNodeImage } from "../../orchestrator/setup/images.ts";
import { loadTopology } from "../../orchestrator/topology/resolve/load.ts";
import type { Bench } from "./bench.ts";
import { idleCompose } from "./idle-compose.ts";
import { timeInTurn } from "./measure.ts";
import { testbed } from "./testbed.ts";

const TOPOLOGY = "nat-nat";

export const dockerRun: Bench = {
  name: "docker-run",
  claim: "a warm nat-nat run takes no longer than what Compose takes for the same containers, idle",
  reach: { of: "ratio", most: 1 },
  async measure(rounds) {
    const image = await resolveNodeImage(await connectEngine(), console.error);
    const directory = await mkdtemp(join(tmpdir(), "mice-bench-"));
    try {
      const composeFile = join(directory, "docker-compose.yml");
      await writeFile(composeFile, idleCompose(await planOf(TOPOLOGY), image));
      const compose = ["docker-compose", "-p", "mice-bench", "-f", composeFile] as const;
      return await timeInTurn(
        [
          {
            name: `testbed ${TOPOLOGY}`,
            commands: [testbed(TOPOLOGY, "--runtime", "docker", "--out", directory)],
          },
          {
            name: "docker-compose up -d; down -t 0",
            commands: [
              [...compose, "up", "-d"],
              [...compose, "down", "-t", "0"],
            ],
          },
        ],
        rounds,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  },
};

async function planOf(topology: string) {
  const file = `topologies/${topology}.yaml`;
  const loaded = loadTopology(await readFile(file, "utf8"), file);
  if (!loaded.ok) throw new Error(`${file} does not load`);
  return buildPlan(loaded.topology, { capture: true });
}
