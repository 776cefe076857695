/** Labs of containers on a Docker engine, using nothing but the engine's API. */

import { isProcessAlive } from "../../support/process-identity.ts";
import type { Runtime, RuntimeEnvironment } from "../runtime.ts";
import { refuseConflictingAddresses } from "./address-conflict.ts";
import { bridgeNetfilter } from "./bridge-netfilter.ts";
import { createDockerLab, type DockerLab } from "./docker-lab.ts";
import { dockerLabs } from "./docker-labs.ts";
import { type Engine, engineFault } from "./engine.ts";
import { imageOf, type LabImages } from "./lab-images.ts";
import { ownHost } from "./labels.ts";
import { type FoundRun, findRuns, removeRun } from "./removal.ts";

export interface DockerRuntimeOptions {
  readonly engine: Engine;
  readonly images: LabImages;
}

/** Timeout of the sweep for each network of a dead run: a leaked one must not delay every later run. */
const SWEEP_TIMEOUT_MS = 50;

export function createDockerRuntime({ engine, images }: DockerRuntimeOptions): Runtime {
  const labs = new Set<DockerLab>();
  return {
    ...dockerLabs(engine),
    environment: () => Promise.resolve(describeEnvironment(engine)),
    sweep: () => sweepDeadRuns(engine),
    async checkPlan({ nodes, programs }) {
      await refuseConflictingAddresses(engine, nodes);
      await Promise.all(programs.map(({ name, source }) => imageOf(images, name, source)));
    },
    createLab: (identity, signal) => {
      const lab = createDockerLab(engine, identity, signal, images);
      labs.add(lab);
      return lab;
    },
    fault: () => engineFault(engine),
    close: () => {
      for (const lab of labs) lab.detach();
      return Promise.resolve();
    },
  };
}

function describeEnvironment(engine: Engine): RuntimeEnvironment {
  const { version } = engine;
  return {
    runtime: "docker",
    kernel: version.kernel,
    engine: `Docker ${version.engine} (API ${version.api})`,
    capabilities: { br_netfilter: bridgeNetfilter(engine) },
  };
}

async function sweepDeadRuns(engine: Engine): Promise<readonly string[]> {
  const dead = (await findRuns(engine)).filter(isAbandoned);
  const reports = await Promise.all(
    dead.map(async ({ runId, topology }) => {
      const { leftovers } = await removeRun(engine, runId, SWEEP_TIMEOUT_MS);
      return leftovers.length > 0 ? leftovers : [`removed what run ${runId} (${topology}) had left behind`];
    }),
  );
  return reports.flat();
}

/** A run whose owner is on another machine or in another PID namespace cannot be checked, and is left alone. */
function isAbandoned(run: FoundRun): boolean {
  return !run.isKept && run.ownerHost === ownHost() && !isProcessAlive(run.owner);
}
