/** What a node's control channel makes of silence and of its own end. */

import { describe, expect, test } from "vitest";
import { CONTROL_VERSION } from "../../../agent/src/control/index.ts";
import { AgentLink, type LinkObserver } from "../../../orchestrator/lab/agent-link.ts";
import type { NodeExit, NodeHandle } from "../../../orchestrator/runtime/runtime.ts";
import { createDeferred } from "../../../orchestrator/support/deferred.ts";

const IGNORE: LinkObserver = {
  event: () => undefined,
  captureData: () => undefined,
  captureDone: () => undefined,
  links: () => undefined,
};

const TIMEOUTS = { exitMs: 50, silenceMs: 500, longSilenceMs: 1000 };

/** A node that says these lines and then, until `hangUp`, nothing. It never exits. */
function silentNode(said: readonly unknown[], hindrance?: NodeHandle["hindrance"]) {
  const hungUp = createDeferred<undefined>();
  async function* lines(): AsyncGenerator<string> {
    for (const report of said) yield JSON.stringify(report);
    await hungUp.promise;
  }
  const handle: NodeHandle = {
    name: "mn",
    lines: lines(),
    send: () => undefined,
    exited: new Promise<NodeExit>(() => undefined),
    log: () => "",
    forgetLog: () => undefined,
    pause: () => Promise.resolve(),
    resume: () => Promise.resolve(),
    ...(hindrance === undefined ? {} : { hindrance }),
  };
  return { handle, hangUp: () => hungUp.resolve(undefined) };
}

const CLOCK = { monotonicMs: 0, realMs: 0 };
const HELLO = { type: "hello", version: CONTROL_VERSION, pid: 1, nodeVersion: "v24.0.0", clock: CLOCK };

async function failureOf(link: AgentLink): Promise<unknown> {
  link.ready.catch(() => undefined);
  return link.failed.catch((error: unknown) => error);
}

describe("a node that falls silent", () => {
  test("has failed as soon as it is known what stops it, also before its first heartbeat", async () => {
    const { handle } = silentNode([HELLO], () => Promise.resolve("its container is paused"));
    expect(await failureOf(new AgentLink(handle, IGNORE, TIMEOUTS))).toMatchObject({
      code: "node-failed",
      message: "node mn: it has been silent for 0.5 s: its container is paused",
    });
  });

  test.each([
    ["stops it", () => Promise.resolve(undefined)],
    ["can be told of it", () => Promise.reject(new Error("no engine"))],
    ["can be asked", undefined],
  ])("has failed after a long time when nothing %s", async (_, hindrance) => {
    const { handle } = silentNode([HELLO], hindrance);
    expect(await failureOf(new AgentLink(handle, IGNORE, TIMEOUTS))).toMatchObject({
      message: "node mn: it has been silent for 1.0 s, and should report once a second",
    });
  });

  test("may do so after its last report", async () => {
    const bye = { type: "bye", clock: CLOCK, counters: {} };
    const { handle } = silentNode([HELLO, bye], () => Promise.resolve("its process is stopped"));
    const link = new AgentLink(handle, IGNORE, TIMEOUTS);
    link.end("finish");
    const outcome = await Promise.race([
      failureOf(link),
      new Promise((resolve) => setTimeout(resolve, 1500, "nothing")),
    ]);
    expect(outcome).toBe("nothing");
  });
});

test("a node whose channel ends while it runs on has failed", async () => {
  const { handle, hangUp } = silentNode([HELLO]);
  const link = new AgentLink(handle, IGNORE, TIMEOUTS);
  hangUp();
  expect(await failureOf(link)).toMatchObject({
    message: "node mn: its control channel broke: it was closed, and the node still runs",
  });
});
