/** Programs of hosts on the netns runtime: what they are given, what they may do, and how they are judged. */

import { chmod, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";

const { describe, test } = await needs("netns");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const PYTHON_SERVER = ["python3", "-m", "http.server", "--directory", "/"];

/** The entry of a host in a topology file. */
type Host = Readonly<Record<string, unknown>>;

async function topologyWith(name: string, hosts: Readonly<Record<string, Host>>, sessions = ""): Promise<string> {
  const entries = Object.entries(hosts).map(
    ([host, entry]) => `  ${host}: ${JSON.stringify({ role: "host", on: "internet", ...entry })}`,
  );
  const lines = [
    `name: ${name}`,
    "summary: Programs of this machine",
    "segments: { internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 } }",
    "nodes:",
    ...entries,
    sessions,
  ];
  const file = join(directory.path, `${name}.yaml`);
  await writeFile(file, lines.join("\n"));
  return file;
}

async function run(file: string, ...options: readonly string[]) {
  const cli = await runCli([file, "--runtime", "netns", "--out", "results", ...options], { cwd: directory.path });
  const results = join(directory.path, "results");
  const log = (host: string) => readFile(join(results, `latest/logs/${host}.log`), "utf8");
  const junit = () => readFile(join(results, "latest/junit.xml"), "utf8");
  return { cli, log, junit, result: await latestResult(results) };
}

/** Runs one host's shell script to its end and returns what it wrote. */
async function outputOf(name: string, script: string, entry: Host = {}): Promise<string> {
  const { cli, log } = await run(await topologyWith(name, { h: { command: ["sh", "-c", script], ...entry } }));
  expect(cli.exitCode, cli.stdout + cli.stderr).toBe(0);
  return log("h");
}

describe("nothing of a topology file", () => {
  test("starts a program outside of the lab", async () => {
    const bin = join(directory.path, "bin");
    await mkdir(bin);
    for (const name of ["nsenter", "ip", "sh", "unshare", "setpriv", "env"]) {
      await writeFile(join(bin, name), `#!/bin/sh\n: > ${bin}/proof\nexec /usr/bin/${name} "$@"\n`);
      await chmod(join(bin, name), 0o755);
    }
    const environment = {
      PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`,
      ENV: join(bin, "sh"),
      BASH_ENV: join(bin, "sh"),
    };
    await outputOf("own-path", "true", { environment });
    expect(await readdir(bin)).not.toContain("proof");
  });

  test("is in the arguments, the environment or the working directory of a process outside", async () => {
    const mark = "said-by-a-file";
    const file = await topologyWith("marked", {
      h: {
        command: ["sh", "-c", `cd /tmp && mkdir ${mark} && cd ${mark} && sleep 2`],
        environment: { LD_PRELOAD: `/${mark}.so` },
      },
    });
    const cli = startCli([file, "--runtime", "netns", "--out", "results"], { cwd: directory.path });
    const inside: string[] = [];
    const outside: string[] = [];
    const own = await readlink("/proc/self/ns/pid");
    for (let i = 0; i < 40; i += 1) {
      for (const process of await processesWith(mark))
        (process.pidNamespace === own ? outside : inside).push(process.command);
      await sleep(100);
    }
    expect((await cli).exitCode).toBe(0);
    expect(inside.length).toBeGreaterThan(0);
    expect(outside).toEqual([]);
  });
});

describe("a host", () => {
  test("has names, directories, processes and an environment of its own", async () => {
    const marker = join("/tmp", `of-the-machine-${process.pid}`);
    await writeFile(marker, "");
    const output = await outputOf(
      "own-room",
      [
        'echo "hostname $(hostname) $(cat /etc/hostname) $HOSTNAME"',
        'echo "home $HOME $(ls -A $HOME | wc -l), tmp $(ls -A /tmp /var/tmp /run | grep -c of-the-machine)"',
        'echo "path $PATH, in $(pwd), process $$"',
        "cat /etc/resolv.conf",
        "grep -v localhost /etc/hosts",
        "getent ahostsv4 other | head -1",
        "getent hosts example.com || echo no such name",
        "touch $HOME/a /tmp/b /var/tmp/c /run/d /dev/shm/e && echo can write there",
      ].join("; "),
    ).finally(() => rm(marker));
    expect(output.split("\n")).toEqual(
      expect.arrayContaining([
        "hostname h h h",
        "home /root 0, tmp 0",
        "path /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin, in /, process 1",
        "# Names of the lab are in /etc/hosts; there is no name server.",
        "198.18.0.2\th",
        "no such name",
        "can write there",
      ]),
    );
  });

  test("changes nothing of the machine", async () => {
    const output = await outputOf(
      "no-changes",
      [
        "for file in /proc/sys/kernel/core_pattern /proc/sys/net/ipv4/ip_forward /sys/class/net/lo/mtu /etc/passwd; do",
        '  (: >> $file) 2> /dev/null && echo "wrote $file"; done',
        "touch /usr/bin/mine /mine 2> /dev/null && echo wrote there",
        "hostname other 2> /dev/null && echo renamed",
        "mount -t tmpfs tmpfs /mnt 2> /dev/null && echo mounted",
        "mount -o remount,bind,rw / 2> /dev/null && echo remounted",
        "mknod /tmp/disk b 254 0 2> /dev/null && echo made a device",
        "unshare -rm true 2> /dev/null && echo made namespaces",
        "ls /dev",
        "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; true",
      ].join("\n"),
    );
    expect(output).not.toMatch(/wrote|renamed|mounted|made/);
    expect(output).toMatch(/CapEff:\s0+\n/);
    expect(output).toMatch(/CapBnd:\s0+\n/);
    expect(output).toMatch(/NoNewPrivs:\s1\n/);
    expect(output.split("\n").filter((name) => /^(sd|vd|nvme|loop|mem|kmsg|kvm)/.test(name))).toEqual([]);
  });

  test("has the rights that its file asks for, and reaches its lab without any", async () => {
    const script = "ping -c 1 -W 2 198.18.0.2 > /dev/null && echo answered; ip link set lo down && echo set";
    expect(await outputOf("no-rights", `${script}; true`)).not.toContain("set\n");
    expect(await outputOf("no-rights-ping", `${script}; true`)).toContain("answered\n");
    expect(await outputOf("asked-rights", script, { capabilities: ["NET_ADMIN"] })).toContain("set\n");
  });

  test("finds the files of its topology in place, and may write where its topology says", async () => {
    const files = {
      "/etc/stack.conf": { text: "by text\n" },
      "/opt/stack/deep/peer": "./tool",
      "/tmp/first": { text: "in a directory of its own\n" },
    };
    await writeFile(join(directory.path, "tool"), "#!/bin/sh\necho ran in $(pwd)\n", { mode: 0o755 });
    const script = [
      "cat /etc/stack.conf /tmp/first; /opt/stack/deep/peer",
      "touch /var/lib/mine && echo may write; touch /usr/mine 2> /dev/null || echo may not write elsewhere",
    ];
    const output = await outputOf("furnished", script.join("; "), {
      files,
      writable: ["/var/lib"],
      workdir: "/opt/stack",
    });
    expect(output.split("\n")).toEqual([
      ...["by text", "in a directory of its own", "ran in /opt/stack", "may write", "may not write elsewhere", ""],
    ]);
    for (const path of ["/etc/stack.conf", "/opt/stack", "/var/lib/mine"])
      await expect(readFile(path), path).rejects.toThrow("ENOENT");
  });

  test("whose program may make a TUN device puts it up, with kernel parameters of its own", async () => {
    const output = await outputOf(
      "tun",
      "ip tuntap add mode tun name vpn && ip addr add 10.9.9.1/24 dev vpn && ip link set vpn up && ip -br addr show vpn; cat /proc/sys/net/ipv4/ip_default_ttl",
      { capabilities: ["NET_ADMIN"], devices: ["/dev/net/tun"], sysctls: { "net.ipv4.ip_default_ttl": 33 } },
    );
    expect(output).toMatch(/^vpn .* 10\.9\.9\.1\/24/m);
    expect(output).toContain("\n33\n");
  });

  test("is on several segments, its default route by the first that has a router", async () => {
    const file = join(directory.path, "two.yaml");
    await writeFile(
      file,
      `name: two
summary: A host on two segments
segments: { lan: { ipv4: 192.168.1.0/24 }, lte: { ipv4: 10.0.0.0/24 }, internet: { ipv4: 198.18.0.0/24 } }
nodes:
  nat-l: { role: router, wan: internet, lan: lan, nat: symmetric }
  nat-m: { role: router, wan: internet, lan: lte, nat: symmetric }
  h: { role: host, on: [lte, lan], command: [ip, route] }
`,
    );
    const { cli, log } = await run(file);
    expect(cli.exitCode, cli.stderr).toBe(0);
    expect(await log("h")).toMatch(/^default via 10\.0\.0\.1 dev lte/);
  });

  test("whose program its own directories hide is told so", async () => {
    const file = await topologyWith("hidden", { h: { command: ["/tmp/peer"] } });
    const { cli } = await run(file);
    expect(cli.exitCode).toBe(2);
    expect(cli.stderr).toContain("node h runs /tmp/peer, which the /tmp of its own hides");
  });
});

describe("a program", () => {
  test("that has not ended when it had to is a failure", async () => {
    const { cli, result, junit } = await run(
      await topologyWith("hangs", { h: { command: "echo connecting; sleep infinity" } }),
      ...["--timeout", "8"],
    );
    expect(cli.exitCode, cli.stdout).toBe(1);
    expect(cli.stdout).toContain(
      "host h (echo connecting; sleep infinity) had not ended by itself, and was ended by the testbed",
    );
    expect(result).toMatchObject({
      verdict: "fail",
      hosts: [{ name: "h", endedBy: "testbed" }],
      expectations: [{ subject: { host: "h" }, key: "exit", expected: 0, verdict: "fail" }],
    });
    expect(await junit()).toContain(
      "<failure message=\"exit code of the host's program: expected 0, observed still running",
    );
  });

  test("that is a service is ended by the testbed, which says so, once the others have ended", async () => {
    const { cli, result, junit } = await run(
      await topologyWith("serves", {
        server: { command: "sleep infinity", service: true },
        client: { command: "sleep 1" },
      }),
    );
    expect(cli.exitCode, cli.stdout).toBe(0);
    expect(cli.stdout).toContain("host server (sleep infinity) ran to the end, and was ended by the testbed");
    expect(result.hosts).toMatchObject([
      {
        ...{ name: "server", source: { type: "machine" }, command: ["/bin/sh", "-c", "sleep infinity"] },
        ...{ endedBy: "testbed", service: true },
      },
      {
        ...{ name: "client", source: { type: "machine" }, command: ["/bin/sh", "-c", "sleep 1"] },
        ...{ exitCode: 0, endedBy: "itself" },
      },
    ]);
    expect(await junit()).toContain("server: end of the host's program, a service by the testbed");
  });

  test("that is a service and ends by itself is a failure, with exit code 0 too", async () => {
    const { cli, result } = await run(
      await topologyWith("serves-not", { server: { command: "true", service: true }, client: { command: "sleep 1" } }),
    );
    expect(cli.exitCode, cli.stdout).toBe(1);
    expect(result.expectations).toMatchObject([
      { subject: { host: "server" }, key: "service", observed: 0, verdict: "fail" },
      { subject: { host: "client" }, key: "exit", observed: 0, verdict: "pass" },
    ]);
  });

  test("starts when those that it waits for are ready, and does what its file expects", async () => {
    const file = await topologyWith(
      "in-order",
      {
        server: { command: [...PYTHON_SERVER, "9000"], service: true, ready: { tcp: 9000 } },
        client: {
          command:
            "python3 -c \"import urllib.request as u; u.urlopen('http://server:9000/proc/version')\" && echo read; exit 3",
          startAfter: ["server"],
        },
      },
      "expect: [{ host: client, output: read, exit: [3, 4], within: 60s }]",
    );
    const { cli, result } = await run(file);
    expect(cli.exitCode, cli.stdout + cli.stderr).toBe(0);
    const [server, client] = result.hosts;
    expect(client?.startedAtMs).toBeGreaterThanOrEqual(server?.readyAtMs ?? Number.POSITIVE_INFINITY);
    expect(result.expectations.filter(({ verdict }) => verdict === "pass").map(({ key }) => key)).toEqual([
      ...["service", "exit", "output", "within"],
    ]);
  });

  test("finds its peer through the two NATs of the example", async () => {
    const { cli, result } = await run(join(PACKAGE_ROOT, "topologies/programs/two-nats.yaml"));
    expect(cli.exitCode, cli.stdout + cli.stderr).toBe(0);
    expect(result.hosts.map(({ name, said }) => [name, said?.path])).toEqual([
      ["alice", "direct"],
      ["bob", "direct"],
      ["meet", undefined],
    ]);
  });

  test("that forks or eats without end runs into its limits, which are named, and leaves no control group", async () => {
    const { cli, result } = await run(
      await topologyWith("hostile", {
        forks: { pids: 20, command: "f() { f | f & }; f; sleep 1; exit 0" },
        eats: { memory: "64MiB", command: ["python3", "-c", "[bytearray(10**6) for _ in range(10**6)]"] },
      }),
    );
    expect(cli.exitCode, cli.stdout).toBe(1);
    expect(result.hosts).toMatchObject([
      { name: "forks", exceeded: ["pids"] },
      { name: "eats", exceeded: ["memory"] },
    ]);
    const groups = await Promise.all(
      ["pids", "memory", ""].map((path) => readdir(`/sys/fs/cgroup/${path}`).catch(() => [])),
    );
    expect(groups.flat().filter((name) => name.includes(result.runId))).toEqual([]);
  });

  test("that is never ready ends the run, with its last lines", async () => {
    const file = await topologyWith("never-ready", {
      server: { command: "echo cannot bind >&2; sleep 60", ready: { udp: 9000, within: "1s" } },
    });
    const { cli, result } = await run(file);
    expect(cli.exitCode).toBe(3);
    expect(cli.stderr).toContain(
      "host server: expected its program to have bound UDP port 9000 within 1 s of its start; it was not\n  its last lines of output:\n  | cannot bind",
    );
    expect(result).toMatchObject({ verdict: "error", error: { code: "host-not-ready" }, expectations: [] });
  });

  test("beside a session is awaited, and judged by its exit code", async () => {
    const nodes = [
      "  ha: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }",
      "  mn: { role: mobile-node, on: internet, homeAgent: ha }",
      "  cn: { role: correspondent-node, on: internet, homeAgent: ha }",
      "sessions: [{ from: mn, to: cn }]",
    ];
    const { cli, result } = await run(
      await topologyWith("beside", { h: { command: "sleep 4; echo I failed; exit 9" } }, nodes.join("\n")),
    );
    expect(cli.exitCode, cli.stdout).toBe(1);
    expect(result.hosts).toMatchObject([{ name: "h", exitCode: 9 }]);
  });

  test("with a stop signal gets it at the end, and may say its last words", async () => {
    const server = {
      command: "trap 'echo asked to end; exit 0' INT; echo serving; while :; do sleep 0.1; done",
      ...{ service: true, stopSignal: "SIGINT" },
    };
    const { cli, log } = await run(await topologyWith("last-words", { server, client: { command: "sleep 1" } }));
    expect(cli.exitCode, cli.stdout).toBe(0);
    expect(await log("server")).toBe("serving\nasked to end\n");
  });

  test("extends another's entry, and is started as the user that it names", async () => {
    const { log } = await run(
      await topologyWith("extended", {
        first: { command: "echo $ROLE $COLOUR $(id -un)", environment: { ROLE: "offerer", COLOUR: "red" } },
        second: { extends: "first", user: "nobody", environment: { ROLE: "answerer" } },
      }),
    );
    expect([await log("first"), await log("second")]).toEqual(["offerer red root\n", "answerer red nobody\n"]);
  });

  test("that a signal ends has its exit code as in a shell", async () => {
    const { result } = await run(await topologyWith("killed", { h: { command: "sh -c 'kill -TERM $$'; exit $?" } }));
    expect(result.hosts).toMatchObject([{ exitCode: 143 }]);
  });
});

/** Processes with `mark` in their arguments, environment or working directory. */
async function processesWith(mark: string): Promise<readonly { command: string; pidNamespace: string }[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment, cwd, pidNamespace] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
        readFile(`/proc/${pid}/environ`, "utf8").catch(() => ""),
        readlink(`/proc/${pid}/cwd`).catch(() => ""),
        readlink(`/proc/${pid}/ns/pid`).catch(() => ""),
      ]);
      return { text: command + environment + cwd, command, pidNamespace };
    }),
  );
  return found.filter(({ text }) => text.includes(mark));
}
