/** Third-party ICE agents between the mobile and the correspondent node of a kept lab, behind its NATs. */

import { join } from "node:path";
import { execa } from "execa";
import * as z from "zod";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import type { KeptLab } from "./kept-lab.ts";
import type { Command } from "./measure.ts";
import { type Found, notInstalled } from "./peer-programs.ts";

/** A program with the interface of `test/foreign-peer/README.md`, or why this machine has none. */
export type ForeignIce = Found<{ readonly command: Command }>;

const PROGRAMS = join(PACKAGE_ROOT, "test/foreign-peer");
/** Debian's Python, which has Debian's packages. */
const PYTHON = "/usr/bin/python3";
const HOME_AGENT = "198.18.0.2";

const peerResult = z.object({ connectMs: z.number() });

export async function findAioice(): Promise<ForeignIce> {
  const { exitCode } = await execa(PYTHON, ["-c", "import aioice"], { reject: false });
  if (exitCode !== 0) return notInstalled("python3-aioice");
  return { command: [PYTHON, join(PROGRAMS, "aioice_peer.py")] };
}

/** libjuice is only a library; the program here is compiled into `directory`. */
export async function compileLibjuice(directory: string): Promise<ForeignIce> {
  const include = { input: "#include <juice/juice.h>\n", reject: false } as const;
  const { exitCode } = await execa("cc", ["-fsyntax-only", "-x", "c", "-"], include);
  if (exitCode !== 0) return notInstalled("libjuice");
  const program = join(directory, "juice_peer");
  await execa("cc", ["-O2", "-o", program, join(PROGRAMS, "juice_peer.c"), "-ljuice"]);
  return { command: [program] };
}

/** Milliseconds from the offer until both have nominated; the offerer gathers before it, the answerer after it. */
export async function nominateBehindNats(lab: KeptLab, command: Command): Promise<number> {
  const start = (node: string, words: Command, env: Readonly<Record<string, string>> = {}) => {
    const [file, ...args] = lab.inside(node, ...words);
    return execa(file, args, { env, reject: false });
  };
  const rendezvous = start("ha-a", [PYTHON, join(PROGRAMS, "rendezvous.py")]);
  const common = { STUN_SERVER: `${HOME_AGENT}:3478`, RENDEZVOUS: `${HOME_AGENT}:9000` };
  try {
    const ends = await Promise.all([
      start("mn", command, { ...common, PEER_ROLE: "controlling" }),
      start("cn", command, { ...common, PEER_ROLE: "controlled" }),
    ]);
    return Math.max(...ends.map(({ stdout }) => peerResult.parse(JSON.parse(stdout)).connectMs));
  } finally {
    rendezvous.kill("SIGTERM");
    await rendezvous;
  }
}
