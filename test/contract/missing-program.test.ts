/** The netns runtime on machines that lack a program, or whose users do not have it on their PATH. */

import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("root", "netns");

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
});
afterAll(() => out.remove());

/** Hides a program, in a mount namespace, from every directory that may have it. */
const WITHOUT = `
for directory in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin; do
  [ ! -e "$directory/$1" ] || mount --bind /dev/null "$directory/$1" || exit 125
done
shift; exec "$@"`;

function testbed(...args: readonly string[]): readonly string[] {
  return [process.execPath, join(PACKAGE_ROOT, "orchestrator/launch.js"), ...args];
}

function run([file = "", ...args]: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa(file, args, { cwd: PACKAGE_ROOT, env: { INIT_CWD: undefined, ...env }, reject: false, stdin: "ignore" });
}

function runWithout(program: string, ...args: readonly string[]) {
  return run(["unshare", "--mount", "sh", "-c", WITHOUT, "sh", program, ...testbed(...args)]);
}

test("a run that needs nft says so before it makes anything", async () => {
  const { exitCode, stderr } = await runWithout("nft", "nat-nat", "--runtime", "netns", "--out", out.path);
  expect(stderr).toBe(
    "error: the netns runtime needs programs that are not installed: nft, which loads the translation rules of NATs\n" +
      "  → npm run setup -- --runtime netns, or as root: apt-get install nftables",
  );
  expect(exitCode).toBe(3);
});

test("setup --check names the program, its package and its use", async () => {
  const { exitCode, stdout } = await runWithout("nft", "setup", "--check", "--runtime", "netns");
  expect(stdout.split("\n")).toEqual([
    "missing  nft (Debian package nftables), which loads the translation rules of NATs on the netns runtime",
    "         → npm run setup -- --runtime netns, or as root: apt-get install nftables",
  ]);
  expect(exitCode).toBe(3);
});

test("a PATH without the system directories is enough", async () => {
  const PATH = [dirname(process.execPath), "/usr/bin", "/bin"].join(":");
  const { exitCode, stdout, stderr } = await run(testbed("nat-nat", "--runtime", "netns", "--out", out.path), { PATH });
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
});
