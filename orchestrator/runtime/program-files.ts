/** The files that a topology gives to a host's program, as an archive: the same for every runtime. */

import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import type { ProgramFile } from "../plan/plan.ts";

/** Names in the archive are the paths below `prefix`, without the first slash. Rejects where a file cannot be read. */
export async function archiveOf(files: readonly ProgramFile[], prefix = ""): Promise<Readable> {
  const contents = await Promise.all(files.map(({ content }) => octetsOf(content)));
  const archive = pack();
  files.forEach(({ path, isExecutable }, i) => {
    archive.entry({ name: `${prefix}${path.slice(1)}`, mode: isExecutable ? 0o755 : 0o644 }, contents[i] ?? "");
  });
  archive.finalize();
  return Readable.from(archive);
}

async function octetsOf(content: ProgramFile["content"]): Promise<Buffer> {
  return content.type === "text" ? Buffer.from(content.text) : readFile(content.from);
}
