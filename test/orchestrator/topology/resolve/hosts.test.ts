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
