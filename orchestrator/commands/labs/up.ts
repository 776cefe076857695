/** `testbed up`: makes a lab, brings its sessions to their paths, and owns it until it is told to end. */

import { labTimeouts } from "../../lab/lab-timeouts.ts";
import { runLab } from "../../lab/run-lab.ts";
import { answerFor } from "../../owner/answer.ts";
import { connectOwner } from "../../owner/owner-client.ts";
import { listenAt } from "../../owner/owner-socket.ts";
import { socketPath } from "../../owner/socket-path.ts";
import { buildPlan } from "../../plan/build-plan.ts";
import { planProbes } from "../../plan/probe-plan.ts";
import { formatStatus, statusOf } from "../../report/lab-status.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { RuntimeChoice } from "../../runtime/runtime-name.ts";
import { createDeferred } from "../../support/deferred.ts";
import { TestbedError } from "../../support/errors.ts";
import type { ResolvedTopology } from "../../topology/model/resolved.ts";
import { predictRun } from "../../topology/predict/predict-run.ts";
import { programKindOf } from "../../topology/resolve/program-kinds.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { beginRuntimes } from "../create-runtime.ts";
import { eventPrinter } from "../event-printer.ts";
import { loadTopologies } from "../load-topologies.ts";
import { newRun } from "../new-run.ts";
import { forgetOwnerLog, type LabIsUp, reportToStarter } from "./detach.ts";

export interface UpOptions {
  readonly runtime: RuntimeChoice;
  /** Prints one line of JSON once the lab stands; what is told of it goes to stderr. */
  readonly readyJson: boolean;
  readonly seed?: number;
  /** Until the lab stands. */
  readonly timeoutMs: number;
  /** Factor of the timeouts of the lab's steps. */
  readonly timeouts: number;
}

/** Returns 0 once a client has ended the lab. Throws what else ends it: an interruption, or a node that fails. */
export async function up(wanted: string, options: UpOptions, context: CommandContext): Promise<ExitCode> {
  const runtimes = beginRuntimes(options.runtime, context.say);
  try {
    const [loaded] = await loadTopologies([wanted], context, options);
    if (loaded === undefined) throw new Error("no topology, and no error either");
    const runtime = await runtimes.runtimeFor(programKindOf(loaded.topology.nodes));
    await refuseSecond(runtime, loaded.topology.name);
    await ownLab(loaded.topology, runtime, options, context);
    return 0;
  } finally {
    await runtimes.close();
  }
}

/** A topology is up once: its name is then enough to say which lab is meant. */
async function refuseSecond(runtime: Runtime, topology: string): Promise<void> {
  const others = (await runtime.listLabs()).filter((lab) => lab.topology === topology && lab.isOwnerAlive);
  for (const { runId } of others) {
    const socket = await connectOwner(socketPath(runId));
    if (socket === undefined) continue;
    socket.destroy();
    throw new TestbedError("bad-usage", `${topology} is up already, as ${runId}`, {
      hint: `testbed status ${topology} shows it, testbed down ${topology} ends it`,
    });
  }
}

async function ownLab(
  topology: ResolvedTopology,
  runtime: Runtime,
  options: UpOptions,
  context: CommandContext,
): Promise<void> {
  const identity = newRun(topology.name);
  const path = socketPath(identity.runId);
  const now = (): number => performance.timeOrigin + performance.now();
  const wantsEnd = createDeferred<undefined>();
  const removed = createDeferred<readonly string[]>();
  let close = (): Promise<void> => Promise.resolve();
  const record = await runLab({
    ...{ runtime, identity, topology, plan: buildPlan(topology, { capture: false }), probes: planProbes(topology) },
    ...{ predictions: predictRun(topology), signal: context.signal, keep: false },
    ...{ timeoutMs: options.timeoutMs, timeouts: labTimeouts(options.timeouts) },
    onEvent: eventPrinter(now(), context),
    async stay(lab) {
      const end = (): Promise<readonly string[]> => {
        wantsEnd.resolve(undefined);
        return removed.promise;
      };
      close = (await listenAt(path, answerFor({ topology, lab, now, end }))).close;
      const { runId } = identity;
      const { name: runtimeName } = runtime;
      announce({ runId, topology: topology.name, runtime: runtimeName, socket: path }, options, context);
      for (const line of formatStatus(statusOf(topology, lab.events, now()), context.paint)) context.say(line);
      await wantsEnd.promise;
    },
  });
  const { leftovers } = await record.removal;
  removed.resolve(leftovers);
  await close();
  if (record.error instanceof Error) throw record.error;
  forgetOwnerLog();
  if (leftovers.length > 0) throw new TestbedError("leak", ["could not remove:", ...leftovers].join("\n  "));
}

function announce(lab: LabIsUp, { readyJson }: UpOptions, { print }: CommandContext): void {
  if (readyJson) print(JSON.stringify(lab));
  reportToStarter(lab);
}
