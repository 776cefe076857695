/** Builds an image through the engine's API: without Docker's command line, and also on a remote engine. */

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { type Engine, engineCall } from "../runtime/docker/engine.ts";
import { TestbedError } from "../support/errors.ts";
import type { ContextFile } from "./bundle.ts";
import type { Say } from "./progress.ts";

/** An image to build. */
export interface ImageRecipe {
  readonly tag: string;
  readonly context: readonly ContextFile[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One message of the engine's progress streams (build, pull, import). */
interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly error?: string;
}

/** How long the engine may say nothing while it builds or imports: packages come from slow mirrors too. */
const PROGRESS_SILENCE_MS = 900_000;

/** How many of the build's last lines an error carries. */
const OUTPUT_TAIL_LINES = 15;

/** Builds `recipe` and returns the image's id. Throws `setup-failed` with the end of the output when a step fails. */
export async function buildImage(engine: Engine, recipe: ImageRecipe, say: Say): Promise<string> {
  const { docker } = engine;
  const archive = pack();
  const sent = packContext(archive, recipe.context);
  const built = engineCall(
    `build ${recipe.tag}`,
    docker.buildImage(Readable.from(archive), {
      t: recipe.tag,
      labels: { ...recipe.labels },
      buildargs: { ...proxyArguments(process.env), ...recipe.buildArgs },
      // Package mirrors are reachable as from the machine, also where bridged containers have no route.
      networkmode: "host",
      rm: true,
      forcerm: true,
    }),
    PROGRESS_SILENCE_MS,
  );
  const [progress] = await Promise.all([built, sent]);
  const output: string[] = [];
  await followProgress(engine, progress, ({ stream }) => {
    if (stream === undefined || stream.trim() === "") return;
    output.push(stream.trimEnd());
    const step = /^Step (\d+\/\d+) : (.*)/.exec(stream);
    if (step !== null) say(`  step ${step[1] ?? ""}: ${shorten(step[2] ?? "")}`);
  }).catch((cause: unknown) => {
    const tail = output.slice(-OUTPUT_TAIL_LINES).join("\n");
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TestbedError("setup-failed", `building ${recipe.tag} failed:\n${tail}\n${why}`, { cause });
  });
  const { Id } = await engineCall(`find ${recipe.tag}`, docker.getImage(recipe.tag).inspect());
  return Id;
}

/** Reads one of the engine's progress streams to its end. Rejects with the error that the stream reports. */
export function followProgress(
  { docker }: Engine,
  stream: NodeJS.ReadableStream,
  onMessage: (message: ProgressMessage) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: string | undefined;
    const giveUp = (): void => reject(new Error(`silent for ${PROGRESS_SILENCE_MS / 1000} s`));
    const timer = setTimeout(giveUp, PROGRESS_SILENCE_MS);
    docker.modem.followProgress(
      stream,
      (error) => {
        clearTimeout(timer);
        if (error !== null) reject(error);
        else if (failure !== undefined) reject(new Error(failure));
        else resolve();
      },
      (message: ProgressMessage) => {
        timer.refresh();
        failure ??= message.error;
        onMessage(message);
      },
    );
  });
}

async function packContext(archive: Pack, context: readonly ContextFile[]): Promise<void> {
  // Fixed times: the builder's cache looks at them.
  const mtime = new Date(0);
  for (const { path, source, mode } of context) {
    const { size } = await stat(source);
    const header = { name: path, mode, size, mtime };
    if (size < 1_000_000) archive.entry(header, await readFile(source));
    else await pipeline(createReadStream(source, { highWaterMark: 1 << 20 }), archive.entry(header));
  }
  archive.finalize();
}

/** Predefined build arguments, which builders keep out of the image. */
function proxyArguments(environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
