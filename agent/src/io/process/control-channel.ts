/** The node's side of the control channel: reports on stdout, commands on stdin. */

import { decodeCommand, encodeLine } from "../../control/codec.ts";
import { createLineSplitter } from "../../control/lines.ts";
import type { AgentCommand, AgentReport } from "../../control/messages.ts";
import { describeShapeError } from "../../control/shape.ts";

export interface Reports {
  send(report: AgentReport): void;
  /** Resolves when everything sent so far has been written, or cannot be any more. */
  flushed(): Promise<void>;
}

/** Handlers for commands. */
export interface CommandHandlers {
  readonly onCommand: (command: AgentCommand) => void;
  /** A line that is not a valid command, with the reason. */
  readonly onMalformed: (reason: string) => void;
  /** The orchestrator is gone. */
  readonly onEnd: () => void;
}

/** Reports on stdout without blocking on the reader: writes to a pipe are buffered. `onLost`: the reader is gone. */
export function openReports(onLost: () => void): Reports {
  const { stdout } = process;
  stdout.on("error", onLost);
  return {
    send: (report) => void stdout.write(encodeLine(report)),
    flushed: () => new Promise((resolve) => stdout.write("", () => resolve())),
  };
}

/** Reads commands from stdin until it ends. */
export function readCommands({ onCommand, onMalformed, onEnd }: CommandHandlers): void {
  const splitter = createLineSplitter();
  process.stdin.on("data", (chunk: Buffer) => {
    for (const split of splitter.push(chunk)) {
      if (!split.ok) {
        onMalformed(`expected a shorter line, found ${split.octets} octets`);
        continue;
      }
      const command = decodeCommand(split.line);
      if (command.ok) onCommand(command.value);
      else onMalformed(describeShapeError(command.error));
    }
  });
  process.stdin.once("end", onEnd).once("error", onEnd);
}
