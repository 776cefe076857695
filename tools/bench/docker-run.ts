/** A warm run on the docker runtime against Docker Compose with the same containers, idle. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPlan } from "../../orchestrator/plan/build-plan.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { loadTopology } from "../../orchestrator/topology/resolve/load.ts";
import type { Bench } from "./bench.ts";
import { idleCompose } from "./idle-compose.ts";
import { notMeasured, timeInTurn } from "./measure.ts";
import { findCompose, findEngine } from "./peer-programs.ts";
import { withScratch } from "./scratch.ts";
import { testbed } from "./testbed.ts";

const TOPOLOGY = "nat-nat";
const NAMES = { product: `testbed ${TOPOLOGY} --runtime docker`, peer: "compose up -d; down -t 0" } as const;

export const dockerRun: Bench = {
  name: "docker-run",
  compares: "a warm testbed nat-nat on docker : Compose with the same containers, idle",
  reach: { most: 1 },
  async measure({ rounds }) {
    const engine = await findEngine();
    if ("missing" in engine) return [notMeasured(NAMES.product, "s", engine), notMeasured(NAMES.peer, "s", engine)];
    const compose = await findCompose();
    const image = await ensureImage(engine.engine, "node", console.error);
    return withScratch(async (scratch) => {
      const product = { name: NAMES.product, commands: [testbed(TOPOLOGY, "--runtime", "docker", "--out", scratch)] };
      if ("missing" in compose) {
        return [...(await timeInTurn([product], rounds)), notMeasured(NAMES.peer, "s", compose)];
      }
      const file = join(scratch, "docker-compose.yml");
      await writeFile(file, idleCompose(await planOf(TOPOLOGY), image));
      const project = [...compose.command, "-p", "mice-bench", "-f", file] as const;
      const peer = {
        name: NAMES.peer,
        commands: [
          [...project, "up", "-d"],
          [...project, "down", "-t", "0"],
        ] as const,
      };
      return timeInTurn([product, peer], rounds);
    });
  },
};

async function planOf(topology: string) {
  const file = `topologies/${topology}.yaml`;
  const loaded = loadTopology(await readFile(file, "utf8"), file);
  if (!loaded.ok) throw new Error(`${file} does not load`);
  return buildPlan(loaded.topology, { capture: true });
}
