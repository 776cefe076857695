import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { awaitSocket, isServed } from "../../../../agent/src/io/sockets/await-socket.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1
   1: 0100007F:2329 0100007F:2328 01 00000000:00000000 00:00000000 00000000     0        0 12346 1
`;

test.each([
  ["tcp", 9000, true],
  ["tcp", 9001, false],
  ["udp", 9001, true],
  ["tcp", 28, false],
] as const)("a %s socket of the table serves port %d: %s", (protocol, port, expected) => {
  expect(isServed(TABLE, { protocol, port })).toBe(expected);
});

test("a port is served once a program listens on it, or has bound it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  const socket = createSocket("udp6").bind(0, "::1");
  await Promise.all([once(server, "listening"), once(socket, "listening")]);
  const address = server.address();
  const tcp = typeof address === "object" ? (address?.port ?? 0) : 0;
  const udp = socket.address().port;
  try {
    expect(await awaitSocket({ protocol: "tcp", port: tcp, waitMs: 5000 })).toBe(true);
    expect(await awaitSocket({ protocol: "udp", port: udp, waitMs: 5000 })).toBe(true);
  } finally {
    server.close();
    socket.close();
  }
  expect(await awaitSocket({ protocol: "tcp", port: tcp, waitMs: 1 })).toBe(false);
});
