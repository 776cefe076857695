import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { hidingDirectory, roomCommand, roomInput } from "../../../../orchestrator/runtime/netns/host-room.ts";

const SECRET = "what-a-file-says";

const spec = {
  name: "h",
  inside: "h",
  source: { type: "machine" } as const,
  workdir: `/${SECRET}`,
  files: [{ path: `/etc/${SECRET}`, content: { type: "text" as const, text: SECRET }, isExecutable: false }],
  command: [SECRET, `$(${SECRET})`],
  environment: { PATH: `/${SECRET}`, LD_PRELOAD: `/${SECRET}.so` },
};

/** The program as the last shell starts it, without the room around it. */
function start(environment: Readonly<Record<string, string>>, command: readonly string[]) {
  const words = roomCommand({ ...spec, environment });
  const [program = "", ...args] = words.slice(words.indexOf("--") + 1);
  return spawnSync(program, args, {
    input: roomInput({ ...spec, workdir: "/", environment }, command),
    encoding: "utf8",
  });
}

test("nothing that a topology file says is on the command line that enters a lab", () => {
  expect(roomCommand(spec).join("\n")).not.toContain(SECRET);
});

test("a program has the rights that its file asks for, and no others", () => {
  expect(roomCommand(spec)).toEqual(expect.arrayContaining(["--bounding-set=-all", "--inh-caps=-all"]));
  expect(roomCommand({ ...spec, capabilities: ["NET_ADMIN", "NET_RAW"] })).toContain(
    "--bounding-set=-all,+net_admin,+net_raw",
  );
});

describe("a program", () => {
  const odd = ["", "two words", "line\nline\n", "$HOME `id` $(id)", "\\0101 \\n %s", "'\"", "é ☃", "-n", "=", "\t"];

  test("is given its arguments to the octet, whatever is in them", () => {
    const { stdout } = start({}, ["/usr/bin/printf", "<%s>", ...odd]);
    expect(stdout).toBe(odd.map((word) => `<${word}>`).join(""));
  });

  test("is given its environment to the octet, and none of the testbed's", () => {
    const environment = Object.fromEntries(odd.map((word, i) => [`V${i}`, word]));
    const { stdout } = start(environment, ["/usr/bin/env", "-0"]);
    const variables = new Map(stdout.split("\0").map((line) => [line.split("=", 1)[0], line] as const));
    for (const [name, value] of Object.entries(environment)) expect(variables.get(name)).toBe(`${name}=${value}`);
    // PWD and _ are the shell's own.
    expect([...variables.keys()].filter((name) => !/^(V\d+|PWD|_|)$/.test(name ?? ""))).toEqual(
      expect.arrayContaining(["PATH", "HOSTNAME", "HOME"]),
    );
    expect(variables.size).toBeLessThanOrEqual(odd.length + 6);
  });

  test("may be called like a variable, and its variables may be set to anything", () => {
    expect(start({ PATH: "" }, ["/bin/a=b"])).toMatchObject({
      status: 127,
      stderr: expect.stringContaining("/bin/a=b") as string,
    });
  });

  test("reads end of file", () => {
    expect(start({}, ["/usr/bin/wc", "-c"]).stdout.trim()).toBe("0");
  });
});

// A host has a /tmp, a /root (its HOME) and a /run of its own.
test.each([
  ["/tmp/peer", "/tmp"],
  ["/root/stack/peer", "/root"],
  ["/run/peer", "/run"],
  ["/opt/peer", undefined],
  ["/tmpfiles/peer", undefined],
  ["peer", undefined],
])("%s is hidden by %s", (path, directory) => {
  expect(hidingDirectory(path)).toBe(directory);
});
