/** The programs that the product is compared with; a machine may lack them. */

import { execa } from "execa";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { TestbedError } from "../../orchestrator/support/errors.ts";
import { isInstalled } from "../../orchestrator/support/search-path.ts";

/** A program to compare with, or how to install it. */
export type Found<T> = T | Missing;

export interface Missing {
  readonly missing: string;
}

const INSTALL_COMMANDS = {
  iperf3: "apt-get install iperf3",
  openvpn: "apt-get install openvpn",
  "docker-compose": "apt-get install docker-compose",
  "python3-aioice": "apt-get install python3-aioice",
  libjuice:
    "git clone https://github.com/paullouisageneau/libjuice && cd libjuice && cmake -B build && cmake --build build && " +
    "cmake --install build",
} as const;

export type PeerProgram = keyof typeof INSTALL_COMMANDS;

export function notInstalled(name: PeerProgram): Missing {
  return { missing: `${name} is not installed: ${INSTALL_COMMANDS[name]}` };
}

/** A program of the search path. */
export async function findProgram(name: "iperf3" | "openvpn"): Promise<Found<{ readonly program: string }>> {
  return (await isInstalled(name)) ? { program: name } : notInstalled(name);
}

/** Compose as a standalone program or as a plugin of Docker's command line. */
export async function findCompose(): Promise<Found<{ readonly command: readonly [string, ...string[]] }>> {
  for (const command of [["docker-compose"], ["docker", "compose"]] as const) {
    const [file, ...args] = command;
    const { failed } = await execa(file, [...args, "version"], { reject: false, stdio: "ignore" });
    if (!failed) return { command };
  }
  return notInstalled("docker-compose");
}

export async function findEngine(): Promise<Found<{ readonly engine: Engine }>> {
  try {
    return { engine: await connectEngine() };
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    return { missing: `${error.message}: npm run setup` };
  }
}
