import { describe, expect, test } from "vitest";
import type { NatDependence, NatProfile } from "../../agent/src/testing/index.ts";
import { ACCESS, connect, pathOf } from "./scenario.ts";

const BEHAVIOURS = { EI: "endpoint-independent", AD: "address-dependent", APD: "address-and-port-dependent" } as const;

/** The nine points of mapping and filtering, written `mapping/filtering`. */
const MIDDLEBOXES = ["EI/EI", "EI/AD", "EI/APD", "AD/EI", "AD/AD", "AD/APD", "APD/EI", "APD/AD", "APD/APD"] as const;
type Middlebox = (typeof MIDDLEBOXES)[number];

/**
 * Pairs for which plain hole punching through real kernel NATs finds no direct path: the relay cells of the measured 9
 * x 9 table. All other pairs find one, in both orders of starting.
 */
const RELAYED: ReadonlySet<string> = new Set(
  (["AD/AD", "AD/APD", "APD/AD", "APD/APD"] as const).flatMap((strict) =>
    (["EI/APD", "AD/AD", "AD/APD", "APD/AD", "APD/APD"] as const).flatMap((other) => [
      `${strict} ${other}`,
      `${other} ${strict}`,
    ]),
  ),
);

function profileOf(nat: Middlebox, seed: number): Partial<NatProfile> {
  const [mapping, filtering] = nat.split("/").map((part) => behaviourOf(part));
  if (mapping === undefined || filtering === undefined) throw new Error(`not a middlebox: ${nat}`);
  return { mapping, filtering, portAssignment: mapping === "endpoint-independent" ? "preserve" : "random", seed };
}

function behaviourOf(part: string): NatDependence {
  return part === "EI" || part === "AD" ? BEHAVIOURS[part] : BEHAVIOURS.APD;
}

describe.each(MIDDLEBOXES)("mobile node behind %s", (a) => {
  test.each(MIDDLEBOXES)("correspondent behind %s", (b) => {
    const mice = connect({
      a: { nat: profileOf(a, 1), access: ACCESS },
      b: { nat: profileOf(b, 2), access: ACCESS },
    });
    expect(mice.runUntilBoth("path", 20_000)).toBe(true);
    const expected = RELAYED.has(`${a} ${b}`) ? "home-agents" : "direct";
    const [mn, cn] = [pathOf(mice.mn), pathOf(mice.cn)].map((path) => path.split(" ")[0]);
    expect({ mn, cn }).toEqual({ mn: expected, cn: expected });
  });
});
