/** Finds topology files: by name among those of this repository, or by path. */

import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { displayPath } from "../support/display-path.ts";
import { TestbedError } from "../support/errors.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import { namesByDistance, nearestName } from "../topology/file/nearest-name.ts";

const TOPOLOGIES_DIRECTORY = join(PACKAGE_ROOT, "topologies");

/** A topology file that was read. */
export interface TopologyFile {
  /** As messages show it: relative to the user's directory. */
  readonly file: string;
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
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    return { file: displayPath(path, directory), text };
  } catch (cause) {
    throw isPath ? unreadable(wanted, cause) : await unknownTopology(wanted);
  }
}

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: "there is none",
  ENOTDIR: "there is none",
  EISDIR: "it is a directory",
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
