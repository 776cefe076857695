/** Container options of nodes and host programs. */

import type { ContainerCreateOptions, EndpointSettings } from "dockerode";
import type { NodeSpec, ProgramSpec, Sysctls } from "../../plan/plan.ts";
import { PROGRAM_LIMITS, type ProgramLimits } from "../../plan/program-limits.ts";
import type { Labels } from "./labels.ts";
import type { SegmentAddress } from "./segment-subnet.ts";

/** A node's attachment to a segment, before the container exists. */
export interface Endpoint {
  readonly networkName: string;
  readonly address: SegmentAddress;
}

/** Nodes and host programs leave nothing behind when they end, and their log is bounded. */
const EPHEMERAL = {
  AutoRemove: true,
  LogConfig: { Type: "local", Config: { "max-size": "5m", "max-file": "1", compress: "false" } },
};

/** What no process of a lab gets: rights beyond those it starts with, and the machine's processes and memory. */
function confinement(capabilities: readonly string[], { processes, memoryMiB }: ProgramLimits) {
  const memory = memoryMiB * 1024 * 1024;
  return {
    CapDrop: ["ALL"],
    CapAdd: [...capabilities],
    SecurityOpt: ["no-new-privileges"],
    PidsLimit: processes,
    Memory: memory,
    // No swap beside it.
    MemorySwap: memory,
  };
}

/**
 * What every role takes: interfaces, routes and rules are set with NET_ADMIN, captures and echo requests need packet and
 * raw sockets.
 */
const NODE_CAPABILITIES = ["NET_ADMIN", "NET_RAW"] as const;

/** An agent has a dozen threads, starts a few programs at once, and takes 45 MB; with fifty sessions some 200 MB. */
const NODE_LIMITS: ProgramLimits = { processes: 256, memoryMiB: 1024 };

/**
 * Defaults, which the plan overrides. Docker's containers would forward IPv4, have IPv6 disabled and accept router
 * advertisements.
 */
const NODE_SYSCTLS: Sysctls = {
  "net.ipv4.ip_forward": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv6.conf.all.disable_ipv6": "0",
  "net.ipv6.conf.default.disable_ipv6": "0",
  "net.ipv6.conf.default.accept_ra": "0",
};

/**
 * A node: the agent as first process, its stdin closed by the engine when the orchestrator's connection ends. Engines
 * before API 1.44 take one endpoint at creation; the others are connected afterwards.
 */
export function nodeContainer(
  name: string,
  image: string,
  spec: NodeSpec,
  endpoints: readonly Endpoint[],
  labels: Labels,
): ContainerCreateOptions {
  const [first] = endpoints;
  return {
    name,
    Image: image,
    Hostname: spec.name,
    Labels: { ...labels },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    HostConfig: {
      ...EPHEMERAL,
      NetworkMode: first?.networkName ?? "none",
      ...confinement(NODE_CAPABILITIES, NODE_LIMITS),
      Sysctls: { ...NODE_SYSCTLS, ...spec.sysctls },
      ...(spec.tun ? { Devices: [device("/dev/net/tun")] } : {}),
      // The engine's resolver would query the machine's name servers; this one never answers.
      Dns: ["127.0.0.1"],
      DnsSearch: ["."],
    },
    ...(first === undefined
      ? {}
      : { NetworkingConfig: { EndpointsConfig: { [first.networkName]: endpointSettings(first) } } }),
  };
}

/** Endpoint settings with a container's fixed throwaway addresses on a segment. */
export function endpointSettings({ address }: Endpoint): EndpointSettings {
  return {
    IPAMConfig: {
      IPv4Address: address.ipv4,
      ...(address.ipv6 === undefined ? {} : { IPv6Address: address.ipv6 }),
    },
  };
}

/**
 * A host program from `image` in the network of the container `holderId`, with the capabilities and devices that its
 * file asks for.
 */
export function programContainer(
  name: string,
  image: string,
  holderId: string,
  { command, environment, workdir, user, capabilities = [], devices = [], limits }: ProgramSpec,
  labels: Labels,
): ContainerCreateOptions {
  return {
    name,
    Image: image,
    Labels: { ...labels },
    Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    ...(command === undefined ? {} : { Cmd: [...command] }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ...(user === undefined ? {} : { User: user }),
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      ...EPHEMERAL,
      NetworkMode: `container:${holderId}`,
      ...confinement(capabilities, limits ?? PROGRAM_LIMITS),
      ...(devices.length === 0 ? {} : { Devices: devices.map(device) }),
    },
  };
}

function device(path: string) {
  return { PathOnHost: path, PathInContainer: path, CgroupPermissions: "rwm" };
}
