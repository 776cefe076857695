import { expect, test } from "vitest";
import type { NodeSpec } from "../../../../orchestrator/plan/plan.ts";
import { nodeContainer, programContainer } from "../../../../orchestrator/runtime/docker/container-options.ts";

const NODE: NodeSpec = {
  name: "mn",
  sysctls: { "net.ipv6.conf.all.forwarding": "1" },
  tun: true,
  segments: ["lan", "office"],
  setup: {
    version: 1,
    node: "mn",
    interfaces: [],
    routes: [],
    rules: [],
    hosts: [],
    capture: false,
    role: { type: "host" },
  },
};

const ENDPOINTS = [
  { networkName: "mice-r-lan", address: { ipv4: "10.128.0.2", ipv6: "fd00::2" } },
  { networkName: "mice-r-office", address: { ipv4: "10.128.1.2" } },
];

test("a node is created on its first segment only, with a lifeline and no privileges but the network's", () => {
  expect(nodeContainer("mice-r-mn", "sha256:1", NODE, ENDPOINTS, { l: "1" })).toMatchInlineSnapshot(`
    {
      "AttachStderr": true,
      "AttachStdin": true,
      "AttachStdout": true,
      "HostConfig": {
        "AutoRemove": true,
        "CapAdd": [
          "NET_ADMIN",
          "NET_RAW",
        ],
        "CapDrop": [
          "ALL",
        ],
        "Devices": [
          {
            "CgroupPermissions": "rwm",
            "PathInContainer": "/dev/net/tun",
            "PathOnHost": "/dev/net/tun",
          },
        ],
        "Dns": [
          "127.0.0.1",
        ],
        "DnsSearch": [
          ".",
        ],
        "LogConfig": {
          "Config": {
            "compress": "false",
            "max-file": "1",
            "max-size": "5m",
          },
          "Type": "local",
        },
        "Memory": 1073741824,
        "MemorySwap": 1073741824,
        "NetworkMode": "mice-r-lan",
        "PidsLimit": 256,
        "SecurityOpt": [
          "no-new-privileges",
        ],
        "Sysctls": {
          "net.ipv4.ip_forward": "0",
          "net.ipv6.conf.all.disable_ipv6": "0",
          "net.ipv6.conf.all.forwarding": "1",
          "net.ipv6.conf.default.accept_ra": "0",
          "net.ipv6.conf.default.disable_ipv6": "0",
        },
      },
      "Hostname": "mn",
      "Image": "sha256:1",
      "Labels": {
        "l": "1",
      },
      "NetworkingConfig": {
        "EndpointsConfig": {
          "mice-r-lan": {
            "IPAMConfig": {
              "IPv4Address": "10.128.0.2",
              "IPv6Address": "fd00::2",
            },
          },
        },
      },
      "OpenStdin": true,
      "StdinOnce": true,
      "Tty": false,
      "name": "mice-r-mn",
    }
  `);
});

test("a node without TUN and segments has no device and no network", () => {
  const { HostConfig, NetworkingConfig } = nodeContainer("n", "i", { ...NODE, tun: false }, [], {});
  expect(HostConfig).toMatchObject({ NetworkMode: "none" });
  expect(HostConfig).not.toHaveProperty("Devices");
  expect(NetworkingConfig).toBeUndefined();
});

test("a host's program shares its node's network and is given no capability, device, file or kernel parameter", () => {
  const program = {
    name: "g",
    inside: "mn",
    source: { type: "image" as const, image: "theirs:1" },
    command: ["run", "it"],
    environment: { PEER: "::1" },
  };
  expect(programContainer("mice-r-g", "theirs:1", "abc", program, {})).toMatchInlineSnapshot(`
    {
      "AttachStderr": true,
      "AttachStdout": true,
      "Cmd": [
        "run",
        "it",
      ],
      "Env": [
        "PEER=::1",
      ],
      "HostConfig": {
        "AutoRemove": true,
        "CapAdd": [],
        "CapDrop": [
          "ALL",
        ],
        "LogConfig": {
          "Config": {
            "compress": "false",
            "max-file": "1",
            "max-size": "5m",
          },
          "Type": "local",
        },
        "Memory": 2147483648,
        "MemorySwap": 2147483648,
        "NetworkMode": "container:abc",
        "PidsLimit": 1024,
        "SecurityOpt": [
          "no-new-privileges",
        ],
      },
      "Image": "theirs:1",
      "Labels": {},
      "name": "mice-r-g",
    }
  `);
});
