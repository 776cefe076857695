/** The images of the testbed: found by the digest of their inputs, built when the inputs have changed. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { answered, type Engine, engineCall, engineStatus } from "../runtime/docker/engine.ts";
import { TestbedError } from "../support/errors.ts";
import { ensureBaseImage } from "./base-image.ts";
import { buildImage } from "./build-image.ts";
import {
  type ContextFile,
  currentAgentBundle,
  nodeImageContext,
  nodeImageDigest,
  toolsImageContext,
} from "./bundle.ts";
import type { ImageArch } from "./linux-packages.ts";
import { type Say, withSignOfLife } from "./progress.ts";

/** `node` is the image of every node; `tools` has host programs for the test suite. */
export type ImageKind = "node" | "tools";

/** Whether an image is current, was built from older inputs, or was never built. */
export type ImageState =
  | { readonly state: "current"; readonly id: string }
  | { readonly state: "stale" }
  | { readonly state: "missing" };

/** How long an older version is kept: other checkouts of this repository may use it. */
const KEPT_FOR_MS = 3_600_000;

/** The tag that people use, as does `docker-compose.yml`. */
const LATEST = "latest";

/** Checks whether the engine has the image of the current inputs. Builds nothing; takes a few milliseconds. */
export async function findImage(engine: Engine, kind: ImageKind): Promise<ImageState> {
  const tag = await imageTag(kind, engineArch(engine));
  try {
    const { Id } = await answered(engine.docker.getImage(tag).inspect());
    return { state: "current", id: Id };
  } catch (error) {
    if (engineStatus(error) !== 404) await engineCall(`find ${tag}`, Promise.reject(error as Error));
  }
  return { state: (await versionsOf(engine, repository(kind))).length > 0 ? "stale" : "missing" };
}

/**
 * Returns the image's id. Builds it (and its base) if the engine does not have it, and removes older versions.
 */
export async function ensureImage(engine: Engine, kind: ImageKind, say: Say): Promise<string> {
  const found = await findImage(engine, kind);
  const id = found.state === "current" ? found.id : await makeImage(engine, kind, say);
  await nameLatest(engine, kind, id);
  await removeOldVersions(engine, await imageTag(kind, engineArch(engine)), Date.now());
  return id;
}

async function makeImage(engine: Engine, kind: ImageKind, say: Say): Promise<string> {
  const arch = engineArch(engine);
  const base = await ensureBaseImage(engine, say);
  const tag = await imageTag(kind, arch);
  say(`building ${tag} from ${base}`);
  const recipe = {
    tag,
    context: await imageContext(kind, arch),
    buildArgs: { BASE_IMAGE: base },
  };
  return withSignOfLife(say, `building ${tag}`, buildImage(engine, recipe, say));
}

/** Moves the tag that `docker-compose.yml` uses; runs use the digest. */
async function nameLatest({ docker }: Engine, kind: ImageKind, id: string): Promise<void> {
  await engineCall(
    `name ${repository(kind)}:${LATEST}`,
    docker.getImage(id).tag({ repo: repository(kind), tag: LATEST }),
  );
}

/**
 * Removes the other versions of an image that no container uses and that were built more than an hour before `nowMs`.
 * One that the engine refuses to remove is left for the next time.
 */
export async function removeOldVersions(engine: Engine, currentTag: string, nowMs: number): Promise<void> {
  const { docker } = engine;
  const [versions, containers] = await Promise.all([
    versionsOf(engine, currentTag.slice(0, currentTag.lastIndexOf(":"))),
    engineCall("list its containers", docker.listContainers({ all: true })),
  ]);
  const used = new Set(containers.map(({ ImageID }) => ImageID));
  const old = versions.filter(
    ({ tag, id, builtAtMs }) => tag !== currentTag && !used.has(id) && builtAtMs < nowMs - KEPT_FOR_MS,
  );
  await Promise.allSettled(old.map(({ tag }) => answered(docker.getImage(tag).remove({ force: false }))));
}

/**
 * The node image of a run: the current one, or a stale one rebuilt (everything but the agent comes from the builder's
 * cache: about two seconds). Refuses if set-up has never been run.
 */
export async function resolveNodeImage(engine: Engine, say: Say): Promise<string> {
  const found = await findImage(engine, "node");
  if (found.state === "current") return found.id;
  if (found.state === "stale") {
    say("the agent's sources have changed: bringing the node image up to date");
    return ensureImage(engine, "node", () => undefined);
  }
  throw new TestbedError("no-image", "the Docker engine does not have the image that nodes run", {
    hint: "npm run setup",
  });
}

async function imageTag(kind: ImageKind, arch: ImageArch): Promise<string> {
  return `${repository(kind)}:${(await imageDigest(kind, arch)).slice(0, 12)}`;
}

function repository(kind: ImageKind): string {
  return `mice-testbed/${kind}`;
}

async function imageDigest(kind: ImageKind, arch: ImageArch): Promise<string> {
  switch (kind) {
    case "node":
      return nodeImageDigest(arch);
    case "tools": {
      const hash = createHash("sha256");
      for (const { path, source } of toolsImageContext()) hash.update(path).update(await readFile(source));
      return hash.digest("hex");
    }
  }
}

async function imageContext(kind: ImageKind, arch: ImageArch): Promise<readonly ContextFile[]> {
  switch (kind) {
    case "node":
      return nodeImageContext(await currentAgentBundle(arch), arch);
    case "tools":
      return toolsImageContext();
  }
}

/** The engine's architecture: it may run in a virtual machine, or on another machine. */
function engineArch({ version }: Engine): ImageArch {
  return version.arch === "arm64" || version.arch === "aarch64" ? "arm64" : "x64";
}

/** A tagged version of an image of the testbed. */
interface Version {
  readonly tag: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly builtAtMs: number;
}

/** Every version of a repository that is tagged with a digest. */
async function versionsOf({ docker }: Engine, repositoryName: string): Promise<readonly Version[]> {
  const images = await engineCall("list its images", docker.listImages({ filters: { reference: [repositoryName] } }));
  const isVersion = (tag: string): boolean => tag.startsWith(`${repositoryName}:`) && !tag.endsWith(`:${LATEST}`);
  return images.flatMap(({ Id, Created, RepoTags }) =>
    (RepoTags ?? []).filter(isVersion).map((tag) => ({ tag, id: Id, builtAtMs: Created * 1000 })),
  );
}
