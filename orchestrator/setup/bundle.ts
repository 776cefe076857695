/**
 * The agent as one file with koffi's prebuilt addon beside it: the contents of the node image, and what the netns
 * runtime runs directly. Everything is made from files of this package; nothing is downloaded.
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

/** The agent on disk: Node runs `entry`; the program and its addon are in the same directory. */
export interface AgentBundle {
  readonly directory: string;
  readonly entry: string;
}

/** One file of an image's build context: `path` inside the context, copied from the file `source`. */
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

/** Where bundles are kept, outside version control; the second is for a user who cannot write to the first. */
function buildDirectories(): readonly string[] {
  const home = homeDirectory();
  const inHome = home === undefined ? [] : [join(home, ".cache/mice-testbed/agent")];
  return [join(PACKAGE_ROOT, "images/.build"), ...inHome];
}

/** How many bundles are kept: labs may still run from those of older sources. */
const BUNDLES_KEPT = 4;

/** The agent of the current sources for `arch`, built once per state of the sources. */
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

/** The first writable one of `directories`, made if it is missing. */
async function firstWritable(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    try {
      await mkdir(directory, { recursive: true });
      await access(directory, constants.W_OK);
      return directory;
    } catch {
      // It belongs to another user, or the file system is read-only.
    }
  }
  return undefined;
}

/**
 * Builds the agent into a directory. Each file is replaced atomically and the entry last, so that labs that start
 * meanwhile find a complete bundle or none. Throws `setup-failed` for sources that do not compile.
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

/** Bundles one of the agent's sources with its imports into one file; with a source map, the map comes first. */
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
 * How an agent is started outside of images: by the Node that runs this program. One V8 worker thread is enough for an
 * agent; each of Node's default four costs start-up time and memory.
 */
export function agentCommand({ entry }: AgentBundle): readonly string[] {
  return [process.execPath, "--v8-pool-size=1", entry];
}

/**
 * Digest of everything that decides what a bundle does: the agent's sources and the versions of built-in packages.
 * Reads a few dozen small files, so that a run can check whether a bundle or image is current without building one.
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
  // This file decides how the bundle is built.
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

/** Digest of everything that decides the contents of the node image, without building anything. */
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

/** Paths relative to the agent's sources, so that the digest does not depend on where the checkout is. */
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
