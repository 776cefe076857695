/** The netns runtime as an ordinary user: the whole command line inside a user namespace, without root. */

import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { latestResult, temporaryDirectory } from "../support/run-cli.ts";

const { describe, test } = await needs("root", "netns");

/** The user `nobody` on every distribution. */
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
 * A mount namespace with a TUN device of these permissions, and with this repository readable for every user; then a
 * command as an unprivileged user.
 */
const AS_ORDINARY_USER = `
mount --make-rprivate / && mount -t tmpfs tmpfs /dev/net && mknod /dev/net/tun c 10 200 && chmod "$1" /dev/net/tun &&
mount --bind "$2" "$3/repository" && cd "$3/repository" || exit 125
home=$3; shift 3
HOME=$home exec setpriv --reuid ${ORDINARY_USER} --regid ${ORDINARY_USER} --clear-groups "$@"`;

/**
 * A kernel that forbids user namespaces, as this user sees it: the limit is per user namespace and applies inside the
 * one in which the command runs.
 */
const WITHOUT_USER_NAMESPACES = [
  ...["unshare", "--user", `--map-user=${ORDINARY_USER}`, "--keep-caps"],
  ...["sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"],
];

interface Machine {
  readonly tunMode?: string;
  /** The command that runs it. */
  readonly by?: readonly string[];
}

async function runAsOrdinaryUser(topology: string, { tunMode = "0666", by = [] }: Machine = {}) {
  const { path } = directory;
  const testbed = [
    process.execPath,
    "orchestrator/launch.js",
    topology,
    "--runtime",
    "netns",
    "--out",
    join(path, "out"),
  ];
  const places = [tunMode, PACKAGE_ROOT, path];
  const command = ["--mount", "sh", "-c", AS_ORDINARY_USER, "sh", ...places, ...by, ...testbed];
  const env = { npm_lifecycle_event: undefined, INIT_CWD: undefined };
  return execa("unshare", command, { reject: false, stdin: "ignore", env });
}

describe("an ordinary user", () => {
  test.each(["nat-nat", "slow", "port-mapping"])(
    "runs %s, middleboxes, captures, links with conditions and daemons included",
    async (topology) => {
      const { exitCode, stdout, stderr } = await runAsOrdinaryUser(topology);
      expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: "" });
      const { verdict, captures, environment } = await latestResult(join(directory.path, "out"));
      expect(verdict).toBe("pass");
      expect(environment.capabilities).toMatchObject({ rootless: true });
      expect(captures.length).toBeGreaterThan(0);
    },
  );

  test("is told what to do where TUN devices are not for everybody", async () => {
    const { exitCode, stderr } = await runAsOrdinaryUser("nat-nat", { tunMode: "0600" });
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      "error: expected to be able to read and write /dev/net/tun, which ha-a needs; this user may not\n" +
        "  → run as root, or let every user open it, as most distributions do: chmod 0666 /dev/net/tun",
    );
  });

  test("is told what to do where the kernel lets nobody make user namespaces", async () => {
    const { exitCode, stdout, stderr } = await runAsOrdinaryUser("nat-nat", { by: WITHOUT_USER_NAMESPACES });
    expect({ exitCode, told: stderr.split("\n") }, stdout).toEqual({
      exitCode: 3,
      told: [
        "error: expected to be able to make the namespaces of a lab; found unshare: unshare failed: No space left on device",
        "  → run as root, or let ordinary users make user namespaces, which this kernel or its policy forbids: as root, sysctl user.max_user_namespaces=15000, on Debian also kernel.unprivileged_userns_clone=1, on Ubuntu 24.04 and later kernel.apparmor_restrict_unprivileged_userns=0; in a container, no seccomp profile that keeps unshare out",
      ],
    });
  });
});
