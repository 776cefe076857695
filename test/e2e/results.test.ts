/** Results that cannot be written: what is in memory is printed, and the error names the file and what to do. */

import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { startCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns", "root");

/** A run with its set-up, on a machine of any speed. */
const TEST_TIMEOUT_MS = 120_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const RUN = ["open-open", "--runtime", "netns", "--out"] as const;

test("a full disk: the verdict is printed, the file and the cure are told", { timeout: TEST_TIMEOUT_MS }, async () => {
  const full = join(directory.path, "full");
  await mkdir(full);
  await execa("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=40k", "tmpfs", full]);
  try {
    const { exitCode, stdout, stderr } = await startCli([...RUN, full]);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^pass +open-open /m);
    expect(stdout).toMatch(/^some results in /m);
    expect(stderr).toMatch(
      /^error: expected to be able to write \S+-open-open-\S+\/\S+: ENOSPC: .*\n {2}→ make room, or give a directory on another disk with --out$/,
    );
  } finally {
    await execa("/usr/bin/umount", [full]);
  }
});

test("a folder that goes during the run", { timeout: TEST_TIMEOUT_MS }, async () => {
  const out = join(directory.path, "gone");
  const run = startCli([...RUN, out]);
  run.stdout.on("data", (chunk: Buffer) => {
    if (chunk.includes("nodes:")) void rm(out, { recursive: true });
  });
  const { exitCode, stdout, stderr } = await run;
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/^pass +open-open /m);
  expect(stderr).toMatch(
    /^error: expected to be able to write \S+: ENOENT: .*\n {2}→ the directory was removed during the run/,
  );
});

test("a program that prints without end: its log keeps the beginning and the end", {
  timeout: TEST_TIMEOUT_MS,
}, async () => {
  const out = join(directory.path, "endless");
  await writeFile(join(directory.path, "endless.yaml"), ENDLESS);
  const file = join(directory.path, "endless.yaml");
  const { exitCode, stderr } = await startCli([file, "--runtime", "netns", "--out", out]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const log = await readFile(join(out, "latest/logs/h.log"), "utf8");
  expect(log.length).toBeLessThan(5_000_000);
  expect(log).toMatch(/^begin\n/);
  expect(log).toMatch(/\n\[\d+ characters left out: a log keeps 4000000\]\n/);
  expect(log).toMatch(/\nend\n/);
});

const ENDLESS = `name: endless
summary: A program that prints as fast as it can
segments: { lan: { ipv4: 192.168.1.0/24 } }
nodes: { h: { role: host, on: lan, image: none, command: "echo begin; yes | head -c 6000000; echo end" } }
`;

test("forty open files are too few for a lab: that is told, and nothing is left", {
  timeout: TEST_TIMEOUT_MS,
}, async () => {
  const out = join(directory.path, "few");
  const launcher = join(PACKAGE_ROOT, "orchestrator/launch.js");
  const command = ["-c", 'ulimit -n 40; exec "$@"', "sh", process.execPath, launcher, ...RUN, out];
  const { exitCode, stderr } = await execa("sh", command, { reject: false });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 3,
    stderr: expect.stringMatching(
      /^error: .*EMFILE.*\n {2}→ let this process open more files: ulimit -n 1024$/s,
    ) as string,
  });
});

test("without a home, a writable cache and the system's directories on the PATH, as an ordinary user", {
  timeout: TEST_TIMEOUT_MS,
}, async () => {
  await chmod(directory.path, 0o777);
  const launcher = join(PACKAGE_ROOT, "orchestrator/launch.js");
  const options = { reject: false, uid: 65_534, gid: 65_534, cwd: directory.path, extendEnv: false } as const;
  const env = { HOME: "/nonexistent", PATH: "/usr/local/bin:/usr/bin:/bin" };
  const validated = await execa(process.execPath, [launcher, "validate", "nat-nat"], { ...options, env });
  expect(validated).toMatchObject({ exitCode: 0, stderr: "" });
  // No node of this one needs a TUN device, which not every machine opens to all.
  await writeFile(join(directory.path, "nat.yaml"), NAT);
  const { exitCode, stdout, stderr } = await execa(process.execPath, [launcher, "nat.yaml", "--runtime", "netns"], {
    ...options,
    env,
  });
  expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: "" });
  expect(await readdir(join(directory.path, "out"))).toHaveLength(2);
});

/** A NAT, whose rules programs in /usr/sbin load, and nodes that ask it. */
const NAT = `name: nat
summary: A NAT and a host behind it
segments: { internet: { ipv4: 198.18.0.0/24 }, lan: { ipv4: 192.168.1.0/24 } }
nodes:
  nat: { role: router, wan: internet, lan: lan, nat: port-restricted-cone }
  stun: { role: stun-server, on: internet }
  h: { role: host, on: lan, image: none, command: ["true"] }
`;
