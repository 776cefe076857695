/**
 * `npm run setup` on machines in different states. Each machine is this one seen through separate namespaces: without
 * the engine's socket, and with stand-ins for the package manager and the daemon. The daemon's stand-in forwards to the
 * engine of this machine, so that everything behind it is real.
 */

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { connectEngine, type Engine, engineEndpoint } from "../../orchestrator/runtime/docker/engine.ts";
import { buildImage } from "../../orchestrator/setup/build-image.ts";
import { ensureImage, removeOldVersions } from "../../orchestrator/setup/images.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";

const { describe, test } = await needs("engine", "netns");

const SETUP = [process.execPath, "orchestrator/cli.ts", "setup"];

beforeAll(async () => {
  await ensureImage(await connectEngine(), "node", () => undefined);
});

describe("on a machine that has everything", () => {
  test("setup finds nothing to do", async () => {
    const { exitCode, stdout } = await run(SETUP);
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^Docker \S+ answers at /),
      "the node image is up to date",
      "ready: npm run testbed nat-nat",
    ]);
    expect(exitCode).toBe(0);
  });

  test("setup --check says that nothing is missing", async () => {
    const { exitCode, stdout } = await run([...SETUP, "--check"]);
    expect(stdout.split("\n").every((line) => line.startsWith("ok "))).toBe(true);
    expect(exitCode).toBe(0);
  });

  test("a DOCKER_HOST that leads nowhere is reported, and nothing is installed or started for it", async () => {
    const environment = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    const check = await run([...SETUP, "--check"], environment);
    expect(check).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(/^missing {2}no Docker engine/) as string,
    });
    const setup = await run(SETUP, environment);
    expect(setup).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("unset DOCKER_HOST") as string });
  });

  test("a run without an engine says what mends it", async () => {
    const command = [...SETUP.slice(0, -1), "open-open", "--runtime", "docker"];
    const { exitCode, stderr } = await run(command, { DOCKER_HOST: "unix:///nowhere/docker.sock" });
    expect(stderr).toMatch(/error: no Docker engine answers at unix:\/\/\/nowhere.*\n.*npm run setup/);
    expect(exitCode).toBe(3);
  });
});

test("a build that fails ends with what the engine says of it", async () => {
  const engine = await connectEngine();
  const base = await ensureImage(engine, "node", () => undefined);
  const directory = await mkdtemp(join(tmpdir(), "mice-build-"));
  try {
    const source = join(directory, "Dockerfile");
    await writeFile(source, `FROM ${base}\nRUN exit 7\n`);
    const context = [{ path: "Dockerfile", source, mode: 0o644 }];
    const building = buildImage(engine, { tag: "mice-testbed/failing-test", context, buildArgs: {} }, () => undefined);
    await expect(building).rejects.toThrow(/failed:\n.*exit 7.*\n.*returned a non-zero code: 7$/s);
  } finally {
    await rm(directory, { recursive: true });
  }
});

describe("older versions of an image", () => {
  const REPOSITORY = "mice-testbed/versions-test";
  const AN_HOUR_MS = 3_600_000;

  /** Images with different ids, each tagged with a version. */
  async function makeVersions({ docker }: Engine, base: string, versions: readonly string[]): Promise<void> {
    for (const version of versions) {
      const container = await docker.createContainer({ Image: base, Labels: { "versions-test": version } });
      await container.commit({ repo: REPOSITORY, tag: version, comment: version });
      await container.remove();
    }
  }

  test("go an hour after they were built, unless a container uses them; the current one and latest stay", async () => {
    const engine = await connectEngine();
    const { docker } = engine;
    const names = async () => {
      const images = await docker.listImages({ filters: { reference: [REPOSITORY] } });
      return images.flatMap(({ RepoTags }) => RepoTags ?? []).map((tag) => tag.slice(REPOSITORY.length + 1));
    };
    await makeVersions(engine, await ensureImage(engine, "node", () => undefined), [
      "old",
      "used",
      "current",
      "latest",
    ]);
    const user = await docker.createContainer({ Image: `${REPOSITORY}:used` });
    try {
      await removeOldVersions(engine, `${REPOSITORY}:current`, Date.now());
      expect((await names()).sort()).toEqual(["current", "latest", "old", "used"]);
      await removeOldVersions(engine, `${REPOSITORY}:current`, Date.now() + 2 * AN_HOUR_MS);
      expect((await names()).sort()).toEqual(["current", "latest", "used"]);
    } finally {
      await user.remove();
      await Promise.all((await names()).map((version) => docker.getImage(`${REPOSITORY}:${version}`).remove()));
    }
  });
});

describe("on a machine without systemd", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await makeMachine();
  });
  beforeEach(() => machine.reset());
  afterAll(() => machine.remove());

  test("an engine that is installed but stopped is started, once, and waited for", async () => {
    await machine.install("dockerd", daemon(0.5));
    const { exitCode, stdout, all } = await machine.run(SETUP);
    expect(all).toContain("installed but does not run: starting it\n");
    expect(all).toContain("setsid -f sh -c exec dockerd >>/var/log/dockerd.log");
    expect(stdout.endsWith("ready: npm run testbed nat-nat")).toBe(true);
    expect(exitCode).toBe(0);
    expect(await machine.log("dockerd.log")).toBe("daemon started\n");
  });

  test("an engine that is starting is waited for, and no second one is started", async () => {
    await machine.install("dockerd", daemon(3));
    const { exitCode, all } = await machine.run(["sh", "-c", 'setsid -f dockerd & exec "$@"', "sh", ...SETUP]);
    expect(all).toContain("runs but does not answer yet: waiting for it\n");
    expect(all).not.toContain("starting it");
    expect(exitCode).toBe(0);
  });

  test("an engine that is missing is installed, after fetching the package lists where there are none", async () => {
    await machine.install("dockerd.deb", daemon(0.5));
    await machine.install("apt-get", PACKAGE_MANAGER);
    await machine.install("apt-cache", "#!/bin/sh\necho '  Candidate: (none)'\n");
    const { exitCode, all } = await machine.run(SETUP);
    expect(all).toContain("no Docker engine is installed: installing Debian's (docker.io)\n");
    expect((await machine.log("apt-get.log")).split("\n").map((line) => line.replace(/^.*-y /, ""))).toEqual([
      "update",
      expect.stringMatching(/^install --no-install-recommends docker\.io /),
      "",
    ]);
    expect(exitCode).toBe(0);
  });

  test("an engine that does not come up is reported with the end of its log", async () => {
    await machine.install("dockerd", "#!/bin/sh\necho 'failed to start daemon: no cgroups here' >&2\nexit 1\n");
    const { exitCode, stderr } = await machine.run(SETUP);
    expect(stderr).toContain("failed to start daemon: no cgroups here");
    expect(stderr).toContain("/var/log/dockerd.log");
    expect(exitCode).toBe(3);
  });

  test("--check only reports", async () => {
    await machine.install("dockerd", daemon(0.5));
    const { exitCode, stdout } = await machine.run([...SETUP, "--check"]);
    expect(stdout.split("\n").filter((line) => line.startsWith("missing"))).toEqual([
      "missing  the Docker engine is installed but does not run: starting it",
    ]);
    expect(exitCode).toBe(3);
    await expect(machine.log("dockerd.log")).rejects.toThrow();
  });
});

/** Answers some time after its start, like a daemon; its name in the process table is `dockerd`. */
const daemon = (startSec: number): string => `#!/bin/sh
echo 'daemon started'
sleep ${startSec}
${process.execPath} -e '
const net = require("node:net");
net.createServer({ allowHalfOpen: true }, (client) => {
  const engine = net.connect({ path: process.env.REAL_SOCKET, allowHalfOpen: true });
  client.pipe(engine).pipe(client);
  for (const socket of [client, engine]) socket.on("error", () => undefined);
}).listen("/run/docker.sock");'
`;

/** Records its arguments; "installs" the daemon. */
const PACKAGE_MANAGER = `#!/bin/sh
echo "$*" >> /var/log/apt-get.log
case "$*" in *" install "*) cp "$(dirname "$0")/dockerd.deb" "$(dirname "$0")/dockerd" ;; esac
`;

interface Outcome {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly all: string;
}

/** This machine, seen from separate namespaces. */
interface Machine {
  run(command: readonly string[]): Promise<Outcome>;
  /** Puts a program on the PATH. */
  install(name: string, text: string): Promise<void>;
  log(name: string): Promise<string>;
  reset(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Hides the engine's socket, the programs of the real one and systemd; the kernel kills all processes with the command.
 */
const ENTER = `
set -e
touch "$MACHINE/engine.sock"
mount --bind "$REAL_ENGINE" "$MACHINE/engine.sock"
mount --bind "$MACHINE/run" /run
mount --bind "$MACHINE/log" /var/log
if [ -e /usr/sbin/dockerd ]; then mount --bind /dev/null /usr/sbin/dockerd; fi
if [ -e /usr/bin/dockerd ]; then mount --bind /dev/null /usr/bin/dockerd; fi
export REAL_SOCKET="$MACHINE/engine.sock" PATH="$MACHINE/bin:$PATH"
"$@"
`;

async function makeMachine(): Promise<Machine> {
  const directory = await mkdtemp(join(tmpdir(), "mice-machine-"));
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const flags = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const environment = { MACHINE: directory, REAL_ENGINE: engineEndpoint().replace("unix://", "") };
  const directories = ["bin", "run", "log"].map((name) => join(directory, name));
  return {
    run: (command) => run(["unshare", ...asRoot, ...flags, "sh", "-c", ENTER, "sh", ...command], environment),
    install: async (name, text) => {
      const path = join(directory, "bin", name);
      await writeFile(path, text);
      await chmod(path, 0o755);
    },
    log: (name) => readFile(join(directory, "log", name), "utf8"),
    reset: async () => {
      for (const path of directories) {
        await rm(path, { recursive: true, force: true });
        await mkdir(path);
      }
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function run(
  [file = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const options = { cwd: PACKAGE_ROOT, env: environment, reject: false, all: true, stdin: "ignore" } as const;
  const { exitCode, stdout, stderr, all } = await execa(file, args, options);
  return { exitCode, stdout, stderr, all };
}
