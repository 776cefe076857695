/**
 * The Debian base of every image: one that the engine has, else pulled, else made from Debian packages on this machine
 * if no image registry answers.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { answered, type Engine, engineMessage } from "../runtime/docker/engine.ts";
import { TestbedError } from "../support/errors.ts";
import { isInstalled } from "../support/search-path.ts";
import { installPackages } from "./apt.ts";
import { followProgress } from "./build-image.ts";
import { debianSources, type SourcesFile } from "./debian-sources.ts";
import { hasImage } from "./has-image.ts";
import { type Say, withSignOfLife } from "./progress.ts";
import { asRoot, findRootAccess, type RootAccess } from "./root-command.ts";

const RELEASE = "bookworm";

/** The default of the Dockerfiles. */
const REGISTRY_IMAGE = `debian:${RELEASE}-slim`;

/** The name of a base made on this machine. */
const LOCAL_IMAGE = { repo: "mice-testbed/base", tag: RELEASE };
const LOCAL_IMAGE_NAME = `${LOCAL_IMAGE.repo}:${LOCAL_IMAGE.tag}`;

/** Timeout without progress from a registry; the engine itself would try for minutes. */
const PULL_SILENCE_MS = 15_000;

/** The base that the engine already has, if any. */
async function findBaseImage(engine: Engine): Promise<string | undefined> {
  for (const name of [REGISTRY_IMAGE, LOCAL_IMAGE_NAME]) if (await hasImage(engine, name)) return name;
  return undefined;
}

/** Returns the name of a Debian base image on the engine, pulling or making it if needed. */
export async function ensureBaseImage(engine: Engine, say: Say): Promise<string> {
  const found = await findBaseImage(engine);
  if (found !== undefined) return found;
  say(`pulling ${REGISTRY_IMAGE}, which the images start from`);
  const refusal = await pull(engine, REGISTRY_IMAGE);
  if (refusal === undefined) return REGISTRY_IMAGE;
  say(`  no registry gave it (${refusal}); making the same from Debian packages with mmdebstrap`);
  await makeLocally(engine, say);
  return LOCAL_IMAGE_NAME;
}

/** Returns why the image could not be pulled; undefined on success. */
async function pull(engine: Engine, name: string): Promise<string | undefined> {
  const abort = new AbortController();
  const giveUp = (): void => abort.abort(new Error(`silent for ${PULL_SILENCE_MS / 1000} s`));
  const timer = setTimeout(giveUp, PULL_SILENCE_MS);
  try {
    const progress = await engine.docker.pull(name, { abortSignal: abort.signal });
    await followProgress(engine, progress, () => timer.refresh());
    return undefined;
  } catch (error) {
    return abort.signal.aborted ? engineMessage(abort.signal.reason) : engineMessage(error);
  } finally {
    clearTimeout(timer);
  }
}

async function makeLocally(engine: Engine, say: Say): Promise<void> {
  const access = await findRootAccess();
  if (access === "none" || !(await isInstalled("apt-get"))) throw cannotMake(access);
  if (!(await isInstalled("mmdebstrap"))) await installPackages(access, ["mmdebstrap"], say);
  const sources = debianSources(await readSources(), RELEASE);
  const [file, ...args] = asRoot(access, mmdebstrapCommand(sources !== "", await aptProxies()));
  say(`  $ ${[file, ...args].join(" ")} | import as ${LOCAL_IMAGE_NAME} (about 20 s)`);
  await withSignOfLife(say, "making the base image", bootstrapInto(engine, file, args, sources));
}

/** Streams mmdebstrap's archive into the engine, which may be on another machine. */
async function bootstrapInto(engine: Engine, file: string, args: readonly string[], sources: string): Promise<void> {
  const bootstrap = execa(file, args, { input: sources, buffer: { stdout: false }, reject: false });
  const imported = engine.docker.importImage(bootstrap.stdout, {
    ...LOCAL_IMAGE,
    changes: ['CMD ["bash"]'],
  });
  const [result] = await Promise.all([
    bootstrap,
    imported.then((progress) => followProgress(engine, progress, () => undefined)),
  ]);
  if (!result.failed) return;
  await answered(engine.docker.getImage(LOCAL_IMAGE_NAME).remove()).catch(() => undefined);
  throw new TestbedError("setup-failed", `mmdebstrap failed:\n${result.stderr.split("\n").slice(-10).join("\n")}`);
}

function mmdebstrapCommand(sourcesOnStdin: boolean, proxies: readonly string[]): readonly string[] {
  const excluded = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];
  return [
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    ...excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
    "--aptopt=Acquire::Languages none",
    ...proxies.map((option) => `--aptopt=${option}`),
    RELEASE,
    "-",
    // Without sources mmdebstrap chooses Debian's own mirror.
    ...(sourcesOnStdin ? ["-"] : []),
  ];
}

/** All files of this machine's package sources. */
async function readSources(): Promise<readonly SourcesFile[]> {
  const directory = "/etc/apt/sources.list.d";
  const names = await readdir(directory).catch(() => []);
  const paths = ["/etc/apt/sources.list", ...names.map((name) => join(directory, name))];
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, "utf8").catch(() => "") })));
}

/** Lines such as `Acquire::http::Proxy "http://…";` of this machine's apt. */
async function aptProxies(): Promise<readonly string[]> {
  const { stdout } = await execa("apt-config", ["dump", "Acquire"], { reject: false });
  return stdout.split("\n").filter((line) => /^Acquire::https?::Proxy(?:::\S+)? "\S/i.test(line));
}

function cannotMake(access: RootAccess): TestbedError {
  return new TestbedError("setup-failed", `the engine has no ${REGISTRY_IMAGE}, and no registry gives it`, {
    hint:
      access === "none"
        ? "run setup as root or as a user with sudo, so that a base image can be made from Debian packages"
        : `on a machine without apt: docker load an archive of ${REGISTRY_IMAGE} that another machine has saved`,
  });
}
