import { stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { hostArch, koffiAddon, nodeBinary } from "../../../orchestrator/setup/linux-packages.ts";

test("Node and koffi's addon for this machine are installed", async () => {
  for (const path of [nodeBinary(hostArch()), koffiAddon(hostArch())]) expect((await stat(path)).isFile()).toBe(true);
});

test("for another architecture, what installs them leaves this machine's own in place", () => {
  const other = hostArch() === "x64" ? "arm64" : "x64";
  const hint = new RegExp(
    `^npm install --prefix node_modules/\\.linux-${other} --force ` +
      `node-linux-${other}@24\\.\\d+\\.\\d+ @koromix/koffi-linux-${other}@\\d+\\.\\d+\\.\\d+$`,
  );
  expect(() => nodeBinary(other)).toThrow(
    expect.objectContaining({ code: "no-image", hint: expect.stringMatching(hint) as string }),
  );
});
