/** Opens the runtime that the user chose. Drivers are loaded only here, and only the one in use. */

import type { ExistingLabs, Runtime } from "../runtime/runtime.ts";
import { RUNTIME_NAMES, type RuntimeChoice, type RuntimeName } from "../runtime/runtime-name.ts";
import { TestbedError } from "../support/errors.ts";
import type { ProgramKind } from "../topology/resolve/program-kinds.ts";

type Say = (line: string) => void;

interface RuntimeEntry {
  readonly open: (say: Say) => Promise<Runtime>;
  /** The labs that it has made. */
  readonly openLabs: () => Promise<ExistingLabs>;
  /** Code of the error for a machine without this runtime; absent where every machine has it. */
  readonly absence?: TestbedError["code"];
  /**
   * Concurrent labs of a matrix per processor. Cells mostly wait, for better pairs or for silence to count, so a
   * processor carries several. An engine serves one request after the other and gains nothing from more.
   */
  readonly labsPerProcessor: number;
  /** What hosts are started from. */
  readonly programs: ProgramKind;
}

const RUNTIMES: Readonly<Record<RuntimeName, RuntimeEntry>> = {
  docker: { open: dockerRuntime, openLabs: dockerLabs, absence: "no-engine", labsPerProcessor: 3, programs: "images" },
  netns: { open: netnsRuntime, openLabs: netnsLabs, labsPerProcessor: 6, programs: "machine" },
};

/** Throws the driver's error where the runtime is unavailable, such as `no-engine` or `no-permission`. */
export function createRuntime(choice: RuntimeChoice, say: Say): Promise<Runtime> {
  return choice === "auto" ? openFirst(RUNTIME_NAMES, say) : RUNTIMES[choice].open(say);
}

/** What the hosts of topologies may be started from; undefined where the topologies decide. */
export function programsOf(choice: RuntimeChoice): ProgramKind | undefined {
  return choice === "auto" ? undefined : RUNTIMES[choice].programs;
}

/** The runtimes of one command, each opened once. */
export interface OpenRuntimes {
  /**
   * The chosen runtime; with `auto` the one that starts these programs, or the first that this machine has. Throws as
   * `createRuntime`.
   */
  readonly runtimeFor: (programs: ProgramKind | undefined) => Promise<Runtime>;
  readonly close: () => Promise<void>;
}

/** Begins to open the chosen runtime, which takes as long as reading the topologies. */
export function beginRuntimes(choice: RuntimeChoice, say: Say): OpenRuntimes {
  const opened = new Map<RuntimeChoice, Promise<Runtime>>();
  const open = (wanted: RuntimeChoice): Promise<Runtime> => {
    const opening = opened.get(wanted) ?? createRuntime(wanted, say);
    opened.set(wanted, opening);
    return opening;
  };
  // What is wrong with a topology is said first, also on a machine without an engine.
  open(choice).catch(() => undefined);
  return {
    runtimeFor(programs) {
      const fitting = RUNTIME_NAMES.find((name) => RUNTIMES[name].programs === programs);
      return open(choice === "auto" ? (fitting ?? "auto") : choice);
    },
    async close() {
      for (const outcome of await Promise.allSettled(opened.values()))
        if (outcome.status === "fulfilled") await outcome.value.close();
    },
  };
}

/**
 * The labs of every runtime that may hold some: the chosen one, or all that this machine has. They are opened one by one,
 * as they are asked for: a lab without an engine is found without asking one.
 */
export async function* existingLabs(choice: RuntimeChoice): AsyncGenerator<ExistingLabs> {
  if (choice !== "auto") {
    yield await RUNTIMES[choice].openLabs();
    return;
  }
  for (const name of RUNTIME_NAMES.toReversed()) {
    const { openLabs, absence } = RUNTIMES[name];
    const opened = await presentOrError(openLabs(), absence);
    if (!(opened instanceof TestbedError)) yield opened;
  }
}

/** How many labs of a matrix run on a processor at once. */
export function labsPerProcessor(runtime: RuntimeName): number {
  return RUNTIMES[runtime].labsPerProcessor;
}

async function openFirst([name, ...others]: readonly RuntimeName[], say: Say): Promise<Runtime> {
  if (name === undefined) throw new RangeError("expected a runtime to open");
  const { open, absence } = RUNTIMES[name];
  const opened = await presentOrError(open(say), absence);
  if (!(opened instanceof TestbedError)) return opened;
  const [next] = others;
  if (next === undefined) throw opened;
  say(`${opened.message}; using the ${next} runtime`);
  return openFirst(others, say);
}

/** What is opened, or the error that explains why this machine lacks it. */
async function presentOrError<T>(
  opening: Promise<T>,
  absence: TestbedError["code"] | undefined,
): Promise<T | TestbedError> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof TestbedError && error.code === absence) return error;
    throw error;
  }
}

async function dockerLabs(): Promise<ExistingLabs> {
  const [{ connectEngine }, labs] = await Promise.all([
    import("../runtime/docker/engine.ts"),
    import("../runtime/docker/docker-labs.ts"),
  ]);
  return labs.dockerLabs(await connectEngine());
}

async function netnsLabs(): Promise<ExistingLabs> {
  return (await import("../runtime/netns/netns-labs.ts")).NETNS_LABS;
}

async function dockerRuntime(say: Say): Promise<Runtime> {
  const [{ connectEngine }, { createDockerRuntime }, { resolveNodeImage }, { programImages }] = await Promise.all([
    import("../runtime/docker/engine.ts"),
    import("../runtime/docker/docker-runtime.ts"),
    import("../setup/images.ts"),
    import("../setup/program-image.ts"),
  ]);
  const engine = await connectEngine();
  // Labs that start together share one check of the image and one build of it.
  let image: Promise<string> | undefined;
  const node = (): Promise<string> => (image ??= resolveNodeImage(engine, say));
  return createDockerRuntime({ engine, images: { node, program: programImages(engine, say) } });
}

async function netnsRuntime(): Promise<Runtime> {
  const [{ createNetnsRuntime }, { agentCommand, currentAgentBundle }] = await Promise.all([
    import("../runtime/netns/netns-runtime.ts"),
    import("../setup/bundle.ts"),
  ]);
  return createNetnsRuntime({ agentCommand: agentCommand(await currentAgentBundle()) });
}
