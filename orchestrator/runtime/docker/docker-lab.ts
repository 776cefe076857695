/** One lab on a Docker engine. */

import type { NodeSetup } from "@testbed/agent/control";
import type { Container } from "dockerode";
import type { NodeSpec, ProgramSpec, UnboundSetup } from "../../plan/plan.ts";
import { neighboursOn } from "../../plan/shared-segment.ts";
import { TestbedError } from "../../support/errors.ts";
import { archiveOf } from "../program-files.ts";
import { readLines } from "../read-lines.ts";
import type { DestroyReport, NodeHandle, OutputListener, ProgramHandle, RunIdentity, RuntimeLab } from "../runtime.ts";
import { type Attachment, attachContainer } from "./attachment.ts";
import { type Endpoint, endpointSettings, nodeContainer, programContainer } from "./container-options.ts";
import { answered, type Engine, engineCall, engineStatus } from "./engine.ts";
import { imageOf, type LabImages } from "./lab-images.ts";
import { objectLabels, PROGRAM_SUFFIX } from "./labels.ts";
import { KEPT_SUFFIX, removeRunPersistently } from "./removal.ts";
import { createSegmentNetwork, type SegmentNetwork } from "./segment-networks.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** A lab of this driver. */
export interface DockerLab extends RuntimeLab {
  /** Closes the connections to the lab's containers without removing them, so that this process can end. */
  detach(): void;
}

/** A node whose container exists. */
interface MadeNode {
  readonly container: Container;
  readonly spec: NodeSpec;
  readonly endpoints: readonly Endpoint[];
}

/** State of one lab. */
interface LabState {
  readonly engine: Engine;
  readonly identity: RunIdentity;
  readonly images: LabImages;
  readonly networks: Map<string, SegmentNetwork>;
  readonly nodes: Map<string, MadeNode>;
  /** Started containers by id. */
  readonly attachments: Map<string, Attachment>;
}

/** Starts a lab; nothing is made yet but its watchdog. */
export function createDockerLab(
  engine: Engine,
  identity: RunIdentity,
  signal: AbortSignal,
  images: LabImages,
): DockerLab {
  const state: LabState = { engine, identity, images, networks: new Map(), nodes: new Map(), attachments: new Map() };
  // Resolved while the segments are made; `createNodes` reports a failure.
  const image = images.node();
  image.catch(() => undefined);
  const watchdog = startWatchdog(engine.endpoint, identity.runId);
  const underWay = new Set<Promise<unknown>>();
  let destroyed: Promise<DestroyReport> | undefined;

  /**
   * Runs a step unless the lab is ending, and lets `destroy` wait for it: the engine completes requests it has
   * received.
   */
  const step = async <T>(run: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    if (destroyed !== undefined) throw new TestbedError("interrupted", "the lab is being removed");
    const running = run();
    underWay.add(running);
    return running.finally(() => underWay.delete(running));
  };
  const everyStep = async (steps: readonly (() => Promise<unknown>)[]): Promise<void> => {
    await Promise.all(steps.map(step));
  };

  return {
    createSegments: (specs) =>
      everyStep(
        specs.map(
          (spec) => async () => state.networks.set(spec.name, await createSegmentNetwork(engine, identity, spec)),
        ),
      ),
    createNodes: async (specs) => {
      const imageId = await step(() => image);
      await everyStep(specs.map((spec) => () => createNode(state, spec, imageId)));
    },
    startNode: (name) => step(() => startNode(state, name)),
    startProgram: (spec, onOutput) => step(() => startProgram(state, spec, onOutput)),
    keep: () => step(() => keepLab(state, watchdog)),
    destroy: () => (destroyed ??= destroyLab(state, watchdog, underWay)),
    detach: () => {
      for (const attachment of state.attachments.values()) attachment.detach();
    },
  };
}

async function createNode(state: LabState, spec: NodeSpec, image: string): Promise<void> {
  const { engine, identity } = state;
  const endpoints = spec.segments.map((segment): Endpoint => {
    const network = state.networks.get(segment);
    if (network === undefined) throw new Error(`node ${spec.name} before its segment ${segment}`);
    return { networkName: network.networkName, address: network.nextAddress() };
  });
  const options = nodeContainer(containerName(identity, spec.name), image, spec, endpoints, labelsOf(state, spec.name));
  const container = await engineCall(`make node ${spec.name}`, create(state, options, spec.name));
  state.nodes.set(spec.name, { container, spec, endpoints });
  for (const endpoint of endpoints.slice(1)) {
    const connect = engine.docker
      .getNetwork(endpoint.networkName)
      .connect({ Container: container.id, EndpointConfig: endpointSettings(endpoint) });
    await engineCall(`connect node ${spec.name}`, connect);
  }
}

async function startNode(state: LabState, name: string): Promise<NodeHandle> {
  const node = state.nodes.get(name);
  if (node === undefined) throw new Error(`startNode before createNodes: ${name}`);
  const attachment = await attach(state, node.container, { name: `node ${name}`, stdin: true });
  attachment.write(`${JSON.stringify({ type: "setup", setup: boundSetup(node, state) })}\n`);
  await engineCall(`start node ${name}`, node.container.start());
  return {
    name,
    lines: readLines(attachment.stdout),
    send: (line) => attachment.write(`${line}\n`),
    exited: attachment.exited,
    log: attachment.log,
    forgetLog: attachment.forgetLog,
    hindrance: () => hindranceOf(node.container),
    pause: () => engineCall(`pause node ${name}`, node.container.pause()).then(() => undefined),
    resume: () => engineCall(`resume node ${name}`, node.container.unpause()).then(() => undefined),
  };
}

async function hindranceOf(container: Container): Promise<string | undefined> {
  const { State: state } = await container.inspect();
  if (state.Paused) return "its container is paused";
  return (await isFirstProcessStopped(container)) ? "its process is stopped" : undefined;
}

/** The engine does not report a first process that is stopped; `ps` does, where the engine's machine has it. */
async function isFirstProcessStopped(container: Container): Promise<boolean> {
  const listing = container.top({ ps_args: "-eo pid,stat" }) as Promise<{ Processes?: readonly (readonly string[])[] }>;
  const { Processes: [first] = [] } = await listing.catch(() => ({ Processes: [] }));
  return first?.[1]?.startsWith("T") === true;
}

async function startProgram(state: LabState, spec: ProgramSpec, onOutput: OutputListener): Promise<ProgramHandle> {
  const holder = state.nodes.get(spec.inside);
  if (holder === undefined) throw new Error(`program ${spec.name} before its node ${spec.inside}`);
  const name = containerName(state.identity, spec.name === spec.inside ? `${spec.name}${PROGRAM_SUFFIX}` : spec.name);
  const image = await imageOf(state.images, spec.name, spec.source);
  const options = programContainer(name, image, holder.container.id, spec, labelsOf(state, spec.name));
  const container = await engineCall(`make host program ${spec.name}`, create(state, options, spec.name));
  const { files = [] } = spec;
  if (files.length > 0) {
    const archive = await archiveOf(files);
    await engineCall(`give host program ${spec.name} its files`, container.putArchive(archive, { path: "/" }));
  }
  const attachment = await attach(state, container, {
    name: `host program ${spec.name}`,
    stdin: false,
    onOutput,
  });
  await engineCall(`start host program ${spec.name}`, container.start());
  return {
    name: spec.name,
    exited: attachment.exited,
    log: attachment.log,
    signal: (signal) =>
      engineCall(`signal host program ${spec.name}`, container.kill({ signal })).then(() => undefined),
  };
}

/** Nodes no longer exit when the connection ends, their names are marked as kept, and the watchdog is dismissed. */
async function keepLab(state: LabState, watchdog: Watchdog): Promise<void> {
  for (const attachment of state.attachments.values()) attachment.write('{"type":"keep"}\n');
  const renames = [...state.nodes.values()].map(({ container, spec }) =>
    container.rename({ name: `${containerName(state.identity, spec.name)}${KEPT_SUFFIX}` }),
  );
  await engineCall("mark the lab as kept", Promise.all(renames));
  watchdog.dismiss();
}

/** How long the end of a lab waits for the steps that are under way. */
const STEPS_TIMEOUT_MS = 10_000;

async function destroyLab(
  state: LabState,
  watchdog: Watchdog,
  underWay: ReadonlySet<Promise<unknown>>,
): Promise<DestroyReport> {
  // What an engine that has stopped to answer has received is the watchdog's to remove.
  await answered(Promise.allSettled(underWay), STEPS_TIMEOUT_MS).catch(() => undefined);
  try {
    const report = await removeRunPersistently(state.engine, state.identity.runId);
    watchdog.dismiss();
    return report;
  } catch (error) {
    // The watchdog keeps running and tries again when this process ends.
    const why = error instanceof Error ? error.message : String(error);
    return { leftovers: [`run ${state.identity.runId}: ${why}; the next run or npm run testbed down removes it`] };
  }
}

async function create(
  state: LabState,
  options: Parameters<Engine["docker"]["createContainer"]>[0],
  name: string,
): Promise<Container> {
  try {
    return await state.engine.docker.createContainer(options);
  } catch (cause) {
    if (engineStatus(cause) !== 404) throw cause;
    const image = options.Image ?? "";
    throw new TestbedError("no-image", `node ${name} needs the image ${image}, which the Docker engine does not have`, {
      hint: `docker pull ${image}, or docker build -t ${image} …`,
      cause,
    });
  }
}

async function attach(
  state: LabState,
  container: Container,
  options: Parameters<typeof attachContainer>[2],
): Promise<Attachment> {
  const attachment = await engineCall("attach to a node", attachContainer(state.engine, container, options));
  state.attachments.set(container.id, attachment);
  return attachment;
}

function boundSetup({ spec, endpoints }: MadeNode, { nodes }: LabState): NodeSetup {
  const setup: UnboundSetup = spec.setup;
  const specs = [...nodes.values()].map((node) => node.spec);
  return {
    ...setup,
    interfaces: setup.interfaces.map((iface, i) => {
      const address = endpoints[i]?.address.ipv4;
      if (address === undefined) throw new Error(`node ${spec.name} has more interfaces than segments`);
      return { ...iface, find: { by: "address", address }, neighbours: neighboursOn(iface.segment, spec, specs) };
    }),
  };
}

function containerName({ runId }: RunIdentity, name: string): string {
  return `mice-${runId}-${name}`;
}

function labelsOf({ identity }: LabState, name: string): Record<string, string> {
  return objectLabels(identity, name);
}
