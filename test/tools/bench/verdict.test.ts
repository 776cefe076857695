import { describe, expect, test } from "vitest";
import { median, notMeasured, quantile, ratios, type Series } from "../../../tools/bench/measure.ts";
import { notInstalled } from "../../../tools/bench/peer-programs.ts";
import { formatFailure, formatRow } from "../../../tools/bench/table.ts";
import { describeSeries, describeVerdict, judge } from "../../../tools/bench/verdict.ts";

const series = (name: string, ...values: readonly number[]): Series => ({ name, unit: "s", values });

const PRODUCT = series("testbed", 3.5, 4, 12);
const NODE = series("node", 0.25, 0.25, 1);

describe("figures", () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[], Number.NaN],
  ])("the median of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test("a quantile is the value below which that share lies", () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([51, 100, 100]);
  });

  test("ratios are taken round by round, so a round in which the machine was slow counts as any other", () => {
    expect(ratios(PRODUCT, NODE).map((ratio) => ratio.toFixed(2))).toEqual(["14.00", "16.00", "12.00"]);
  });
});

describe("a verdict", () => {
  test.each([
    ["at its upper limit is reached", { most: 14 }, "14.0 ≤ 14 reached"],
    ["above its upper limit is missed", { most: 13.9 }, "14.0 ≤ 13.9 MISSED"],
    ["at its lower limit is reached", { least: 14 }, "14.0 ≥ 14 reached"],
    ["below its lower limit is missed", { least: 14.1 }, "14.0 ≥ 14.1 MISSED"],
    ["without a reach is the ratio alone", undefined, "14.0"],
  ])("%s", (_, reach, expected) => {
    expect(describeVerdict(judge(reach, [PRODUCT, NODE]))).toBe(expected);
  });

  test.each([
    ["the peer is missing", [PRODUCT, notMeasured("aioice", "s", notInstalled("python3-aioice"))]],
    ["there is no peer", [PRODUCT]],
    ["nothing was measured", []],
    ["the peer took no time", [PRODUCT, series("node", 0, 0, 0)]],
  ])("where %s is: not measured", (_, measured) => {
    expect(describeVerdict(judge({ most: 1 }, measured))).toBe("not measured");
  });
});

describe("the table", () => {
  test("begins with the ratio, the bench and the product's figures; the other figures follow", () => {
    expect(formatRow("netns-run", judge({ most: 14 }, [PRODUCT, NODE]), [PRODUCT, NODE])).toEqual([
      "14.0 ≤ 14 reached       netns-run      testbed: 4.00 s (3.50 to 12.0)",
      "                                       node: 0.250 s (0.250 to 1.00)",
    ]);
  });

  test.each(["iperf3", "openvpn", "docker-compose", "python3-aioice", "libjuice"] as const)(
    "names the command that installs %s",
    (name) => {
      const text = describeSeries(notMeasured("peer", "s", notInstalled(name)));
      expect(text).toMatch(
        new RegExp(`^peer: not measured, ${name} is not installed: (?:apt-get install ${name}$|git )`),
      );
    },
  );

  test("says why a bench failed", () => {
    expect(formatFailure("docker-run", "the engine stopped")).toEqual([
      "not measured            docker-run     the engine stopped",
    ]);
  });
});
