/** Nothing outside of a lab answers a program in one of its containers, and each role has the rights that it needs. */

import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Container, ContainerCreateOptions } from "dockerode";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { buildPlan } from "../../orchestrator/plan/build-plan.ts";
import { createDockerLab } from "../../orchestrator/runtime/docker/docker-lab.ts";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { LABELS } from "../../orchestrator/runtime/docker/labels.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { resolved, topologyText } from "../orchestrator/topology/sample.ts";
import { needs } from "../support/needs.ts";
import { startCli, temporaryDirectory } from "../support/run-cli.ts";
import { newIdentity } from "./node-under-test/lab.ts";
import { labImages } from "./node-under-test/lab-images.ts";

const { describe, test } = await needs("root", "engine");

const FRAMES = fileURLToPath(new URL("./docker-isolation/frames.py", import.meta.url));

/** Connects to the first argument, an address, at the port of the second. */
const CONNECT = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
    print("connected")
except OSError as error:
    print(error)
`;

let engine: Engine;
let nodeImage: string;
let toolsImage: string;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** A service of the machine, on every address of it. */
let service: Server;

beforeAll(async () => {
  engine = await connectEngine();
  nodeImage = await ensureImage(engine, "node", () => undefined);
  toolsImage = await ensureImage(engine, "tools", () => undefined);
  directory = await temporaryDirectory();
  service = createServer((socket) => socket.on("error", () => undefined).end("a service of the machine\n"));
  await new Promise<void>((listening) => service.listen({ host: "::", port: 0 }, listening));
});
afterAll(async () => {
  service.close();
  await directory.remove();
});

/** The bridge of an engine's network, as an interface of the machine. */
async function bridgeOf(networkId: string) {
  const name = `br-${networkId.slice(0, 12)}`;
  const [listed] = JSON.parse((await execa("ip", ["-json", "address", "show", name])).stdout) as {
    address: string;
    addr_info: { family: string; local: string }[];
  }[];
  const addresses = listed?.addr_info ?? [];
  return {
    mac: listed?.address ?? "",
    linkLocal: addresses.find(({ local }) => local.startsWith("fe80:"))?.local ?? "",
    ipv4: addresses.filter(({ family }) => family === "inet").map(({ local }) => local),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** IPv4 addresses of the machine. */
function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return all.flatMap(({ family, address, internal }) => (family === "IPv4" && !internal ? [address] : []));
}

async function execIn(container: Container, ...command: readonly string[]): Promise<string> {
  const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, Tty: true });
  return text(await exec.start({ Tty: true }));
}

async function sendFrames(container: Container, interfaceName: string, networkId: string): Promise<string> {
  const { mac, linkLocal, ipv4 } = await bridgeOf(networkId);
  const machine = [...machineAddresses(), ...ipv4].join();
  const script = await readFile(FRAMES, "utf8");
  return execIn(container, "python3", "-c", script, interfaceName, mac, linkLocal, machine, String(portOf(service)));
}

async function connectFrom(container: Container, interfaceName: string, networkId: string): Promise<string> {
  const { linkLocal } = await bridgeOf(networkId);
  return execIn(container, "python3", "-c", CONNECT, `${linkLocal}%${interfaceName}`, String(portOf(service)));
}

describe("a program in a container", () => {
  test("of the engine's own kind reaches the machine, by these means", async () => {
    const network = await engine.docker.createNetwork({ Name: `mice-test-plain-${process.pid}` });
    const container = await engine.docker.createContainer({
      Image: toolsImage,
      Cmd: ["sleep", "60"],
      HostConfig: { NetworkMode: network.id, AutoRemove: true, Sysctls: { "net.ipv6.conf.eth0.disable_ipv6": "0" } },
    });
    try {
      await container.start();
      await expect.poll(() => connectFrom(container, "eth0", network.id), { timeout: 10_000 }).toContain("connected");
      const answers = Number(/(\d+) answers/.exec(await sendFrames(container, "eth0", network.id))?.[1]);
      expect(answers).toBeGreaterThan(2);
    } finally {
      await container.remove({ force: true });
      await network.remove();
    }
  });

  test("of a lab gets no answer of the machine, to whatever frame", async () => {
    const topology = [
      "name: walled-in",
      "summary: Programs that look for the machine",
      "segments: { lan: { ipv4: 192.168.77.0/24, ipv6: 2001:db8:77::/64 } }",
      "nodes:",
      `  plain: { role: host, on: lan, image: "${toolsImage}", command: "sleep 30" }`,
      `  raw: { role: host, on: lan, image: "${toolsImage}", command: "sleep 30", capabilities: [NET_RAW], addresses: { lan: { ipv4: 192.168.77.77 } } }`,
    ];
    const file = join(directory.path, "walled-in.yaml");
    await writeFile(file, topology.join("\n"));
    const run = startCli([file, "--runtime", "docker", "--out", "results"], { cwd: directory.path });
    try {
      const [plain, raw] = [await programOf("plain"), await programOf("raw")];
      const [network] = await engine.docker.listNetworks({ filters: { label: [`${LABELS.topology}=walled-in`] } });
      const id = network?.Id ?? "";
      expect((await bridgeOf(id)).ipv4).toEqual([]);
      expect(await connectFrom(plain, "lan", id)).not.toContain("connected");
      expect(await sendFrames(raw, "lan", id)).toMatch(/^0 answers/m);
      expect(await connectFrom(raw, "lan", id)).not.toContain("connected");
      expect(await execIn(plain, "python3", "-c", CONNECT, "192.168.77.77", "9")).toContain("Connection refused");
    } finally {
      run.kill("SIGINT");
      await run;
    }
  });
});

/** The container of a host's program, once it runs. */
async function programOf(host: string): Promise<Container> {
  const filters = { status: ["running"], label: [`${LABELS.topology}=walled-in`, `${LABELS.name}=${host}`] };
  let id: string | undefined;
  await expect
    .poll(
      async () => {
        const found = await engine.docker.listContainers({ filters });
        id = found.find(({ Names }) => Names.some((name) => name.endsWith(".program")))?.Id;
        return id;
      },
      { timeout: 30_000 },
    )
    .toBeDefined();
  return engine.docker.getContainer(id ?? "");
}

const EVERY_ROLE = topologyText({
  segments: "home: { ipv4: 192.168.1.0/24 }",
  nodes: `
    ha-a: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" },
    stun: { role: stun-server, on: internet },
    nat-a: { role: router, wan: internet, lan: home, nat: symmetric },
    mn: { role: mobile-node, on: home, homeAgent: ha-a },
    cn: { role: correspondent-node, on: internet, homeAgent: ha-a },
    fixed: { role: stationary-node, on: internet },
    h: { role: host, on: internet, image: x }`,
});

describe("each role", () => {
  /** By node, the report with which its start ends. */
  async function startWithout(capability: string | undefined): Promise<Readonly<Record<string, string>>> {
    const docker = Object.assign(Object.create(engine.docker) as Engine["docker"], {
      createContainer: (options: ContainerCreateOptions) => engine.docker.createContainer(without(options, capability)),
    });
    const lab = createDockerLab(
      { ...engine, docker },
      newIdentity(),
      new AbortController().signal,
      labImages(engine, nodeImage),
    );
    try {
      const plan = buildPlan(resolved(EVERY_ROLE), { capture: true });
      await lab.createSegments(plan.segments);
      await lab.createNodes(plan.nodes);
      const outcomes = plan.nodes.map(async ({ name }) => {
        for await (const line of (await lab.startNode(name)).lines) {
          const { type } = JSON.parse(line) as { type: string };
          if (type === "ready" || type === "fatal") return [name, type] as const;
        }
        return [name, "ended"] as const;
      });
      return Object.fromEntries(await Promise.all(outcomes));
    } finally {
      await lab.destroy();
    }
  }

  const every = (outcome: string) =>
    Object.fromEntries(["ha-a", "stun", "nat-a", "mn", "cn", "fixed", "h"].map((name) => [name, outcome]));

  test("starts with the rights that it has", async () => {
    expect(await startWithout(undefined)).toEqual(every("ready"));
  });

  test.each(["NET_ADMIN", "NET_RAW"])("needs %s", async (capability) => {
    expect(await startWithout(capability)).toEqual(every("fatal"));
  });
});

function without(options: ContainerCreateOptions, capability: string | undefined): ContainerCreateOptions {
  const given = (options.HostConfig?.CapAdd ?? []) as readonly string[];
  return { ...options, HostConfig: { ...options.HostConfig, CapAdd: given.filter((name) => name !== capability) } };
}
