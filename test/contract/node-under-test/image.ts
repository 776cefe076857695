/** Builds the contract tests' node program as one file, and an image that runs it. */

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Engine } from "../../../orchestrator/runtime/docker/engine.ts";
import { buildImage } from "../../../orchestrator/setup/build-image.ts";
import { ensureImage, removeOldVersions } from "../../../orchestrator/setup/images.ts";

/** Writes the program into `directory` and returns its path. */
export async function buildProgram(directory: string): Promise<string> {
  const outfile = join(directory, "program.cjs");
  const entry = fileURLToPath(new URL("./program.ts", import.meta.url));
  await build({ entryPoints: [entry], bundle: true, platform: "node", format: "cjs", outfile, logLevel: "silent" });
  return outfile;
}

/** Returns the id of an image like the node image, with the program as its first process. */
export async function ensureProgramImage(engine: Engine): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "mice-contract-"));
  try {
    const base = await ensureImage(engine, "node", () => undefined);
    const program = await buildProgram(directory);
    const dockerfile = join(directory, "Dockerfile");
    await writeFile(dockerfile, `FROM ${base}\nCOPY program.cjs /program.cjs\nENTRYPOINT ["node", "/program.cjs"]\n`);
    const digest = createHash("sha256")
      .update(base)
      .update(await readFile(program));
    const recipe = {
      tag: `mice-testbed/contract:${digest.digest("hex").slice(0, 12)}`,
      context: [
        { path: "Dockerfile", source: dockerfile, mode: 0o644 },
        { path: "program.cjs", source: program, mode: 0o644 },
      ],
      buildArgs: {},
    };
    const id = await buildImage(engine, recipe, () => undefined);
    await removeOldVersions(engine, recipe.tag, Date.now());
    return id;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
