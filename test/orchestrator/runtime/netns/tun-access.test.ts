import { devNull } from "node:os";
import { expect, test } from "vitest";
import { requireTunDevice } from "../../../../orchestrator/runtime/netns/tun-access.ts";

const nodes = [
  { name: "middlebox", tun: false },
  { name: "mn", tun: true },
];

test("a device that is there and open is all that it takes", async () => {
  await expect(requireTunDevice(nodes, devNull)).resolves.toBeUndefined();
});

test("a machine without the device is told how it gets one, and which node needs it", async () => {
  await expect(requireTunDevice(nodes, "/nowhere/tun")).rejects.toMatchObject({
    code: "no-permission",
    message: "expected to be able to read and write /nowhere/tun, which mn needs; it does not exist",
    hint: "modprobe tun, as root; in a container, hand the device in (docker run --device /dev/net/tun)",
  });
});

test("a plan without home addresses needs none", async () => {
  await expect(requireTunDevice(nodes.slice(0, 1), "/nowhere/tun")).resolves.toBeUndefined();
});
