import { describe, expect, test } from "vitest";
import { loadTopology } from "../../../../orchestrator/topology/resolve/load.ts";
import type { ReferencedFiles } from "../../../../orchestrator/topology/resolve/referenced-files.ts";
import { topologyText } from "../sample.ts";

const FILES: ReferencedFiles = {
  find: (path) => {
    const type = path === "./stack" ? "folder" : "file";
    const isThere = ["./stack", "./stack/Dockerfile", "./peer.py"].includes(path);
    return isThere ? { type, path: `/project/${path.slice(2)}`, octets: 100, isExecutable: false } : undefined;
  },
};

function load(nodes: string, options: Parameters<typeof loadTopology>[2] = {}) {
  return loadTopology(topologyText({ nodes }), "t.yaml", { referenced: FILES, ...options });
}

function messagesOf(nodes: string, options?: Parameters<typeof loadTopology>[2]): readonly string[] {
  const loaded = load(nodes, options);
  return loaded.ok ? [] : loaded.issues.map(({ path, message }) => `${path}: ${message}`);
}

const host = (keys: string): string => `h: { role: host, on: internet, ${keys} }`;

test("a host has a program of this machine, an image, or a folder that one is built from", () => {
  const sourceOf = (keys: string) => {
    const loaded = load(host(keys));
    return loaded.ok && loaded.topology.nodes.find(({ name }) => name === "h");
  };
  expect(sourceOf("command: [python3, peer.py]")).toMatchObject({ source: { type: "machine" } });
  expect(sourceOf("image: none, command: [python3, peer.py]")).toMatchObject({ source: { type: "machine" } });
  expect(sourceOf("image: debian:12")).toMatchObject({ source: { type: "image", image: "debian:12" } });
  expect(sourceOf("build: ./stack")).toMatchObject({ source: { type: "build", folder: "/project/stack" } });
});

test("files are given by their path beside the topology, or by text", () => {
  const loaded = load(host('command: [x], files: { /opt/peer.py: ./peer.py, /etc/run: { text: "#!/bin/sh" } }'));
  expect(loaded.ok && loaded.topology.nodes.find(({ name }) => name === "h")).toMatchObject({
    files: [
      { path: "/opt/peer.py", content: { type: "file", from: "/project/peer.py" }, isExecutable: false },
      { path: "/etc/run", content: { type: "text", text: "#!/bin/sh" }, isExecutable: true },
    ],
  });
});

describe("what is wrong with a host is said where it stands", () => {
  test.each([
    ["nothing to run", "workdir: /opt", "nodes.h.command: expected a `command`, `image` or `build`; found none;"],
    ["two sources", "image: x, build: ./stack", "nodes.h.build: expected `image` or `build`; found both; remove one"],
    [
      "a folder that is not there",
      "build: ./stak",
      'nodes.h.build: expected a folder with a Dockerfile, relative to this file; found nothing there at "./stak"',
    ],
    [
      "a folder without a Dockerfile",
      "build: ./peer.py",
      'nodes.h.build: expected a folder with a Dockerfile, relative to this file; found a file at "./peer.py"',
    ],
    [
      "a file that is not there",
      "command: [x], files: { /opt/a: ./b }",
      'nodes.h.files./opt/a: expected a file of at most 67108864 octets, relative to this one; found nothing that can be read at "./b"',
    ],
    [
      "a path that climbs",
      "command: [x], files: { /opt/../etc/passwd: ./peer.py }",
      "nodes.h.files./opt/../etc/passwd: expected an absolute path of letters, digits and",
    ],
    [
      "a device without the right to use it",
      "command: [x], devices: [/dev/net/tun]",
      "nodes.h.devices: expected the capability NET_ADMIN beside /dev/net/tun; found it missing;",
    ],
    [
      "a device that is not on the list",
      "command: [x], devices: [/dev/kvm]",
      'nodes.h.devices[0]: expected /dev/net/tun; found "/dev/kvm"',
    ],
    [
      "a capability that is not on the list",
      "command: [x], capabilities: [SYS_ADMIN]",
      "nodes.h.capabilities[0]: expected one of CHOWN,",
    ],
    [
      "a kernel parameter of the machine",
      "command: [x], sysctls: { kernel.core_pattern: x }",
      "nodes.h.sysctls.kernel.core_pattern: expected a kernel parameter of the network",
    ],
    [
      "a readiness that names nothing",
      "command: [x], ready: {}",
      "nodes.h.ready: expected one of output, udp, tcp, exit; found none; add one",
    ],
    [
      "a readiness of two kinds",
      "command: [x], ready: { tcp: 80, exit: 0 }",
      "nodes.h.ready: expected one of output, udp, tcp, exit; found tcp and exit; keep one",
    ],
    ["a readiness by another exit code", "command: [x], ready: { exit: 1 }", "nodes.h.ready.exit: expected 0; found 1"],
    [
      "a readiness by no port",
      "command: [x], ready: { tcp: 70000 }",
      "nodes.h.ready.tcp: expected a number of at most 65535; found 70000",
    ],
    [
      "a readiness by an expression that cannot be read",
      "command: [x], ready: { output: '/(/' }",
      "nodes.h.ready.output: expected a regular expression that can be read (/(/: Unterminated group)",
    ],
    [
      "a service that is ready once it has ended",
      "command: [x], service: true, ready: { exit: 0 }",
      "nodes.h.ready.exit: expected a service to be ready while it runs;",
    ],
    [
      "a start after nobody",
      "command: [x], startAfter: [i]",
      'nodes.h.startAfter[0]: expected a host; found "i"; did you mean h?',
    ],
    [
      "a start after itself",
      "command: [x], startAfter: [h]",
      "nodes.h.startAfter[0]: expected a host that starts before h; found a circle: h waits for h; remove one of them",
    ],
    ["no processes at all", "command: [x], pids: 0", "nodes.h.pids: expected a number of at least 1; found 0"],
    [
      "memory without a unit",
      "command: [x], memory: 64",
      "nodes.h.memory: expected a size of memory such as 64MiB or 2GiB; found",
    ],
    [
      "too little memory to start anything",
      "command: [x], memory: 1MiB",
      'nodes.h.memory: expected a size of memory from 8MiB to 64GiB; found "1MiB"',
    ],
    [
      "directories to write to beside an image",
      "image: x, writable: [/opt]",
      "nodes.h.writable: expected `writable` only for a program of this machine;",
    ],
  ])("%s", (_, keys, message) => {
    expect(messagesOf(host(keys))).toEqual([expect.stringContaining(message)]);
  });
});

describe("a lab has hosts of one kind", () => {
  const both = `${host("command: [x]")}, i: { role: host, on: internet, image: y }`;

  test("a host of the other kind is reported", () => {
    expect(messagesOf(both)).toEqual([
      expect.stringContaining(
        "nodes.i.image: expected a program of this machine for i, as h has: one lab has one kind",
      ),
    ]);
  });

  test("and of the kind that the runtime starts", () => {
    expect(messagesOf(host("image: y"), { programs: "machine" })).toEqual([
      "nodes.h.image: expected a program of this machine for h, which the netns runtime starts; found an image; give it a `command` without an image, or run with --runtime docker",
    ]);
    expect(messagesOf(host("command: [x]"), { programs: "images" })).toEqual([
      "nodes.h: expected an image for h, which the docker runtime starts hosts from; found a program of this machine; give it `image` or `build`, or run with --runtime netns",
    ]);
  });
});

test("hosts that wait for one another are reported, each with the way back to it", () => {
  const nodes = ["a: b", "b: c", "c: a"].map((pair) => {
    const [name = "", other = ""] = pair.split(": ");
    return `${name}: { role: host, on: internet, command: [x], startAfter: [${other}] }`;
  });
  expect(messagesOf(nodes.join(", "))).toEqual([
    expect.stringContaining(
      "nodes.a.startAfter[0]: expected a host that starts before a; found a circle: a waits for b waits for c waits for a;",
    ),
    expect.stringContaining("nodes.b.startAfter[0]: "),
    expect.stringContaining("nodes.c.startAfter[0]: "),
  ]);
});

describe("what is expected of a host", () => {
  const expecting = (expectation: string, keys = "command: [x]") =>
    loadTopology(topologyText({ nodes: host(keys), rest: `expect: [{ ${expectation} }]` }), "t.yaml");

  test("is its exit code, its output, and how soon", () => {
    const loaded = expecting("host: h, exit: [0, 3], output: /connected/, within: 5s");
    expect(loaded.ok && loaded.topology.expectations).toEqual([
      { host: "h", source: "t.yaml:5", exit: [0, 3], output: "/connected/", withinMs: 5000 },
    ]);
  });

  test.each([
    ["within: 1s", "expect[0]: expected one of session, host; found none; say what it is about"],
    [
      "host: h, session: a-b",
      "expect[0]: expected one of session, host; found session and host; make two expectations of it",
    ],
    ["host: i, exit: 0", 'expect[0].host: expected a host; found "i"; did you mean h?'],
    ["host: h, within: 1s", "expect[0]: expected `exit` or `output` beside `host`; found neither;"],
    [
      "host: h, exit: 0, path: direct",
      "expect[0].path: expected `path` only beside `session`; found it beside `host`; remove it",
    ],
    ["host: h, exit: 256", "expect[0].exit: expected a number of at most 255; found 256"],
    [
      "host: h, output: '/[/'",
      "expect[0].output: expected a regular expression that can be read (/[/: Unterminated character class)",
    ],
    ["host: h, exit: 0, after: never", 'expect[0].after: expected an event of the timeline; found "never"'],
  ])("%s: is reported where it stands", (expectation, message) => {
    const loaded = expecting(expectation);
    expect(loaded.ok ? [] : loaded.issues.map(({ path, message: text }) => `${path}: ${text}`)).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test("is no exit code where it is a service", () => {
    const loaded = expecting("host: h, exit: 0", "command: [x], service: true");
    expect(loaded.ok ? [] : loaded.issues.map(({ message }) => message)).toEqual([
      expect.stringContaining("expected a program that ends by itself; h is a service"),
    ]);
  });
});
