/**
 * Main program of every node, loaded by `launch.ts`. Takes its set-up from the first line on stdin or, when started by
 * hand, from the environment; reports on stdout; ends on command, on a signal, or when the orchestrator is gone.
 */

import { decodeSetup } from "./control/codec.ts";
import {
  type AgentCommand,
  CONTROL_VERSION,
  HEARTBEAT_MS,
  type NodeSetup,
  type RuleText,
  SETUP_VARIABLE,
} from "./control/messages.ts";
import { describeShapeError } from "./control/shape.ts";
import { NodeFailure } from "./io/failure.ts";
import { type Node, type Place, reuseNode, startNode } from "./io/node/node.ts";
import { readClocks } from "./io/process/clock.ts";
import { killAll } from "./io/process/command.ts";
import { openReports, type Reports, readCommands } from "./io/process/control-channel.ts";

/** `EX_SOFTWARE` of sysexits.h. */
const EXIT_FAILED = 70;

/** How long to wait for the last reports to be read. */
const LAST_WORDS_MS = 500;

/** Longest delay of a Node timer: keeps the process alive when nothing else does. */
const FOREVER_MS = 0x7fff_ffff;

main();

function main(): void {
  process.on("exit", killAll);
  let isKept = false;
  let node: Promise<Node> | undefined;
  let place: Promise<Place> | undefined;
  const onOrchestratorGone = (): void => {
    if (!isKept) process.exit(0);
    heartbeat.stop();
    node?.then((started) => started.release()).catch(fail);
  };
  const reports = openReports(onOrchestratorGone);
  const fail = (error: unknown): void => failWith(reports, error);
  const byHand = process.env[SETUP_VARIABLE];
  const heartbeat = createHeartbeat(reports, byHand === undefined);
  process.on("uncaughtException", fail).on("unhandledRejection", fail);
  keepAlive();
  heartbeat.start();

  const begin = (setup: NodeSetup): void => {
    if (node === undefined && place === undefined) {
      node = startNode(setup, reports);
      node.catch(fail);
    } else fail(new NodeFailure("bad-command", "expected one set-up, found a second one"));
  };
  const reset = (started: Promise<Node>): void => {
    heartbeat.stop();
    place = started.then((working) => working.reset());
    place.catch(fail);
    node = undefined;
  };
  const reuse = (rules: readonly RuleText[]): void => {
    if (place === undefined) {
      fail(new NodeFailure("bad-command", "expected a node that was reset before it is reused, found one at work"));
      return;
    }
    heartbeat.start();
    node = place.then((left) => reuseNode(left, rules, reports));
    node.catch(fail);
    place = undefined;
  };
  const finish = (): void => {
    const finished = node === undefined ? Promise.resolve() : node.then((started) => started.finish());
    finished.then(() => endAfter(reports, 0)).catch(fail);
  };
  const onCommand = (command: AgentCommand): void => {
    if (command.type === "setup") begin(command.setup);
    else if (command.type === "keep") isKept = true;
    else if (command.type === "finish") finish();
    else if (command.type === "reuse") reuse(command.rules);
    else if (node === undefined) fail(new NodeFailure("bad-setup", `expected a set-up first, found ${command.type}`));
    else if (command.type === "reset") reset(node);
    else node.then((started) => started.command(command)).catch(fail);
  };
  process.once("SIGTERM", finish).once("SIGINT", finish);

  if (byHand === undefined) {
    const onMalformed = (reason: string): void => {
      fail(new NodeFailure(node === undefined ? "bad-setup" : "bad-command", reason));
    };
    readCommands({ onCommand, onMalformed, onEnd: onOrchestratorGone });
  } else beginByHand(byHand, begin, fail);
}

function keepAlive(): void {
  setInterval(() => undefined, FOREVER_MS);
}

function beginByHand(text: string, begin: (setup: NodeSetup) => void, fail: (error: NodeFailure) => void): void {
  const setup = decodeSetup(text);
  if (setup.ok) begin(setup.value);
  else fail(new NodeFailure("bad-setup", `${SETUP_VARIABLE}: ${describeShapeError(setup.error)}`));
}

function sayHello(reports: Reports): void {
  reports.send({
    type: "hello",
    version: CONTROL_VERSION,
    pid: process.pid,
    nodeVersion: process.version,
    clock: readClocks(),
  });
}

/** Says hello and, where an orchestrator hears it, from then on that the process is neither stopped nor cut off. */
function createHeartbeat(
  reports: Reports,
  isHeard: boolean,
): { readonly start: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      sayHello(reports);
      if (isHeard) timer ??= setInterval(() => reports.send({ type: "alive" }), HEARTBEAT_MS);
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** Reports what stopped the node, on stdout and stderr, and exits. */
function failWith(reports: Reports, error: unknown): void {
  const isExpected = error instanceof NodeFailure;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${isExpected ? error.message : stack}\n`);
  reports.send({ type: "fatal", code: isExpected ? error.code : "crash", message: isExpected ? error.message : stack });
  endAfter(reports, EXIT_FAILED);
}

/** Exits when all reports have been read, or cannot be any more. */
function endAfter(reports: Reports, exitCode: number): void {
  setTimeout(() => process.exit(exitCode), LAST_WORDS_MS);
  void reports.flushed().then(() => process.exit(exitCode));
}
