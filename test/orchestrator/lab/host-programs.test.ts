import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createHostPrograms } from "../../../orchestrator/lab/host-programs.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { createRecorder } from "../../../orchestrator/lab/recorder.ts";
import type { ProgramSpec } from "../../../orchestrator/plan/plan.ts";
import type { NodeExit, OutputListener } from "../../../orchestrator/runtime/runtime.ts";
import { createDeferred } from "../../../orchestrator/support/deferred.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";
import type { HostExpectation } from "../../../orchestrator/topology/model/resolved.ts";

/** A program that a test drives. */
interface Played {
  readonly write: (text: string) => void;
  readonly exit: (code: number) => void;
}

const spec = (name: string, keys: Partial<ProgramSpec> = {}): ProgramSpec => ({
  ...{ name, inside: name, source: { type: "machine" }, command: [name], environment: {} },
  ...keys,
});

/** `play` is called as each program starts; ports of `served` nodes answer. */
function hostsOf(
  specs: readonly ProgramSpec[],
  play: (name: string, program: Played) => void,
  { expectations = [], served = [] }: { expectations?: readonly HostExpectation[]; served?: readonly string[] } = {},
) {
  const recorder = createRecorder(
    () => performance.timeOrigin + performance.now(),
    () => undefined,
  );
  const startProgram = ({ name }: ProgramSpec, onOutput: OutputListener) => {
    const exited = createDeferred<NodeExit>();
    let log = "";
    queueMicrotask(() =>
      play(name, {
        write(text) {
          log += text;
          onOutput("stdout", Buffer.from(text));
        },
        exit: (code) => exited.resolve({ code, logTail: [] }),
      }),
    );
    return Promise.resolve({ name, exited: exited.promise, log: () => log, signal: () => Promise.resolve() });
  };
  const link = (node: string) => ({
    awaitSocket: ({ waitMs }: { waitMs: number }) => sleep(served.includes(node) ? 0 : waitMs, served.includes(node)),
  });
  const hosts = createHostPrograms(specs, expectations, { recorder, lab: { startProgram }, link });
  const told = () => recorder.events.map(tell).filter((text) => text !== undefined);
  return { hosts, told };
}

function tell(event: LabEvent): string | undefined {
  return "node" in event && event.type.startsWith("host-") ? `${event.node} ${event.type.slice(5)}` : undefined;
}

async function failureOf(started: Promise<void>): Promise<TestbedError> {
  const error: unknown = await started.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TestbedError);
  return error as TestbedError;
}

describe("a program starts", () => {
  test("once all that it waits for are ready: by a line of output, by a port, by having ended", async () => {
    const { hosts, told } = hostsOf(
      [
        spec("peer", { startAfter: ["meet", "turn"] }),
        spec("meet", { startAfter: ["prepare"], ready: { type: "output", pattern: "listening", withinMs: 5000 } }),
        spec("turn", { startAfter: ["prepare"], ready: { type: "udp", port: 3478, withinMs: 5000 } }),
        spec("prepare", { ready: { type: "exit", withinMs: 5000 } }),
      ],
      (name, { write, exit }) => {
        if (name === "meet") write("now listening\n");
        if (name === "prepare" || name === "peer") exit(0);
      },
      { served: ["turn"] },
    );
    await hosts.start();
    expect(told().slice(0, 3)).toEqual(["prepare started", "prepare exited", "prepare ready"]);
    expect(told().indexOf("peer started")).toBeGreaterThan(told().indexOf("meet ready"));
    expect(told().indexOf("peer started")).toBeGreaterThan(told().indexOf("turn ready"));
  });

  test("never where one that it waits for is not ready, which ends the run with that one's last lines", async () => {
    const { hosts, told } = hostsOf(
      [
        spec("meet", { ready: { type: "output", pattern: "listening", withinMs: 50 } }),
        spec("peer", { startAfter: ["meet"] }),
      ],
      (_name, { write }) => write("cannot bind\n"),
    );
    const error = await failureOf(hosts.start());
    expect(error.code).toBe("host-not-ready");
    expect(error.message).toBe(
      "host meet: expected a line of output with listening within 0.05 s of its start; it was not\n  its last lines of output:\n  | cannot bind",
    );
    expect(told()).toEqual(["meet started"]);
  });
});

test.each([
  ["output", { type: "output", pattern: "listening", withinMs: 60_000 }, 1, "it ended with exit code 1"],
  ["a port", { type: "tcp", port: 80, withinMs: 60_000 }, 0, "it ended with exit code 0 before"],
  ["its end", { type: "exit", withinMs: 60_000 }, 7, "it ended with exit code 7"],
] as const)("a program that ends before it is ready by %s is not waited for", async (_name, ready, code, found) => {
  const { hosts } = hostsOf([spec("meet", { ready })], (_host, { exit }) => exit(code));
  const error = await failureOf(hosts.start());
  expect(error.message).toMatch(new RegExp(`; ${found}$`));
});

describe("the end of a run waits", () => {
  const expectation = (keys: Partial<HostExpectation>): HostExpectation => ({ host: "peer", source: "x:1", ...keys });

  async function awaitedMs(hosts: ReturnType<typeof hostsOf>["hosts"]): Promise<number> {
    await hosts.start();
    const from = performance.now();
    await hosts.awaitEnd(30_000);
    return performance.now() - from;
  }

  test("for a line that is expected and then two seconds for the program's end", async () => {
    const { hosts } = hostsOf(
      [spec("peer", { watched: ["connected"] })],
      (_name, { write }) => setTimeout(() => write("connected\n"), 100),
      { expectations: [expectation({ output: "connected" })] },
    );
    const tookMs = await awaitedMs(hosts);
    expect(tookMs).toBeGreaterThan(2000);
    expect(tookMs).toBeLessThan(20_000);
    hosts.end();
    expect(hosts.records()).toMatchObject([{ name: "peer", isEndedByTestbed: true }]);
  });

  test("no longer for a service than until it has written what is expected, or can no more", async () => {
    const { hosts } = hostsOf(
      [spec("peer", { watched: ["connected"], isService: true })],
      (_name, { exit }) => setTimeout(() => exit(1), 50),
      { expectations: [expectation({ output: "connected" })] },
    );
    expect(await awaitedMs(hosts)).toBeLessThan(10_000);
  });

  test("no longer than an expectation may take", async () => {
    const { hosts } = hostsOf([spec("peer", { isService: true, watched: ["x"] })], () => undefined, {
      expectations: [expectation({ output: "x", withinMs: 100 })],
    });
    expect(await awaitedMs(hosts)).toBeLessThan(10_000);
  });
});
