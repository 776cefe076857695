/**
 * Wireshark as an independent check: tshark of the tools image reads a capture, with and without this project's
 * dissector.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GenericContainer } from "testcontainers";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

export interface Tshark {
  /** The lines that tshark prints for a capture, read in two passes so that answers are matched to requests. */
  readonly read: (capture: string, args: readonly string[]) => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

const DISSECTOR = join(PACKAGE_ROOT, "images/tools/mice.lua");

export async function startTshark(): Promise<Tshark> {
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const image = await ensureImage(await connectEngine(), "tools", () => undefined);
  const tools = await new GenericContainer(image)
    .withCommand(["sleep", "600"])
    .withAutoRemove(true)
    .withCopyContentToContainer([{ content: await readFile(DISSECTOR), target: "/mice.lua" }])
    .start();
  return {
    async read(capture, args) {
      await tools.copyContentToContainer([{ content: await readFile(capture), target: "/capture.pcapng" }]);
      const command = ["tshark", "-2", "-n", "-X", "lua_script:/mice.lua", "-r", "/capture.pcapng", ...args];
      const { exitCode, stdout, stderr } = await tools.exec(command);
      if (exitCode !== 0) throw new Error(`tshark ended with ${exitCode}: ${stderr}`);
      return stdout.split("\n").filter((line) => line !== "");
    },
    stop: async () => {
      await tools.stop();
    },
  };
}

/** Arguments that print these fields, separated by `|`, one line for each packet that matches `filter`. */
export function fieldsOf(filter: string, ...names: readonly string[]): readonly string[] {
  return ["-Y", filter, "-T", "fields", "-E", "separator=|", ...names.flatMap((name) => ["-e", name])];
}
