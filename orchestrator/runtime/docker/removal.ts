/** Finds and removes labelled objects. Nothing without our labels is ever touched. */

import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkInspectInfo } from "dockerode";
import type { DestroyReport } from "../runtime.ts";
import { answered, connectEngine, type Engine, engineCall, engineMessage, engineStatus } from "./engine.ts";
import { type LabelledObject, labelFilter, readLabels } from "./labels.ts";

/** A run as its objects on the engine show it. */
export interface FoundRun extends Omit<LabelledObject, "name"> {
  readonly nodes: readonly string[];
  readonly isKept: boolean;
}

/**
 * Suffix of the name of each container of a kept lab: a name is the one property that can change after creation. Names
 * in a topology contain no dots.
 */
export const KEPT_SUFFIX = ".kept";

/** Every run that has objects on the engine. */
export async function findRuns(engine: Engine): Promise<readonly FoundRun[]> {
  const filters = labelFilter();
  const [containers, networks] = await engineCall(
    "list the labs",
    Promise.all([engine.docker.listContainers({ all: true, filters }), engine.docker.listNetworks({ filters })]),
  );
  const runs = new Map<string, FoundRun>();
  for (const { Labels } of networks) addObject(runs, Labels, undefined);
  for (const { Labels, Names } of containers) addObject(runs, Labels, Names);
  return [...runs.values()];
}

/** How long an answer is waited for while a lab is removed: a busy engine removes its containers one by one. */
const REMOVAL_TIMEOUT_MS = 30_000;

/** How often a lab is tried to be removed, and the time between. */
const REMOVAL_ATTEMPTS = 3;
const BETWEEN_ATTEMPTS_MS = 1000;

/**
 * Removes a run as `removeRun` does, over a connection of its own: that of the run may be what has failed. Where the
 * engine does not answer, it is tried again; rejects when it never does.
 */
export async function removeRunPersistently({ endpoint }: Engine, runId: string): Promise<DestroyReport> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await removeRun(await connectEngine(endpoint), runId);
    } catch (error) {
      if (attempt === REMOVAL_ATTEMPTS) throw error;
    }
    await sleep(BETWEEN_ATTEMPTS_MS);
  }
}

/**
 * Removes a run's containers all at once, and each network as soon as the containers on it are gone. `timeoutMs` is how
 * long a network that the engine reports in use is tried: containers being removed still count for a moment. Rejects
 * where the engine cannot be reached; what it refuses is left over.
 */
export async function removeRun(engine: Engine, runId: string, timeoutMs = 3000): Promise<DestroyReport> {
  const filters = labelFilter(runId);
  const listContainers = engine.docker.listContainers({ all: true, filters });
  const listNetworks = engine.docker.listNetworks({ filters });
  const listed = Promise.all([listContainers, listNetworks]);
  const [containers, networks] = await engineCall("list the lab", listed, REMOVAL_TIMEOUT_MS);
  const removals = containers.map(({ Id, Names, NetworkSettings }) => ({
    networks: Object.keys(NetworkSettings.Networks),
    leftover: removeContainer(engine, Id, Names[0] ?? Id),
  }));
  const networkRemovals = networks.map(async ({ Id, Name }) => {
    const onIt = removals.filter((removal) => removal.networks.includes(Name));
    await Promise.all(onIt.map(({ leftover }) => leftover));
    return removeNetwork(engine, Id, Name, timeoutMs);
  });
  const leftovers = await Promise.all([...removals.map(({ leftover }) => leftover), ...networkRemovals]);
  return { leftovers: leftovers.filter((line) => line !== undefined) };
}

function addObject(runs: Map<string, FoundRun>, labels: Record<string, string> | undefined, names?: readonly string[]) {
  const found = readLabels(labels ?? {});
  if (found === undefined) return;
  const run = runs.get(found.runId);
  const isKept = names?.some((name) => name.endsWith(KEPT_SUFFIX)) === true;
  runs.set(found.runId, {
    ...(run ?? found),
    nodes: [...(run?.nodes ?? []), ...(names === undefined ? [] : [found.name])],
    isKept: run?.isKept === true || isKept,
  });
}

/** Kills and removes a container. One that exits by itself at the same moment counts as removed. */
async function removeContainer(engine: Engine, id: string, name: string): Promise<string | undefined> {
  const container = engine.docker.getContainer(id);
  try {
    await answered(container.remove({ force: true, v: true }), REMOVAL_TIMEOUT_MS);
    return undefined;
  } catch (error) {
    const status = engineStatus(error);
    if (status === undefined) throw error;
    if (status === 404) return undefined;
    // 409: AutoRemove is already removing it.
    if (status === 409 && (await isGoneSoon(() => container.inspect()))) return undefined;
    return `container ${name.replace(/^\//, "")}: ${engineMessage(error)}; docker rm -f ${id.slice(0, 12)}`;
  }
}

const REMOVAL_WAIT_MS = 10_000;

/** Polls until the engine reports that the object does not exist. */
async function isGoneSoon(inspect: () => Promise<unknown>): Promise<boolean> {
  const giveUpAt = performance.now() + REMOVAL_WAIT_MS;
  for (let pauseMs = 10; performance.now() < giveUpAt; pauseMs = Math.min(2 * pauseMs, 200)) {
    try {
      await answered(inspect(), REMOVAL_TIMEOUT_MS);
    } catch (error) {
      return engineStatus(error) === 404;
    }
    await sleep(pauseMs);
  }
  return false;
}

async function removeNetwork(engine: Engine, id: string, name: string, timeoutMs: number): Promise<string | undefined> {
  const network = engine.docker.getNetwork(id);
  const giveUpAt = performance.now() + timeoutMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, 400)) {
    try {
      await answered(network.remove(), REMOVAL_TIMEOUT_MS);
      return undefined;
    } catch (error) {
      const status = engineStatus(error);
      if (status === undefined) throw error;
      if (status === 404) return undefined;
      const message = engineMessage(error);
      if (!message.includes("has active endpoints")) return `network ${name}: ${message}; docker network rm ${name}`;
      if (performance.now() > giveUpAt)
        return describeStuckNetwork(await answered(network.inspect()).catch(() => undefined), name);
    }
    await sleep(pauseMs);
  }
}

/** A network that cannot be removed has a foreign container on it, or the engine has lost count of its endpoints. */
function describeStuckNetwork(inspected: NetworkInspectInfo | undefined, name: string): string {
  const [foreign] = Object.values(inspected?.Containers ?? {});
  if (foreign !== undefined) {
    return (
      `network ${name}: the container ${foreign.Name}, which is not the lab's, is connected to it; ` +
      `docker network disconnect -f ${name} ${foreign.Name} && docker network rm ${name}`
    );
  }
  return (
    `network ${name}: the engine still counts endpoints of containers that are gone (its bug moby#42119). ` +
    "It disturbs no later run; a restart of the engine (systemctl restart docker) removes the count, " +
    "and the next run or `npm run testbed down` the network"
  );
}
