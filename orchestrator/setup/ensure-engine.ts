/** Brings the machine to a Docker engine that answers this user. */

import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine, type Engine } from "../runtime/docker/engine.ts";
import { TestbedError } from "../support/errors.ts";
import { isInstalled } from "../support/search-path.ts";
import { installPackages } from "./apt.ts";
import { describeEngineStep, type EngineStep, type MachineFacts, nextEngineStep } from "./engine-step.ts";
import { ENGINE_SOCKET, gatherFacts, isRunning } from "./machine-facts.ts";
import { type Say, withSignOfLife } from "./progress.ts";
import { type RootAccess, runAsRoot } from "./root-command.ts";

/** A first start loads kernel modules and makes its data directory; on a small machine that takes some 10 s. */
const START_TIMEOUT_MS = 60_000;

/** Time for a started daemon to appear in the process table; afterwards its absence means that it has failed. */
const APPEARANCE_MS = 3000;

const ENGINE_LOG = "/var/log/dockerd.log";

/** The engine, and what it needs on a minimal machine: certificates for registries, xz for layers. */
const ENGINE_PACKAGES = ["docker.io", "ca-certificates", "iptables", "xz-utils"];

/** Takes the missing steps, each at most once. Throws `setup-failed` where the machine does not allow them. */
export async function ensureEngine(say: Say): Promise<Engine> {
  const taken = new Set<EngineStep["type"]>();
  for (;;) {
    const { facts, engine } = await gatherFacts();
    if (engine !== undefined) return engine;
    const step = nextEngineStep(facts);
    if (step.type === "give-up") throw new TestbedError("setup-failed", step.problem, { hint: step.hint });
    if (taken.has(step.type)) throw await stuck(step, facts);
    taken.add(step.type);
    say(describeEngineStep(step));
    await take(step, facts, say);
  }
}

async function take(step: Exclude<EngineStep, { type: "give-up" }>, facts: MachineFacts, say: Say): Promise<void> {
  const { rootAccess } = facts;
  switch (step.type) {
    case "nothing":
      return;
    case "install":
      return installPackages(rootAccess, await enginePackages(facts), say);
    case "start":
      await startEngine(step.by, rootAccess, say);
      return waitForEngine(facts, say);
    case "wait":
      return waitForEngine(facts, say);
    case "open-socket":
      return openSocket(rootAccess, say);
  }
}

/** Without systemd nothing else mounts the control groups that the engine needs. */
async function enginePackages({ hasSystemd }: MachineFacts): Promise<readonly string[]> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  const hasControlGroups = /^\S+ \/sys\/fs\/cgroup/m.test(mounts);
  return hasSystemd || hasControlGroups ? ENGINE_PACKAGES : [...ENGINE_PACKAGES, "cgroupfs-mount"];
}

async function startEngine(by: "systemd" | "setsid", access: RootAccess, say: Say): Promise<void> {
  if (by === "systemd") return runAsRoot(access, ["systemctl", "start", "docker"], say);
  if (await isInstalled("cgroupfs-mount")) await runAsRoot(access, ["cgroupfs-mount"], say);
  say(`  no systemd here; the engine runs in a session of its own, its log is ${ENGINE_LOG}`);
  await runAsRoot(access, ["setsid", "-f", "sh", "-c", `exec dockerd >>${ENGINE_LOG} 2>&1 </dev/null`], say);
}

/** Waits until the engine answers, refuses or has exited, or until the timeout; the caller checks which. */
async function waitForEngine({ endpoint }: MachineFacts, say: Say): Promise<void> {
  const startedAt = performance.now();
  const settled = async (): Promise<void> => {
    for (let elapsedMs = 0; elapsedMs < START_TIMEOUT_MS; elapsedMs = performance.now() - startedAt) {
      if (!(await isSilent(endpoint))) return;
      if (elapsedMs > APPEARANCE_MS && !(await isRunning("dockerd"))) return;
      await sleep(250);
    }
  };
  await withSignOfLife(say, "waiting for the Docker engine", settled());
}

async function isSilent(endpoint: string): Promise<boolean> {
  try {
    await connectEngine(endpoint);
    return false;
  } catch (error) {
    return error instanceof TestbedError && error.code === "no-engine";
  }
}

/** Grants this user access at once through the socket's permissions, and through the group from the next login on. */
async function openSocket(access: RootAccess, say: Say): Promise<void> {
  const { username } = userInfo();
  const open = (await isInstalled("setfacl"))
    ? ["setfacl", "-m", `u:${username}:rw`, ENGINE_SOCKET]
    : ["chown", username, ENGINE_SOCKET];
  await runAsRoot(access, open, say);
  say(`  ${ENGINE_SOCKET} is open for ${username} now; from the next login on membership of the group docker does it`);
  say("  (either is as powerful as root on this machine)");
  await runAsRoot(access, ["usermod", "-aG", "docker", username], say).catch(() => {
    say("  there is no group docker here: run setup again after the engine was restarted");
  });
}

async function stuck(step: EngineStep, { endpoint, hasSystemd }: MachineFacts): Promise<TestbedError> {
  const log = hasSystemd ? "" : await readFile(ENGINE_LOG, "utf8").catch(() => "");
  const tail = log.trimEnd().split("\n").slice(-15).join("\n");
  return new TestbedError(
    "setup-failed",
    `"${describeEngineStep(step)}" did not help, no engine is usable at ${endpoint}${tail === "" ? "" : `:\n${tail}`}`,
    { hint: hasSystemd ? "journalctl -u docker says why" : `its log: ${ENGINE_LOG}` },
  );
}
