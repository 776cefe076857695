/** Inspects the machine; changes nothing. */

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { connectEngine, type Engine, engineEndpoint } from "../runtime/docker/engine.ts";
import { TestbedError } from "../support/errors.ts";
import { isInstalled } from "../support/search-path.ts";
import type { MachineFacts } from "./engine-step.ts";
import { findRootAccess } from "./root-command.ts";

/** Where this machine's system engine listens. */
export const ENGINE_SOCKET = "/var/run/docker.sock";

/** Gathers the facts, and the engine if it answers. */
export async function gatherFacts(): Promise<{ readonly facts: MachineFacts; readonly engine?: Engine }> {
  const endpoint = engineEndpoint();
  const { state, engine } = await askEngine(endpoint);
  // If the engine answers, nothing else matters, and running sudo would cost time.
  const isEnough = state === "answers";
  const facts: MachineFacts = {
    engine: state,
    endpoint,
    isOwnChoice: endpoint !== `unix://${ENGINE_SOCKET}` || process.platform !== "linux",
    hasEngineInstalled: isEnough || (await isInstalled("dockerd")),
    isEngineRunning: isEnough || (await isRunning("dockerd")),
    hasSystemd: existsSync("/run/systemd/system"),
    hasApt: isEnough || (await isInstalled("apt-get")),
    rootAccess: isEnough ? "none" : await findRootAccess(),
  };
  return engine === undefined ? { facts } : { facts, engine };
}

async function askEngine(
  endpoint: string,
): Promise<{ readonly state: MachineFacts["engine"]; readonly engine?: Engine }> {
  try {
    return { state: "answers", engine: await connectEngine(endpoint) };
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    return { state: error.code === "no-permission" ? "refuses" : "silent" };
  }
}

/** Whether a process of this name runs in this process's PID namespace. */
export async function isRunning(name: string): Promise<boolean> {
  const pids = (await readdir("/proc").catch(() => [])).filter((entry) => /^\d+$/.test(entry));
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")));
  return names.some((found) => found.trim() === name);
}
