/** User errors and missing prerequisites: the message, the exit code, and that nothing was created. */

import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

async function runFile(name: string, text: string) {
  await writeFile(join(directory.path, name), text);
  return runCli([name, "--out", "results"], { cwd: directory.path });
}

test("an unknown topology: the nearest names", async () => {
  const { exitCode, stdout, stderr } = await runCli(["nat-nta"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^error: no topology is called nat-nta; the nearest are nat-nat, nat-open, /);
  expect(stderr).toContain("\n  → did you mean: npm run testbed nat-nat\n".trimEnd());
});

test("a command that is mistyped: the command that was meant", async () => {
  const { exitCode, stdout, stderr } = await runCli(["valdate", "nat-nat"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^error: no topology is called valdate; .*\n {2}→ did you mean: npm run testbed validate$/);
});

test("help says of no switch that it is off", async () => {
  const { exitCode, stdout } = await runCli(["matrix", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/--both-orders +run every pair twice/);
  expect(stdout).not.toMatch(/default:\s+(false|\[)/);
});

test("a file that is not there", async () => {
  const { exitCode, stderr } = await runCli(["./none.yaml"], { cwd: directory.path });
  expect(exitCode).toBe(2);
  expect(stderr).toBe(
    "error: expected a topology file at ./none.yaml: there is none\n" +
      "  → give the path of a file, or a name from: npm run testbed list",
  );
});

test("everything wrong with a file at once, with positions, and nothing is made", async () => {
  const { exitCode, stdout, stderr } = await runFile(
    "wrong.yaml",
    [
      "name: wrong",
      "segments:",
      "  internet: { ipv4: 198.18.0.0/24 }",
      "nodes:",
      "  ha: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64, colour: red }",
      "  mn: { role: mobile-node, on: intrenet, homeAgent: ha }",
      "  cn: { role: correspondent-node, on: internet, homeAgent: hb }",
      "sessions:",
      "  - { from: mn, to: nobody }",
      "seed: many",
      "",
    ].join("\n"),
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  const positions = [...stderr.matchAll(/^wrong\.yaml:(\d+:\d+) (\S+): /gm)].map(([, at, path]) => `${at} ${path}`);
  expect(positions).toEqual([
    "1:1 summary",
    "5:70 nodes.ha.colour",
    "6:32 nodes.mn.on",
    "7:60 nodes.cn.homeAgent",
    "9:21 sessions[0].to",
    "10:7 seed",
  ]);
  expect(stderr).toMatch(/^error: 6 problems; nothing was created\n/);
  expect(await readdir(directory.path)).not.toContain("results");
});

test("escape codes and line ends of a file are shown, not obeyed", async () => {
  const name = String.raw`"\e[2J\e]0;t\a\nfake.yaml:1:1 all is well"`;
  const { exitCode, stdout, stderr } = await runFile(
    "codes.yaml",
    `name: ${name}\nsummary: s\nsegments: {}\nnodes: {}\n`,
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(
    /^codes\.yaml:1:7 name: .*; found "\\u001b\[2J\\u001b\]0;t\\u0007\\nfake\.yaml:1:1 all is well"$/m,
  );
  expect(`${stdout}${stderr}`).not.toMatch(/^fake/m);
});

test("a pipe is refused at once", async () => {
  await execa("/usr/bin/mkfifo", [join(directory.path, "pipe.yaml")]);
  const { exitCode, stderr } = await runCli(["validate", "pipe.yaml"], { cwd: directory.path });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^error: expected a topology file at pipe\.yaml: it is no regular file\n/);
});

test("broken YAML", async () => {
  const { exitCode, stderr } = await runFile("broken.yaml", "name: [broken\nsegments: {");
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^broken\.yaml:\d+:\d+ /m);
});

test.each([
  ["an unknown option", ["nat-nat", "--fast"], "unknown option '--fast'"],
  ["no topology", [], "missing required argument 'topology'"],
  ["a seed that is no number", ["nat-nat", "--seed", "x"], "expected a whole number of at most 9 digits."],
  ["no factor at all", ["nat-nat", "--timeouts", "0"], "expected a factor from 0.1 to 100."],
  ["no time at all", ["nat-nat", "--timeout", "0"], "expected seconds, more than 0 and at most 86400."],
  ["an unknown runtime", ["nat-nat", "--runtime", "vm"], "Allowed choices are docker, netns, auto."],
] as const)("%s", async (_, args, message) => {
  const { exitCode, stdout, stderr } = await runCli(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(message);
});

test("output that cannot be written is told, and is no bug", async () => {
  const launcher = join(PACKAGE_ROOT, "orchestrator/launch.js");
  const command = ["-c", 'exec "$@" > /dev/full', "sh", process.execPath, launcher, "list"];
  const { exitCode, stderr } = await execa("sh", command, { reject: false });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 3,
    stderr: "error: expected to be able to write the output: ENOSPC: no space left on device, write",
  });
});

test("results that have no place stop a run before it starts", async () => {
  await writeFile(join(directory.path, "occupied"), "");
  const { exitCode, stderr } = await runCli(["nat-nat", "--out", "occupied"], { cwd: directory.path });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(
    /^error: expected to be able to write results to occupied: .*\n {2}→ give another directory with --out$/,
  );
});

test("no engine: what is missing and the command that mends it", async () => {
  const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
  const { exitCode, stdout, stderr } = await runCli(["nat-nat", "--runtime", "docker"], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
  expect(stderr).toMatch(/^error: .*unix:\/\/\/nowhere\/docker\.sock/);
  expect(stderr).toMatch(/npm run setup/);
});

test("a bad topology is the first thing to say also where there is no engine", async () => {
  const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
  expect((await runCli(["nat-nta"], { env })).exitCode).toBe(2);
});

test("no topology of this repository has a problem", async () => {
  const { exitCode, stdout } = await runCli(["validate"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^nat-nat: valid, 6 nodes on 3 segments, 1 session$/m);
});

test("a plan shows every step and rule, and makes nothing, with or without an engine", async () => {
  const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
  const { exitCode, stdout } = await runCli(["plan", "nat-nat"], { env });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^nft -f - <<'EOF'$/m);
  expect(stdout).toMatch(/^iptables-restore --noflush <<'EOF'$/m);
  expect(stdout).toMatch(/^predicted for mn-cn: direct, server-reflexive → server-reflexive$/m);
});

test("the list names every topology with its middleboxes and the path it expects", async () => {
  const { exitCode, stdout } = await runCli(["list"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^nat-nat +port-restricted-cone × port-restricted-cone +direct +Both ends/m);
});
