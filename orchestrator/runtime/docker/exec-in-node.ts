/** Runs a command in a node of a lab that is up, with the standard streams of this process. */

import { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Container, Exec } from "dockerode";
import { TestbedError } from "../../support/errors.ts";
import { type Engine, engineCall } from "./engine.ts";
import { frameDemultiplexer } from "./frames.ts";
import { LABELS, labelFilter, PROGRAM_SUFFIX } from "./labels.ts";

/**
 * Returns the command's exit code: that of the engine, 126, where the node has no such command. Throws `bad-usage` where
 * the lab is gone or has no such node.
 */
export async function execInNode(
  engine: Engine,
  runId: string,
  node: string,
  command: readonly string[],
): Promise<number> {
  const container = await containerOf(engine, runId, node);
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const terminal = process.env["TERM"];
  const exec = await engineCall(
    "begin a command",
    container.exec({
      Cmd: [...command],
      ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: isTerminal },
      ...(terminal === undefined ? {} : { Env: [`TERM=${terminal}`] }),
    }),
  );
  const connection = await engineCall("run a command", exec.start({ hijack: true, stdin: true, Tty: isTerminal }));
  if (!(connection instanceof Duplex)) throw new TypeError("expected a connection that can be written to");
  await (isTerminal ? joinTerminal(exec, connection) : joinPipes(connection));
  const { ExitCode: code } = await engineCall("read a command's exit code", exec.inspect());
  return code ?? 0;
}

/** The program of a host while it runs, otherwise the node itself. */
async function containerOf({ docker }: Engine, runId: string, node: string): Promise<Container> {
  const found = await engineCall("list a lab", docker.listContainers({ filters: labelFilter(runId) }));
  const names = [...new Set(found.map(({ Labels }) => Labels[LABELS.name] ?? ""))];
  const own = found.filter(({ Labels }) => Labels[LABELS.name] === node);
  const chosen = own.find(({ Names }) => Names.some((name) => name.endsWith(PROGRAM_SUFFIX))) ?? own[0];
  if (chosen !== undefined) return docker.getContainer(chosen.Id);
  if (names.length === 0) throw new TestbedError("bad-usage", `the lab ${runId} is gone`);
  throw new TestbedError("bad-usage", `the lab ${runId} has no node ${node}`, {
    hint: `its nodes are ${names.sort().join(", ")}`,
  });
}

/** Keys go to the command as they are, Ctrl-C too; the size of the window follows. */
async function joinTerminal(exec: Exec, connection: Duplex): Promise<void> {
  const { stdin, stdout } = process;
  const resize = (): void => void exec.resize({ h: stdout.rows, w: stdout.columns }).catch(() => undefined);
  stdin.setRawMode(true);
  stdin.pipe(connection);
  stdout.on("resize", resize);
  resize();
  try {
    await pipeline(connection, stdout, { end: false });
  } finally {
    stdout.off("resize", resize);
    stdin.unpipe(connection);
    stdin.setRawMode(false);
    stdin.pause();
  }
}

async function joinPipes(connection: Duplex): Promise<void> {
  const { stdin, stdout, stderr } = process;
  stdin.pipe(connection);
  const write = (stream: NodeJS.WriteStream) => (piece: Uint8Array) => {
    if (!stream.write(piece)) {
      connection.pause();
      stream.once("drain", () => connection.resume());
    }
  };
  connection.on("data", frameDemultiplexer({ stdout: write(stdout), stderr: write(stderr) }));
  await new Promise<void>((resolve, reject) => {
    for (const end of ["end", "close"]) connection.once(end, resolve);
    connection.once("error", reject);
  });
  stdin.unpipe(connection);
  stdin.pause();
}
