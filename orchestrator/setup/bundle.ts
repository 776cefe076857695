/**
 * What goes into a node's image, and what the netns runtime runs as it is: the agent as one file with koffi's prebuilt
 * addon beside it. Everything is made from files of this package; nothing is downloaded.
 */

import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { TestbedError } from "../support/errors.ts";

/** Processor architectures that the node image is made for, in Node's own words. */
export type ImageArch = "x64" | "arm64";

/** The agent on disk: `entry` is what Node is started with; its addon lies in the same directory. */
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
const BUNDLE_NAME = "agent.cjs";
const ADDON_NAME = "koffi.node";

/** Where the bundle is built unless told otherwise; outside version control. */
export const BUILD_DIRECTORY = join(PACKAGE_ROOT, "images/.build");

/**
 * Builds the agent for this machine's architecture, or for `arch`. Files are replaced in one step each, so that labs
 * that start meanwhile see the old bundle or the new one.
 */
export async function buildAgentBundle(
  outDir: string = BUILD_DIRECTORY,
  arch: ImageArch = hostArch(),
): Promise<AgentBundle> {
  await mkdir(outDir, { recursive: true });
  const result = await build({
    entryPoints: [join(AGENT_SOURCE, "main.ts")],
    bundle: true,
    write: false,
    platform: "node",
    // CommonJS starts faster than an ES module, and is what the compile cache of Node covers best.
    format: "cjs",
    target: "node20.19",
    define: { "import.meta.url": "__filename" },
    legalComments: "none",
    logLevel: "silent",
  });
  const entry = join(outDir, BUNDLE_NAME);
  const [code] = result.outputFiles;
  if (code === undefined) throw new Error("esbuild gave no output");
  await Promise.all([
    replaceFile(entry, (temporary) => writeFile(temporary, code.contents)),
    replaceFile(join(outDir, ADDON_NAME), (temporary) => copyFile(koffiAddon(arch), temporary)),
  ]);
  return { directory: outDir, entry };
}

/** How agents run outside of images. */
export interface AgentNode {
  readonly executable: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The Node that is in the images, with compiled code kept beside the bundle as there: an agent starts in 40 ms of CPU
 * time in place of 68 (Node 20). Where that package is not installed, the Node that runs this program.
 */
export function agentNode({ directory }: AgentBundle): AgentNode {
  const environment = { NODE_COMPILE_CACHE: join(directory, "compile-cache") };
  try {
    return { executable: nodeBinary(hostArch()), environment };
  } catch {
    return { executable: process.execPath, environment };
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
    { path: BUNDLE_NAME, source: bundle.entry, mode: 0o644 },
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
