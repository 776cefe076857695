/** A lab that stays up: reached into from other processes, ended by a client, and gone with its owner. */

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import type { LabStatus } from "../../orchestrator/report/lab-status.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";

const { describe, test } = await needs("netns", "root", "engine");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** A topology of the library under a name of its own, beside other tests' labs. */
async function copyOf(topology: string, name: string): Promise<string> {
  const text = await readFile(join(PACKAGE_ROOT, "topologies", `${topology}.yaml`), "utf8");
  const path = join(directory.path, `${name}.yaml`);
  await writeFile(path, text.replace(/^name: .*$/m, `name: ${name}`));
  return path;
}

describe.each(["netns", "docker"])("a lab on %s", (runtime) => {
  const name = `live-${runtime}`;
  let up: Awaited<ReturnType<typeof runCli>>;
  const env = (): Record<string, string> => ({ XDG_RUNTIME_DIR: directory.path });
  const testbed = (...args: readonly string[]) => runCli(args, { env: env() });

  beforeAll(async () => {
    const words = ["up", await copyOf("nat-nat", name), "--runtime", runtime, "--detach", "--ready-json"];
    up = await testbed(...words);
  });
  afterAll(async () => {
    await testbed("down", name).catch(() => undefined);
  });

  test("stands when the command returns, with its sessions on their paths", async () => {
    expect(up.exitCode, up.stderr).toBe(0);
    const { runId, ...ready } = JSON.parse(up.stdout) as Record<string, string>;
    expect(ready).toEqual({ topology: name, runtime, socket: join(directory.path, `mice-testbed/${runId}.sock`) });
    const { stdout } = await testbed("status", name, "--json");
    const status = JSON.parse(stdout) as LabStatus;
    expect(status.sessions.map(({ name: session, path, pair }) => [session, path, pair?.local.type])).toEqual([
      ["mn-cn", "direct", "server-reflexive"],
    ]);
    expect(status.nodes.map(({ name: node, state }) => `${node} ${state}`)).toEqual(
      ["ha-a", "ha-b", "nat-a", "nat-b", "mn", "cn"].map((node) => `${node} up`),
    );
    expect(status.middleboxes).toHaveLength(2);
    expect((await testbed("ps")).stdout).toMatch(new RegExp(`^\\S+ +${name} +${runtime} +6 +up$`, "m"));
  });

  test("is up once", async () => {
    const { exitCode, stderr } = await testbed("up", join(directory.path, `${name}.yaml`), "--runtime", runtime);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${name} is up already, as `);
  });

  test("commands run in its nodes, with their streams and exit codes", async () => {
    const script = "cat /etc/hosts; echo problem >&2; exit 7";
    const { exitCode, stdout, stderr } = await testbed("exec", name, "cn", "--", "sh", "-c", script);
    expect({ exitCode, stderr }).toEqual({ exitCode: 7, stderr: "problem" });
    expect(stdout).toMatch(/^2001:db8:a::100\s+mn$/m);
    const ping = await testbed("exec", name, "mn", "ping", "-c", "2", "-i", "0.2", "cn");
    expect(ping.stdout).toContain("2 received");
    // The engine says 126.
    expect((await testbed("exec", name, "mn", "--", "nosuch")).exitCode).toBeOneOf([126, 127]);
  });

  test("10 MB through a command arrive whole", async () => {
    const launcher = join(PACKAGE_ROOT, "orchestrator/launch.js");
    const input = Buffer.alloc(10_000_000, "0123456789");
    const words = [launcher, "exec", name, "mn", "--", "cat"];
    const { stdout } = await execa(process.execPath, words, { input, env: env(), encoding: "buffer", maxBuffer: 2e7 });
    expect(Buffer.compare(stdout, input)).toBe(0);
  });

  test("its shell has a terminal, and leaves the lab alone when it exits", async () => {
    // A terminal of script(1); the shell's own words are answers to what it reads.
    const testbedShell = `${process.execPath} ${PACKAGE_ROOT}/orchestrator/launch.js shell ${name} mn`;
    const typed = "stty size; test -t 0 && echo has-terminal; ip -o link show tun0; exit 5\n";
    const session = `stty rows 33 cols 111; ${testbedShell}; echo ended-with $?`;
    const { stdout } = await execa("script", ["-qec", session, "/dev/null"], {
      input: typed,
      env: env(),
      reject: false,
    });
    expect(stdout).toContain("33 111");
    expect(stdout).toContain("has-terminal");
    expect(stdout).toContain("tun0");
    expect(stdout).toContain("ended-with 5");
    expect((await testbed("status", name)).exitCode).toBe(0);
  });

  test("is ended by a client, and leaves nothing", async () => {
    const { exitCode, stdout } = await testbed("down", name);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^removed /);
    expect(await readdir(join(directory.path, "mice-testbed"))).toEqual([]);
    expect((await testbed("ps")).stdout).not.toContain(name);
  });
});

test("the README's minute inside a lab", { timeout: 120_000 }, async () => {
  const readme = await readFile(join(PACKAGE_ROOT, "README.md"), "utf8");
  const [, section = ""] = /## A minute inside a lab\n(.*?)\n## /s.exec(readme) ?? [];
  const commands = [...section.matchAll(/^ {4}npm run testbed (.*)$/gm)].map(([, words = ""]) => words.split(" "));
  expect(commands.length).toBeGreaterThan(3);
  for (const words of commands) {
    // npm takes the first `--` for itself.
    const passed = words.toSpliced(words.indexOf("--"), words.includes("--") ? 1 : 0);
    const { exitCode, stderr } = await runCli(passed, { env: { XDG_RUNTIME_DIR: directory.path } });
    expect({ words, exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: "" });
  }
});

describe("an owner that is killed", () => {
  test.each([
    ["netns", 2000],
    // Containers are removed by the watchdog, one after the other.
    ["docker", 15_000],
  ])("its lab on %s is gone within %d ms", async (runtime, withinMs) => {
    const name = `killed-${runtime}`;
    const folder = join(directory.path, name);
    await mkdir(folder);
    const env = { XDG_RUNTIME_DIR: folder };
    const owner = startCli(["up", await copyOf("open-open", name), "--runtime", runtime, "--ready-json"], { env });
    await new Promise((resolve) => owner.stdout.once("data", resolve));
    owner.kill("SIGKILL");
    await owner;
    await expect.poll(async () => (await runCli(["ps"], { env })).stdout, { timeout: withinMs }).not.toContain(name);
    const { exitCode, stderr } = await runCli(["status", name], { env });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("the owner of ");
    expect(await readdir(join(folder, "mice-testbed"))).toEqual([]);
  });
});

test("Ctrl-C ends a lab in the foreground", async () => {
  const env = { XDG_RUNTIME_DIR: directory.path };
  const owner = startCli(["up", await copyOf("open-open", "interrupted"), "--runtime", "netns", "--ready-json"], {
    env,
  });
  await new Promise((resolve) => owner.stdout.once("data", resolve));
  owner.kill("SIGINT");
  expect((await owner).exitCode).toBe(130);
  expect((await runCli(["ps"], { env })).stdout).not.toContain("interrupted");
});
