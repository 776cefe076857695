import { expect, test } from "vitest";
import type { NodeFailure } from "../../../../agent/src/io/failure.ts";
import { startDaemon } from "../../../../agent/src/io/process/daemon.ts";

const shell = (script: string, configuration = "") => ({
  name: "teller",
  command: ["sh", "-c", script],
  configuration,
  readyOutput: "at your service",
});

const unexpected = (failure: NodeFailure): never => {
  throw failure;
};

test("a daemon is given its configuration, and has started when it says that it serves", async () => {
  const configuration = `$(exit 1) \`exit 1\` "\\\n${"x".repeat(100_000)}`;
  const check = `[ "$(cat /dev/stdin)" = "$1" ] && echo at your service && exec sleep 60`;
  const daemon = await startDaemon(
    { ...shell(check, configuration), command: ["sh", "-c", check, "sh", configuration] },
    unexpected,
  );
  await daemon.stop();
});

test("a daemon that ends before it serves is an error with its last words", async () => {
  const starting = startDaemon(shell("echo bad option >&2; exit 7"), unexpected);
  await expect(starting).rejects.toMatchObject({
    code: "daemon-failed",
    message: "the daemon teller ended with exit code 7 before the lab did; its last words:\nbad option",
  });
});

test("a daemon that ends while its node works is reported by name", async () => {
  const failure = await new Promise<NodeFailure>((resolve) => {
    void startDaemon(shell("echo at your service; kill -SEGV $$"), resolve);
  });
  expect(failure).toMatchObject({
    code: "daemon-failed",
    message: "the daemon teller was killed by SIGSEGV before the lab did; its last words:\nat your service",
  });
});

test("a program that is not there is named", async () => {
  const starting = startDaemon({ ...shell(""), command: ["no-such-daemon"] }, unexpected);
  await expect(starting).rejects.toThrow(/the daemon teller ended with exit code 127 [^]*no-such-daemon/);
});
