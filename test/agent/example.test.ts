import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { DOCUMENT, readExample } from "../../tools/example/example.ts";

const example = await readExample();

test("the example is what the capture says", async () => {
  expect(await readFile(DOCUMENT, "utf8")).toBe(example.document);
});

test("the example goes from registration to data on the pair", () => {
  expect(example.flow).toEqual({
    "ha-a": { mobility: ["BA in the tunnel"], stun: ["Binding response to the STUN server"] },
    "ha-b": { mobility: ["BA in the tunnel"], stun: ["Binding response to the STUN server"] },
    mn: {
      mobility: ["BU in the tunnel", "HoTI in the tunnel", "CoTI-ICE in the tunnel", "BU on a pair"],
      stun: [
        "Binding request to the STUN server",
        "answer to a check on a pair",
        "check on a pair",
        "check with USE-CANDIDATE on a pair",
      ],
    },
    cn: {
      mobility: ["BU in the tunnel", "HoT in the tunnel", "CoT-ICE in the tunnel", "BA on a pair"],
      stun: ["Binding request to the STUN server", "answer to a check on a pair", "check on a pair"],
    },
  });
});
