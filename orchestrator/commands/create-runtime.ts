/** Opens the runtime that the user chose. Drivers are loaded only here, and only the one that is used. */

import type { Runtime, RuntimeName } from "../runtime/runtime.ts";
import { TestbedError } from "../support/errors.ts";
import { isProcessAlive } from "../support/process-identity.ts";

export type RuntimeChoice = RuntimeName | "auto";

/** Throws `no-engine` or `no-permission` where Docker was asked for and does not answer. */
export async function createRuntime(choice: RuntimeChoice, say: (line: string) => void): Promise<Runtime> {
  switch (choice) {
    case "docker":
      return dockerRuntime(say);
    case "netns":
      return netnsRuntime();
    case "auto":
      return dockerRuntime(say).catch((error: unknown) => {
        if (!(error instanceof TestbedError) || error.code !== "no-engine") throw error;
        say(`${error.message}; using the netns runtime`);
        return netnsRuntime();
      });
  }
}

/** Every runtime that may hold labs: the chosen one, or both where Docker answers. */
export async function openRuntimes(choice: RuntimeChoice, say: (line: string) => void): Promise<readonly Runtime[]> {
  if (choice !== "auto") return [await createRuntime(choice, say)];
  const docker = await dockerRuntime(say).catch((error: unknown) => {
    if (!(error instanceof TestbedError) || error.code !== "no-engine") throw error;
    return undefined;
  });
  return [...(docker === undefined ? [] : [docker]), await netnsRuntime()];
}

async function dockerRuntime(say: (line: string) => void): Promise<Runtime> {
  const [{ connectEngine }, { createDockerRuntime }, { resolveNodeImage }] = await Promise.all([
    import("../runtime/docker/engine.ts"),
    import("../runtime/docker/docker-runtime.ts"),
    import("../setup/images.ts"),
  ]);
  const engine = await connectEngine();
  // Labs that start at once share one look at the image, and one build of it.
  let image: Promise<string> | undefined;
  return createDockerRuntime({ engine, nodeImage: () => (image ??= resolveNodeImage(engine, say)) });
}

async function netnsRuntime(): Promise<Runtime> {
  const [{ createNetnsRuntime }, { agentCommand, currentAgentBundle }] = await Promise.all([
    import("../runtime/netns/netns-runtime.ts"),
    import("../setup/bundle.ts"),
  ]);
  return createNetnsRuntime({ agentCommand: agentCommand(await currentAgentBundle()), isAlive: isProcessAlive });
}
