/** The netns runtime as an ordinary user: the whole command line inside a user namespace, nothing of root's. */

import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { latestResult, temporaryDirectory } from "../support/run-cli.ts";

/** Nobody's, on every distribution. */
const ORDINARY_USER = 65534;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  await mkdir(join(directory.path, "repository"));
  await chmod(directory.path, 0o755);
  await chown(directory.path, ORDINARY_USER, ORDINARY_USER);
});
afterAll(() => directory.remove());

/**
 * A mount namespace with a TUN device of these permissions, and with this repository where every user may read it; then
 * the command line, as a user without rights.
 */
const AS_ORDINARY_USER = `
mount --make-rprivate / && mount -t tmpfs tmpfs /dev/net && mknod /dev/net/tun c 10 200 && chmod "$1" /dev/net/tun &&
mount --bind "$2" "$3/repository" && cd "$3/repository" || exit 125
node=$4 home=$3; shift 4
HOME=$home exec setpriv --reuid ${ORDINARY_USER} --regid ${ORDINARY_USER} --clear-groups "$node" orchestrator/launch.js "$@"`;

async function runAsOrdinaryUser(tunMode: string, ...args: readonly string[]) {
  const { path } = directory;
  const words = [...args, "--runtime", "netns", "--out", join(path, "out")];
  const places = [tunMode, PACKAGE_ROOT, path, process.execPath];
  const command = ["--mount", "sh", "-c", AS_ORDINARY_USER, "sh", ...places, ...words];
  const env = { npm_lifecycle_event: undefined, INIT_CWD: undefined };
  return execa("unshare", command, { reject: false, stdin: "ignore", env });
}

describe("an ordinary user", () => {
  test.each(["nat-nat", "slow"])("runs %s, boxes, captures and links with conditions included", async (topology) => {
    const { exitCode, stdout, stderr } = await runAsOrdinaryUser("0666", topology);
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: "" });
    const { verdict, captures, environment } = await latestResult(join(directory.path, "out"));
    expect(verdict).toBe("pass");
    expect(environment.capabilities).toMatchObject({ rootless: true });
    expect(captures.length).toBeGreaterThan(0);
  });

  test("is told what to do where TUN devices are not for everybody", async () => {
    const { exitCode, stderr } = await runAsOrdinaryUser("0600", "nat-nat");
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      "error: expected to be able to read and write /dev/net/tun, which ha-a needs; this user may not\n" +
        "  → run as root, or let every user open it, as most distributions do: chmod 0666 /dev/net/tun",
    );
  });
});
