import { describe, expect, test } from "vitest";
import { BASE_MTU, PathMtu } from "../../../../agent/src/core/mip6/path-mtu.ts";

/** What becomes of one packet a millisecond for ten seconds on a way that answers probes up to `carried`. */
function passagesOf(mtu: PathMtu, octets: number, carried: number, from = 0): ReadonlySet<string> {
  const seen = new Set<string>();
  for (let now = from; now < from + 10_000; now += 1) {
    const passage = mtu.passageOf(now, octets);
    if (now >= from + 2000) seen.add(passage.type === "fragments" ? `fragments of ${passage.octets}` : passage.type);
    for (const size of mtu.takeDue(now)) if (size <= carried) mtu.noteAnswer(now, size);
  }
  return seen;
}

describe("once a way has been searched", () => {
  test.each([
    [1472, 1472, "whole"],
    [1448, 1472, "whole"],
    [1448, 1400, "refuse"],
    [1280, 1400, "whole"],
    [1248, 1247, "fragments of 1232"],
    [1248, 1124, "fragments of 1096"],
    [1448, 1124, "refuse"],
    [1280, 548, "fragments of 548"],
    [600, 548, "fragments of 548"],
    [600, 1472, "whole"],
  ])("a packet of %d octets on a way that carries %d goes so: %s", (octets, carried, passage) => {
    expect(passagesOf(new PathMtu(), octets, carried)).toEqual(new Set([passage]));
  });
});

test("nothing is refused before a search for its size has ended, and nothing is lost meanwhile", () => {
  const mtu = new PathMtu();
  for (let now = 0; now < 1500; now += 10) {
    expect(mtu.passageOf(now, 1448)).toEqual({ type: "fragments", octets: BASE_MTU });
    mtu.takeDue(now);
  }
  mtu.takeDue(1500);
  expect(mtu.passageOf(1500, 1448)).toEqual({ type: "refuse", mtu: 1280 });
});

test("no larger sizes are probed than a packet needs, until one needs them", () => {
  const mtu = new PathMtu();
  mtu.passageOf(0, 1000);
  expect(mtu.takeDue(0)).toEqual([1096]);
  mtu.noteAnswer(40, 1096);
  mtu.passageOf(50, 1248);
  expect(mtu.takeDue(50)).toEqual([1280, 1232]);
});

test("a way that becomes wider is noticed, and one that becomes narrower", () => {
  const mtu = new PathMtu();
  expect(passagesOf(mtu, 1248, 1124)).toEqual(new Set(["fragments of 1096"]));
  expect(passagesOf(mtu, 1248, 1472, 20_000)).toEqual(new Set(["whole"]));
  passagesOf(mtu, 1248, 1124, 40_000);
  expect(mtu.passageOf(50_000, 1248)).toEqual({ type: "fragments", octets: 1096 });
});
