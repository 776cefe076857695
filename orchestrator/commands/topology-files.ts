/** Finds topology files: by name among those of this repository, or by path. */

import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { displayPath } from "../support/display-path.ts";
import { TestbedError } from "../support/errors.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import { namesByDistance } from "../topology/nearest-name.ts";

const TOPOLOGIES_DIRECTORY = join(PACKAGE_ROOT, "topologies");

/** A topology file that was read. */
export interface TopologyFile {
  /** As messages show it: relative to where the user is. */
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

/** Reads a topology. `wanted` with a slash or `.yaml` is a path from `directory`, anything else a name. */
export async function readTopologyFile(wanted: string, directory: string): Promise<TopologyFile> {
  const isPath = wanted.includes("/") || /\.ya?ml$/.test(wanted);
  const path = isPath ? resolve(directory, wanted) : join(TOPOLOGIES_DIRECTORY, `${wanted}.yaml`);
  try {
    return { file: displayPath(path, directory), text: await readFile(path, "utf8") };
  } catch (cause) {
    throw isPath ? unreadable(wanted, cause) : await unknownTopology(wanted);
  }
}

function unreadable(wanted: string, cause: unknown): TestbedError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const found = code === "ENOENT" ? "there is none" : cause instanceof Error ? cause.message : String(cause);
  return new TestbedError("unknown-topology", `expected a topology file at ${wanted}: ${found}`, {
    hint: "give the path of a file, or a name from: npm run testbed list",
    cause,
  });
}

async function unknownTopology(wanted: string): Promise<TestbedError> {
  const names = namesByDistance(wanted, await topologyNames()).map(({ name }) => name);
  return new TestbedError("unknown-topology", `no topology is called ${wanted}; there are: ${names.join(", ")}`, {
    hint: `did you mean: npm run testbed ${names[0] ?? "list"}`,
  });
}
