/** Finds topology files: by name among those of this repository, or by path. */

import { constants, type Stats } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { displayPath } from "../support/display-path.ts";
import { TestbedError } from "../support/errors.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import { namesByDistance, nearestName } from "../topology/file/nearest-name.ts";
import { MOST_FILE_OCTETS } from "../topology/file/size-limits.ts";

const TOPOLOGIES_DIRECTORY = join(PACKAGE_ROOT, "topologies");

/** A topology file that was read. */
export interface TopologyFile {
  /** As messages show it: relative to the user's directory. */
  readonly file: string;
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
}

/** Names of the topologies of this repository, in order. */
export async function topologyNames(): Promise<readonly string[]> {
  const entries = await readdir(TOPOLOGIES_DIRECTORY);
  return entries
    .filter((entry) => entry.endsWith(".yaml"))
    .map((entry) => basename(entry, ".yaml"))
    .sort();
}

/** Reads a topology. `wanted` with a slash or `.yaml` is a path relative to `directory`, anything else a name. */
export async function readTopologyFile(wanted: string, directory: string): Promise<TopologyFile> {
  const isPath = wanted.includes("/") || /\.ya?ml$/.test(wanted);
  const path = isPath ? resolve(directory, wanted) : join(TOPOLOGIES_DIRECTORY, `${wanted}.yaml`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readRegularFile(path));
    return { file: displayPath(path, directory), path, text };
  } catch (cause) {
    throw isPath ? unreadable(wanted, cause) : await unknownTopology(wanted);
  }
}

/**
 * The octets of a regular file, no more than its size says: a pipe or a device may have no end, and files of /proc say
 * that they have none. What it is, is asked before it is opened, for devices act on that. Nothing here waits.
 */
async function readRegularFile(path: string): Promise<Uint8Array> {
  refuseUnlessReadable(await stat(path));
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    refuseUnlessReadable(found);
    const octets = new Uint8Array(found.size);
    let length = 0;
    for (let read = 1; read > 0 && length < octets.length; length += read)
      read = (await file.read(octets, length, octets.length - length)).bytesRead;
    return octets.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** A file that is not read, with what was found. */
class UnreadableFile extends Error {}

function refuseUnlessReadable(file: Stats): void {
  if (file.isDirectory()) throw new UnreadableFile("it is a directory");
  if (!file.isFile()) throw new UnreadableFile("it is no regular file");
  if (file.size > MOST_FILE_OCTETS)
    throw new UnreadableFile(`it has ${file.size} octets, and a topology at most ${MOST_FILE_OCTETS}`);
}

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: "there is none",
  ENOTDIR: "there is none",
  EACCES: "it may not be read",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not text in UTF-8",
};

function unreadable(wanted: string, cause: unknown): TestbedError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const found = FOUND[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new TestbedError("unknown-topology", `expected a topology file at ${wanted}: ${found}`, {
    hint: "give the path of a file, or a name from: npm run testbed list",
    cause,
  });
}

/** Most names listed in a message. */
const NAMES_SHOWN = 8;

async function unknownTopology(wanted: string): Promise<TestbedError> {
  const names = await topologyNames();
  const nearest = namesByDistance(wanted, names).map(({ name }) => name);
  const near = nearestName(wanted, names);
  const shown = `the nearest are ${nearest.slice(0, NAMES_SHOWN).join(", ")}`;
  return new TestbedError("unknown-topology", `no topology is called ${wanted}; ${shown}`, {
    hint: near === undefined ? "all of them: npm run testbed list" : `did you mean: npm run testbed ${near}`,
  });
}
