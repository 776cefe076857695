/** Finds the Docker engine and calls it; every failure becomes an error that says how to fix it. */

import { existsSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { TestbedError } from "../../support/errors.ts";
import { homeDirectory } from "../../support/home-directory.ts";

/** An engine that has answered. */
export interface Engine {
  readonly docker: Docker;
  /** `unix:///var/run/docker.sock`, `tcp://host:2376`, … as in DOCKER_HOST. */
  readonly endpoint: string;
  /** Whether its containers share this machine's kernel, so that /proc here applies to them. */
  readonly isLocal: boolean;
  readonly version: EngineVersion;
}

/** What the engine reports about itself. */
interface EngineVersion {
  /** Such as `20.10.24`. */
  readonly engine: string;
  /** Such as `1.41`. */
  readonly api: string;
  readonly kernel: string;
  /** Go's name: `amd64`, `arm64`. */
  readonly arch: string;
}

/** Timeout of the first answer: long enough for a remote engine behind a slow link. */
const GREETING_TIMEOUT_MS = 5000;

/** Timeout of any other answer: a busy engine that starts fifty containers takes some seconds for each. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Where the engine is expected: DOCKER_HOST, or else the first existing one of the sockets that installers use. */
export function engineEndpoint(environment: NodeJS.ProcessEnv = process.env): string {
  const fromEnvironment = environment["DOCKER_HOST"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  const sockets = socketCandidates(environment);
  return `unix://${sockets.find((path) => existsSync(path)) ?? DEFAULT_SOCKET}`;
}

/**
 * Connects to `endpoint`. Throws `no-engine` when nothing answers there and `no-permission` when the socket refuses.
 */
export async function connectEngine(endpoint: string = engineEndpoint()): Promise<Engine> {
  const docker = openClient(endpoint);
  try {
    const { Version, ApiVersion, KernelVersion, Arch } = await answered(docker.version(), GREETING_TIMEOUT_MS);
    const version = { engine: Version, api: ApiVersion, kernel: KernelVersion, arch: Arch };
    return { docker, endpoint, isLocal: isLocalEndpoint(endpoint), version };
  } catch (cause) {
    throw connectionError(endpoint, cause);
  }
}

/** HTTP status of an error response of the engine; undefined for any other error. */
export function engineStatus(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}

/** The engine's message, without the client's prefix. */
export function engineMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const answer: unknown = "json" in error ? error.json : undefined;
  if (typeof answer === "object" && answer !== null && "message" in answer) return String(answer.message);
  return error.message.replace(/^\(HTTP code \d+\) [\w ]* - /, "").trim();
}

/**
 * Awaits `call`, at most `timeoutMs`; an error, or no answer, becomes `engine-failed`, with what was being done. Every
 * request goes through here or `answered`: an engine may stop to answer at any moment, and no run may wait for it.
 */
export async function engineCall<T>(doing: string, call: Promise<T>, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
  try {
    return await answered(call, timeoutMs);
  } catch (cause) {
    if (cause instanceof TestbedError) throw cause;
    const message = `the Docker engine could not ${doing}: ${engineMessage(cause)}`;
    const hint = engineStatus(cause) === undefined ? { hint: SEE_ENGINE } : {};
    throw new TestbedError("engine-failed", message, { ...hint, cause });
  }
}

const SEE_ENGINE = "see whether the engine answers: docker info; and what it says: journalctl -u docker";

/** Awaits `call`; rejects once there is no answer within `timeoutMs`. What the engine does with it then is unknown. */
export async function answered<T>(call: Promise<T>, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
  const over = new AbortController();
  const silence = sleep(timeoutMs, undefined, { ref: false, signal: over.signal }).then(() => {
    throw new Error(`no answer within ${timeoutMs / 1000} s`);
  });
  silence.catch(() => undefined);
  try {
    return await Promise.race([call, silence]);
  } finally {
    over.abort();
  }
}

/** Why an engine that has answered before answers no more; undefined where it does. */
export async function engineFault({ endpoint }: Engine): Promise<TestbedError | undefined> {
  try {
    await connectEngine(endpoint);
    return undefined;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new TestbedError("engine-failed", `the engine stopped to answer during the run: ${why}`, {
      hint: SEE_ENGINE,
      cause,
    });
  }
}

/** The loss of a connection that carries what a container writes. */
export function connectionLost(name: string): TestbedError {
  return new TestbedError("engine-failed", `the Docker engine closed its connection to ${name}`, {
    hint: SEE_ENGINE,
  });
}

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** System engine, rootless engine, Docker Desktop on Linux and on a Mac. */
function socketCandidates(environment: NodeJS.ProcessEnv): readonly string[] {
  const runtimeDirectory = environment["XDG_RUNTIME_DIR"];
  const home = homeDirectory();
  return [
    DEFAULT_SOCKET,
    ...(runtimeDirectory === undefined ? [] : [join(runtimeDirectory, "docker.sock")]),
    ...(home === undefined ? [] : [join(home, ".docker/desktop/docker.sock"), join(home, ".docker/run/docker.sock")]),
  ];
}

/** A client with connections of its own: a second one does not reuse those of the first, which may be dead. */
function openClient(endpoint: string): Docker {
  if (endpoint.startsWith("unix://")) {
    // The client's declarations do not know of its `agent`.
    const options = { socketPath: endpoint.slice("unix://".length), agent: new HttpAgent({ keepAlive: true }) };
    return new Docker(options);
  }
  // TCP with its TLS files, and SSH, from DOCKER_HOST and related variables.
  return new Docker();
}

function isLocalEndpoint(endpoint: string): boolean {
  return process.platform === "linux" && endpoint.startsWith("unix://") && !endpoint.includes("/.docker/desktop/");
}

function connectionError(endpoint: string, cause: unknown): TestbedError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "EACCES" || code === "EPERM") {
    return new TestbedError("no-permission", `this user may not use the Docker engine at ${endpoint}`, {
      hint: "npm run setup (opens the socket with sudo), or run as root",
      cause,
    });
  }
  const why = code === "ENOENT" ? "there is no such socket" : engineMessage(cause);
  return new TestbedError("no-engine", `no Docker engine answers at ${endpoint}: ${why}`, {
    hint: "npm run setup (installs and starts the engine), or set DOCKER_HOST",
    cause,
  });
}
