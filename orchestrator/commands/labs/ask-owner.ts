/** Commands that ask the owner of a lab. */

import { z } from "zod";
import { ask, connectOwner } from "../../owner/owner-client.ts";
import type { OwnerRequest } from "../../owner/protocol.ts";
import { listOwners, socketPath } from "../../owner/socket-path.ts";
import { formatStatus, type LabStatus } from "../../report/lab-status.ts";
import { TestbedError } from "../../support/errors.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { chooseLab } from "./find-lab.ts";

/** `testbed status [lab]` */
export async function status(name: string | undefined, json: boolean, context: CommandContext): Promise<ExitCode> {
  for await (const value of answers(name, { type: "status" }, context)) {
    if (json) context.printJson(value);
    // The owner is this program, of the same version.
    else for (const line of formatStatus(value as LabStatus, context.paint)) context.print(line);
  }
  return 0;
}

const LOG_PIECE = z.object({ node: z.string(), text: z.string() });

export interface LogOptions {
  readonly follow: boolean;
  readonly lab?: string;
}

/** `testbed logs [node…]`: each line after its node's name. */
export async function logs(
  nodes: readonly string[],
  { lab, follow }: LogOptions,
  context: CommandContext,
): Promise<ExitCode> {
  for await (const value of answers(lab, { type: "logs", nodes: [...nodes], follow }, context)) {
    const { node, text } = LOG_PIECE.parse(value);
    for (const line of text.trimEnd().split("\n")) context.print(`${context.paint.faint(`${node} |`)} ${line}`);
  }
  return 0;
}

/** Asks the owner of a run's lab to end it; undefined where no owner listens, otherwise what could not be removed. */
export async function endByOwner(runId: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const socket = await connectOwner(socketPath(runId));
  if (socket === undefined) return undefined;
  for await (const value of ask(socket, { type: "end" }, signal)) return z.array(z.string()).parse(value);
  return [];
}

async function* answers(
  name: string | undefined,
  request: OwnerRequest,
  { signal }: CommandContext,
): AsyncGenerator<unknown, void> {
  const { runId } = chooseLab(listOwners(), name);
  const socket = await connectOwner(socketPath(runId));
  if (socket === undefined) throw new TestbedError("lab-ended", `the owner of ${runId} is gone, and its lab with it`);
  yield* ask(socket, request, signal);
}
