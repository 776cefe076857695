/** Decides the next step towards a Docker engine that answers; `ensure-engine.ts` carries it out. */

import type { RootAccess } from "./root-command.ts";

/** What set-up needs to know about the machine. */
export interface MachineFacts {
  /** Whether the engine answers, refuses this user, or does not respond. */
  readonly engine: "answers" | "refuses" | "silent";
  readonly endpoint: string;
  /** Whether DOCKER_HOST or a Docker Desktop decides where the engine is: nothing is installed or started then. */
  readonly isOwnChoice: boolean;
  readonly hasEngineInstalled: boolean;
  /** Whether a `dockerd` process runs, even if it does not answer. */
  readonly isEngineRunning: boolean;
  readonly hasSystemd: boolean;
  readonly hasApt: boolean;
  readonly rootAccess: RootAccess;
}

/** One thing to do. */
export type EngineStep =
  | { readonly type: "nothing" }
  /** Install Debian's engine. */
  | { readonly type: "install" }
  | { readonly type: "start"; readonly by: "systemd" | "setsid" }
  /** It runs and may still be starting. */
  | { readonly type: "wait" }
  /** Give this user access to the socket. */
  | { readonly type: "open-socket" }
  | { readonly type: "give-up"; readonly problem: string; readonly hint: string };

/** The first missing step. After it is done, facts are gathered anew and the next step is decided. */
export function nextEngineStep(facts: MachineFacts): EngineStep {
  switch (facts.engine) {
    case "answers":
      return { type: "nothing" };
    case "refuses":
      return openSocket(facts);
    case "silent":
      return wakeEngine(facts);
  }
}

/** What a step does and why, for people. */
export function describeEngineStep(step: EngineStep): string {
  switch (step.type) {
    case "nothing":
      return "the Docker engine answers";
    case "install":
      return "no Docker engine is installed: installing Debian's (docker.io)";
    case "start":
      return "the Docker engine is installed but does not run: starting it";
    case "wait":
      return "the Docker engine runs but does not answer yet: waiting for it";
    case "open-socket":
      return "this user may not use the Docker engine: opening its socket";
    case "give-up":
      return step.problem;
  }
}

function openSocket({ endpoint, rootAccess, isOwnChoice }: MachineFacts): EngineStep {
  if (rootAccess === "sudo" && !isOwnChoice) return { type: "open-socket" };
  return {
    type: "give-up",
    problem: `this user may not use the Docker engine at ${endpoint}`,
    hint: "run setup as a user with sudo, or have root run: usermod -aG docker <user>, and log in again",
  };
}

function wakeEngine(facts: MachineFacts): EngineStep {
  const { endpoint, isOwnChoice, hasEngineInstalled, isEngineRunning, hasSystemd, hasApt, rootAccess } = facts;
  if (isOwnChoice) {
    return {
      type: "give-up",
      problem: `no Docker engine answers at ${endpoint}`,
      hint: "start that engine, or unset DOCKER_HOST to use this machine's",
    };
  }
  if (isEngineRunning) return { type: "wait" };
  if (rootAccess === "none") {
    const what = hasEngineInstalled ? "starting" : "installing";
    return {
      type: "give-up",
      problem: `${what} the Docker engine needs root`,
      hint: "run setup as root or as a user with sudo",
    };
  }
  if (hasEngineInstalled) return { type: "start", by: hasSystemd ? "systemd" : "setsid" };
  if (hasApt) return { type: "install" };
  return {
    type: "give-up",
    problem: "no Docker engine is installed, and this machine has no apt to install it with",
    hint: "install Docker Engine (https://docs.docker.com/engine/install/) and run setup again",
  };
}
