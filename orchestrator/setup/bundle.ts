/**
 * What goes into a node's image, and what the netns runtime runs as it is: the agent as one file with koffi's prebuilt
 * addon beside it. Everything is made from files of this package; nothing is downloaded.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants, copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { OutputFile } from "esbuild";
import { TestbedError } from "../support/errors.ts";
import { homeDirectory } from "../support/home-directory.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import { keepNewest } from "./keep-newest.ts";
import {
  ADDON_NAME,
  hostArch,
  type ImageArch,
  installedVersion,
  koffiAddon,
  nodeBinary,
  nodeVersion,
} from "./linux-packages.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

/** The agent on disk: `entry` is what Node is started with; the program and its addon lie in the same directory. */
export interface AgentBundle {
  readonly directory: string;
  readonly entry: string;
}

/** One file of an image's build context: `path` inside the context, taken from the file `source`. */
export interface ContextFile {
  readonly path: string;
  readonly source: string;
  /** Permission bits, such as 0o755. */
  readonly mode: number;
}

const AGENT_SOURCE = join(PACKAGE_ROOT, "agent/src");
const ENTRY_NAME = "agent.cjs";
const PROGRAM_NAME = "program.cjs";
const SOURCE_MAP_NAME = `${PROGRAM_NAME}.map`;

/** Where bundles are kept, outside version control, and where they are for a user who cannot write there. */
function buildDirectories(): readonly string[] {
  const home = homeDirectory();
  const inHome = home === undefined ? [] : [join(home, ".cache/mice-testbed/agent")];
  return [join(PACKAGE_ROOT, "images/.build"), ...inHome];
}

/** Bundles of older sources that labs may still run from. */
const BUNDLES_KEPT = 4;

/** The agent as the sources are now, for this machine's architecture or for `arch`: built once per state of the sources. */
export async function currentAgentBundle(arch: ImageArch = hostArch()): Promise<AgentBundle> {
  const digest = await agentDigest();
  const name = `${arch}-${digest.slice(0, 16)}`;
  const directories = buildDirectories();
  const found = directories.map((place) => join(place, name)).find((place) => existsSync(join(place, ENTRY_NAME)));
  if (found !== undefined) return { directory: found, entry: join(found, ENTRY_NAME) };
  const place = await firstWritable(directories);
  if (place === undefined) return buildAgentBundle(makeTemporaryDirectory(), arch);
  const built = await buildAgentBundle(join(place, name), arch);
  await keepNewest(place, BUNDLES_KEPT);
  return built;
}

/** The first of `directories` that takes files, made where it is missing. */
async function firstWritable(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    try {
      await mkdir(directory, { recursive: true });
      await access(directory, constants.W_OK);
      return directory;
    } catch {
      // Another user's, or on a file system that is read only.
    }
  }
  return undefined;
}

/**
 * Builds the agent into a directory. Files are replaced in one step each and the entry last, so that labs that start
 * meanwhile find a whole bundle or none. Throws `setup-failed` for sources that do not compile.
 */
export async function buildAgentBundle(outDir: string, arch: ImageArch = hostArch()): Promise<AgentBundle> {
  await mkdir(outDir, { recursive: true });
  const program = await compile("main.ts", PROGRAM_NAME, "linked");
  const launcher = await compile("launch.ts", ENTRY_NAME, false);
  await replaceFile(join(outDir, ADDON_NAME), (temporary) => copyFile(koffiAddon(arch), temporary));
  for (const { path, contents } of [...program, ...launcher])
    await replaceFile(join(outDir, basename(path)), (temporary) => writeFile(temporary, contents));
  return { directory: outDir, entry: join(outDir, ENTRY_NAME) };
}

/** One of the agent's sources with all that it imports, as one file, after its source map where it is to have one. */
async function compile(source: string, outfile: string, sourcemap: "linked" | false): Promise<readonly OutputFile[]> {
  const { build } = await import("esbuild");
  const result = await build({
    absWorkingDir: PACKAGE_ROOT,
    entryPoints: [join(AGENT_SOURCE, source)],
    // From the package root, so that the map names sources as `agent/src/…`.
    outfile,
    bundle: true,
    write: false,
    platform: "node",
    // CommonJS starts faster than an ES module.
    format: "cjs",
    target: "node24",
    define: { "import.meta.filename": "__filename", "import.meta.dirname": "__dirname" },
    legalComments: "none",
    sourcemap,
    sourcesContent: false,
    logLevel: "silent",
  }).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TestbedError("setup-failed", `the agent does not compile: ${message}`, {
      hint: "npx tsc --noEmit shows every error of the sources",
      cause,
    });
  });
  return result.outputFiles;
}

/**
 * How an agent is started outside of images: by the Node that runs this program. One thread to help V8 is enough for an
 * agent; each of Node's four costs it start-up time and memory.
 */
export function agentCommand({ entry }: AgentBundle): readonly string[] {
  return [process.execPath, "--v8-pool-size=1", entry];
}

/**
 * Everything that decides what a bundle does, as one digest: the agent's sources and the versions of what is built in.
 * Reads a few dozen small files, so that a start can tell whether a bundle or image is current without building one.
 */
async function agentDigest(): Promise<string> {
  const hash = createHash("sha256");
  for (const path of await sourceFiles())
    hash
      .update(path)
      .update("\0")
      .update(await readFile(join(AGENT_SOURCE, path)))
      .update("\0");
  for (const name of ["esbuild", "koffi"]) hash.update(`${installedVersion(name)}\n`);
  // How the bundle is built is this file.
  hash.update(await readFile(import.meta.filename));
  return hash.digest("hex");
}

/** The build context of `images/node`: its Dockerfile, a current Node, the agent and its addon. */
export async function nodeImageContext(
  bundle: AgentBundle,
  arch: ImageArch = hostArch(),
): Promise<readonly ContextFile[]> {
  const node = nodeBinary(arch);
  await stat(node);
  return [
    { path: "Dockerfile", source: join(PACKAGE_ROOT, "images/node/Dockerfile"), mode: 0o644 },
    { path: "node", source: node, mode: 0o755 },
    { path: ENTRY_NAME, source: bundle.entry, mode: 0o644 },
    { path: PROGRAM_NAME, source: join(bundle.directory, PROGRAM_NAME), mode: 0o644 },
    { path: SOURCE_MAP_NAME, source: join(bundle.directory, SOURCE_MAP_NAME), mode: 0o644 },
    { path: ADDON_NAME, source: join(bundle.directory, ADDON_NAME), mode: 0o644 },
  ];
}

/** Everything that decides what the node image holds, as one digest, without building anything. */
export async function nodeImageDigest(arch: ImageArch = hostArch()): Promise<string> {
  const hash = createHash("sha256").update(await agentDigest());
  hash.update(await readFile(join(PACKAGE_ROOT, "images/node/Dockerfile")));
  hash.update(nodeVersion(arch));
  return hash.digest("hex");
}

/** The build context of `images/tools`. */
export function toolsImageContext(): readonly ContextFile[] {
  return [{ path: "Dockerfile", source: join(PACKAGE_ROOT, "images/tools/Dockerfile"), mode: 0o644 }];
}

/** From the agent's source directory, so that the digest of a checkout does not depend on where it is. */
async function sourceFiles(): Promise<readonly string[]> {
  const entries = await readdir(AGENT_SOURCE, { recursive: true });
  const sources = entries.filter((path) => path.endsWith(".ts") && !path.startsWith("testing"));
  return sources.sort();
}

async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await write(temporary);
  await rename(temporary, path);
}
