/**
 * What goes into a node's image, and what the netns runtime runs as it is: the agent as one file with koffi's prebuilt
 * addon beside it. Everything is made from files of this package; nothing is downloaded.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants, copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OutputFile } from "esbuild";
import { TestbedError } from "../support/errors.ts";
import { keepNewest } from "./keep-newest.ts";

/** Processor architectures that the node image is made for, in Node's own words. */
export type ImageArch = "x64" | "arm64";

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

const PACKAGE_ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AGENT_SOURCE = join(PACKAGE_ROOT, "agent/src");
const ENTRY_NAME = "agent.cjs";
const PROGRAM_NAME = "program.cjs";
const ADDON_NAME = "koffi.node";

/** Where bundles are kept; outside version control. */
const BUILD_DIRECTORY = join(PACKAGE_ROOT, "images/.build");

/** The same for a user to whom that is not to write to. */
const USER_BUILD_DIRECTORY = join(homedir(), ".cache/mice-testbed/agent");

/** Bundles of older sources that labs may still run from. */
const BUNDLES_KEPT = 4;

/** The agent as the sources are now, for this machine's architecture or for `arch`: built once per state of the sources. */
export async function currentAgentBundle(arch: ImageArch = hostArch()): Promise<AgentBundle> {
  const digest = await agentDigest();
  const name = `${arch}-${digest.slice(0, 16)}`;
  const places = [BUILD_DIRECTORY, USER_BUILD_DIRECTORY].map((place) => join(place, name));
  const directory = places.find((place) => existsSync(join(place, ENTRY_NAME)));
  if (directory !== undefined) return { directory, entry: join(directory, ENTRY_NAME) };
  const writable = await writableBuildDirectory();
  const built = await buildAgentBundle(join(writable, name), arch);
  await keepNewest(writable, BUNDLES_KEPT);
  return built;
}

async function writableBuildDirectory(): Promise<string> {
  try {
    await mkdir(BUILD_DIRECTORY, { recursive: true });
    await access(BUILD_DIRECTORY, constants.W_OK);
    return BUILD_DIRECTORY;
  } catch {
    return USER_BUILD_DIRECTORY;
  }
}

/**
 * Builds the agent into a directory. Files are replaced in one step each and the entry last, so that labs that start
 * meanwhile find a whole bundle or none. Throws `setup-failed` for sources that do not compile.
 */
export async function buildAgentBundle(outDir: string, arch: ImageArch = hostArch()): Promise<AgentBundle> {
  await mkdir(outDir, { recursive: true });
  const entry = join(outDir, ENTRY_NAME);
  const [launcher, program] = await Promise.all([compile("launch.ts"), compile("main.ts")]);
  await replaceFile(join(outDir, ADDON_NAME), (temporary) => copyFile(koffiAddon(arch), temporary));
  await replaceFile(join(outDir, PROGRAM_NAME), (temporary) => writeFile(temporary, program.contents));
  await replaceFile(entry, (temporary) => writeFile(temporary, launcher.contents));
  return { directory: outDir, entry };
}

/** One of the agent's sources with all that it imports, as one file. */
async function compile(source: string): Promise<OutputFile> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [join(AGENT_SOURCE, source)],
    bundle: true,
    write: false,
    platform: "node",
    // CommonJS starts faster than an ES module, and is a script whose compiled code V8 can keep.
    format: "cjs",
    target: "node20.19",
    define: { "import.meta.filename": "__filename", "import.meta.dirname": "__dirname" },
    legalComments: "none",
    logLevel: "silent",
  }).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TestbedError("setup-failed", `the agent does not compile: ${message}`, {
      hint: "npx tsc --noEmit shows every error of the sources",
      cause,
    });
  });
  const [code] = result.outputFiles;
  if (code === undefined) throw new Error("esbuild gave no output");
  return code;
}

/**
 * How an agent is started outside of images: by the Node that is in them or, where its package is not installed, by the
 * one that runs this program. One thread to help V8 is enough for an agent; each of Node's four costs it start-up time and
 * memory.
 */
export function agentCommand({ entry }: AgentBundle): readonly string[] {
  return [agentNode(), "--v8-pool-size=1", entry];
}

function agentNode(): string {
  try {
    return nodeBinary(hostArch());
  } catch {
    return process.execPath;
  }
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
      .update(await readFile(path))
      .update("\0");
  for (const name of ["esbuild", "koffi"]) hash.update(`${name}@${versionOf(name)}\n`);
  // How the bundle is built is this file.
  hash.update(await readFile(fileURLToPath(import.meta.url)));
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
    { path: ADDON_NAME, source: join(bundle.directory, ADDON_NAME), mode: 0o644 },
  ];
}

/** Everything that decides what the node image holds, as one digest, without building anything. */
export async function nodeImageDigest(arch: ImageArch = hostArch()): Promise<string> {
  const hash = createHash("sha256").update(await agentDigest());
  hash.update(await readFile(join(PACKAGE_ROOT, "images/node/Dockerfile")));
  hash.update(`node-linux-${arch}@${versionOf(`node-linux-${arch}`)}`);
  return hash.digest("hex");
}

/** The build context of `images/tools`. */
export function toolsImageContext(): readonly ContextFile[] {
  return [{ path: "Dockerfile", source: join(PACKAGE_ROOT, "images/tools/Dockerfile"), mode: 0o644 }];
}

/** This machine's architecture. Throws `engine-failed` on one that no image is made for. */
export function hostArch(): ImageArch {
  const { arch } = process;
  if (arch === "x64" || arch === "arm64") return arch;
  throw new TestbedError("engine-failed", `expected a machine of architecture x64 or arm64, found ${arch}`);
}

const requireFromHere = createRequire(import.meta.url);

function koffiAddon(arch: ImageArch): string {
  return join(packageDirectory(`@koromix/koffi-linux-${arch}`, arch), `linux_${arch}`, ADDON_NAME);
}

export function nodeBinary(arch: ImageArch): string {
  return join(packageDirectory(`node-linux-${arch}`, arch), "bin/node");
}

function packageDirectory(name: string, arch: ImageArch): string {
  try {
    return dirname(requireFromHere.resolve(`${name}/package.json`));
  } catch (cause) {
    throw new TestbedError("no-image", `the package ${name}, which the node image is made from, is not installed`, {
      hint: `npm ci --os linux --cpu ${arch}`,
      cause,
    });
  }
}

/** Version from package.json, found also for packages whose `exports` hide that file. */
function versionOf(name: string): string {
  const { version } = requireFromHere(join(PACKAGE_ROOT, "node_modules", name, "package.json")) as { version: string };
  return version;
}

async function sourceFiles(): Promise<readonly string[]> {
  const entries = await readdir(AGENT_SOURCE, { recursive: true });
  const sources = entries.filter((path) => path.endsWith(".ts") && !path.startsWith("testing"));
  return sources.sort().map((path) => join(AGENT_SOURCE, path));
}

async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await write(temporary);
  await rename(temporary, path);
}
