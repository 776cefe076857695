/** Finds the Docker engine and calls it; every failure becomes an error that says how to fix it. */

import { existsSync } from "node:fs";
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
const ANSWER_TIMEOUT_MS = 5000;

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
    const { Version, ApiVersion, KernelVersion, Arch } = await Promise.race([docker.version(), silence()]);
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

/** Awaits `call`; an error becomes `engine-failed`, with what was being done. */
export async function engineCall<T>(doing: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    if (cause instanceof TestbedError) throw cause;
    throw new TestbedError("engine-failed", `the Docker engine could not ${doing}: ${engineMessage(cause)}`, { cause });
  }
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

function openClient(endpoint: string): Docker {
  if (endpoint.startsWith("unix://")) return new Docker({ socketPath: endpoint.slice("unix://".length) });
  // TCP with its TLS files, and SSH, from DOCKER_HOST and related variables.
  return new Docker();
}

async function silence(): Promise<never> {
  await sleep(ANSWER_TIMEOUT_MS, undefined, { ref: false });
  throw new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
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
