/** Where the owners of labs listen: a folder that is this user's alone. */

import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestbedError } from "../support/errors.ts";
import { topologyOfRun } from "../support/run-id.ts";

/** Octets of a socket's path, with the zero at its end (unix(7)). */
const MOST_PATH_OCTETS = 108;

/**
 * The folder of this user's sockets, made where it is missing: in XDG_RUNTIME_DIR, or else beside the machine's temporary
 * files. Throws `no-permission` where what is there is another user's, open to others, or no folder: who made it could
 * then stand in for an owner.
 */
function socketFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const runtime = process.env["XDG_RUNTIME_DIR"];
  const isUsable = runtime !== undefined && runtime !== "";
  const folder = isUsable ? join(runtime, "mice-testbed") : join(tmpdir(), `mice-testbed-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  throw new TestbedError("no-permission", `expected ${folder} to be a folder of this user alone, and it is not`, {
    hint: `remove it, or set XDG_RUNTIME_DIR to a folder of your own with mode 0700`,
  });
}

/** The socket of a run's lab. Throws `no-permission` for an unsafe folder, `setup-failed` for a path that is too long. */
export function socketPath(runId: string): string {
  const path = join(socketFolder(), runId + SOCKET_SUFFIX);
  if (Buffer.byteLength(path) < MOST_PATH_OCTETS) return path;
  throw new TestbedError(
    "setup-failed",
    `expected a socket's path of fewer than ${MOST_PATH_OCTETS} octets, found ${path}`,
    {
      hint: "set XDG_RUNTIME_DIR to a folder with a shorter path",
    },
  );
}

const SOCKET_SUFFIX = ".sock";

/** The run of a lab that has an owner, and its topology. */
export interface OwnedRun {
  readonly runId: string;
  readonly topology: string;
}

/** The labs whose owners listen, or have died without leaving. */
export function listOwners(): readonly OwnedRun[] {
  return readdirSync(socketFolder()).flatMap((name) => {
    const runId = name.slice(0, -SOCKET_SUFFIX.length);
    const topology = name.endsWith(SOCKET_SUFFIX) ? topologyOfRun(runId) : undefined;
    return topology === undefined ? [] : [{ runId, topology }];
  });
}

/** Where an owner in the background writes what it has to say. */
export function ownerLogPath(): string {
  return join(socketFolder(), `${new Date().toISOString().replaceAll(/[-:.]/g, "")}-${process.pid}.log`);
}
