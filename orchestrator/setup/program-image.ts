/** Images of host programs: those that the engine has, and those built from a folder, kept by their content. */

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../runtime/docker/engine.ts";
import type { LabImages } from "../runtime/docker/lab-images.ts";
import { TestbedError } from "../support/errors.ts";
import { ensureBaseImage } from "./base-image.ts";
import { buildImage } from "./build-image.ts";
import type { ContextFile } from "./bundle.ts";
import { hasImage } from "./has-image.ts";
import { removeOldVersions } from "./images.ts";
import { type Say, withSignOfLife } from "./progress.ts";

/** Images built from folders of users, tagged with the digest of the folder's content. */
const REPOSITORY = "mice-testbed/program";

/** What a folder may hold: more is a mistake, such as a build of one's own or a version history. */
const MOST_FILES = 10_000;
const MOST_OCTETS = 512 * 1024 * 1024;

/**
 * Finds images of host programs by name or id, and builds each folder once, whoever asks. Throws `no-image` where the
 * engine has none, `setup-failed` where a build fails.
 */
export function programImages(engine: Engine, say: Say): LabImages["program"] {
  const built = new Map<string, Promise<string>>();
  return async (host, source) => {
    switch (source.type) {
      case "image":
        return existingImage(engine, host, source.image);
      case "build": {
        const building = built.get(source.folder) ?? builtImage(engine, host, source.folder, say);
        built.set(source.folder, building);
        return building;
      }
    }
  };
}

async function existingImage(engine: Engine, host: string, image: string): Promise<string> {
  if (await hasImage(engine, image)) return image;
  throw new TestbedError("no-image", `node ${host} needs the image ${image}, which the Docker engine does not have`, {
    hint: `docker pull ${image}, or docker build -t ${image} …, or \`build\` with a folder in place of \`image\``,
  });
}

async function builtImage(engine: Engine, host: string, folder: string, say: Say): Promise<string> {
  const context = await contextOf(host, folder);
  const base = await ensureBaseImage(engine, say);
  const tag = `${REPOSITORY}:${(await digestOf(base, context)).slice(0, 12)}`;
  if (await hasImage(engine, tag)) return tag;
  say(`${host}: building ${tag} from ${folder}`);
  const recipe = { tag, context, buildArgs: { BASE_IMAGE: base } };
  await withSignOfLife(say, `building ${tag}`, buildImage(engine, recipe, say));
  await removeOldVersions(engine, tag, Date.now());
  return tag;
}

/** Regular files of a folder in the order of their names; version control is left out. */
async function contextOf(host: string, folder: string): Promise<readonly ContextFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((path) => path !== ".git" && !path.startsWith(".git/"))
    .sort();
  const files = await Promise.all(
    paths.slice(0, MOST_FILES).map(async (path) => {
      const source = join(folder, path);
      const { size, mode } = await stat(source);
      return { path, source, size, mode: mode & 0o777 };
    }),
  );
  const octets = files.reduce((sum, { size }) => sum + size, 0);
  if (paths.length > MOST_FILES || octets > MOST_OCTETS)
    throw new TestbedError(
      "bad-topology",
      `expected the folder that ${host} is built from to hold at most ${MOST_FILES} files and ${MOST_OCTETS} octets; found ${paths.length} files and ${octets} octets in ${folder}`,
      { hint: "give the Dockerfile and what it copies a folder of their own" },
    );
  return files;
}

async function digestOf(base: string, context: readonly ContextFile[]): Promise<string> {
  const hash = createHash("sha256").update(base);
  for (const { path, source, mode } of context) hash.update(`\n${path} ${mode}\n`).update(await readFile(source));
  return hash.digest("hex");
}
