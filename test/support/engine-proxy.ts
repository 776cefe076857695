/** A proxy before an engine's socket that fails as engines and networks do: it falls silent, or cuts its connections. */

import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface EngineProxy {
  /** As in DOCKER_HOST. */
  readonly endpoint: string;
  /** From now on nothing passes; connections stay open, and new ones are taken. */
  stall(): void;
  /** Everything passes again, what was held first. */
  pass(): void;
  /** Cuts every connection there is; new ones pass. */
  reset(): void;
  close(): Promise<void>;
}

/** Listens in a directory of its own; `target` is the path of the engine's socket. */
export async function startEngineProxy(target: string): Promise<EngineProxy> {
  const directory = await mkdtemp(join(tmpdir(), "mice-proxy-"));
  const path = join(directory, "docker.sock");
  const sockets = new Set<Socket>();
  let isStalled = false;
  const add = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("data", (data) => other.write(data));
    socket.on("end", () => other.end());
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
    if (isStalled) socket.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: target, allowHalfOpen: true });
    add(client, engine);
    add(engine, client);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    endpoint: `unix://${path}`,
    stall() {
      isStalled = true;
      for (const socket of sockets) socket.pause();
    },
    pass() {
      isStalled = false;
      for (const socket of sockets) socket.resume();
    },
    reset() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
