import { describe, expect, test } from "vitest";
import { parseQdiscFigures } from "../../../../agent/src/io/link/netem.ts";
import { netemArguments, netemChange, netemTexts } from "../../../../agent/src/io/link/netem-plan.ts";

describe("a condition in netem's words", () => {
  test.each([
    ["nothing", {}, "limit 1000000"],
    ["a delay", { delayMs: 20 }, "limit 1000000 delay 20000us 0us"],
    ["a fraction of a millisecond", { delayMs: 0.25 }, "limit 1000000 delay 250us 0us"],
    [
      "jitter, with a rate that keeps the order",
      { delayMs: 20, jitterMs: 2 },
      "limit 1000000 delay 20000us 2000us rate 100gbit",
    ],
    ["independent losses", { lossRate: 0.01 }, "limit 1000000 loss random 1%"],
    ["runs of 4 on average, 10 % of all", { lossRate: 0.1, lossBurst: 4 }, "limit 1000000 loss gemodel 2.777778% 25%"],
    ["the loss of everything", { lossRate: 1, lossBurst: 4 }, "limit 1000000 loss random 100%"],
    ["changed bits", { corruptRate: 0.01 }, "limit 1000000 corrupt 1%"],
    ["duplicates", { duplicateRate: 0.005 }, "limit 1000000 duplicate 0.5%"],
    ["reordering", { delayMs: 10, reorderRate: 0.05 }, "limit 1000000 delay 10000us 0us reorder 5%"],
    ["a rate with the usual queue", { rateBitPerSec: 8e6 }, "limit 1000 rate 8000000bit"],
    // 8 Mbit/s for 100 ms are 66.05 frames of 1514 octets in flight, which netem counts as queued.
    [
      "a rate with queue and delay",
      { delayMs: 100, rateBitPerSec: 8e6, queuePackets: 50 },
      "limit 117 delay 100000us 0us rate 8000000bit",
    ],
  ])("%s", (_what, impairment, text) => {
    expect(netemArguments(impairment)).toBe(text);
  });

  test("ends with the seed, for a netem that takes one", () => {
    expect(netemArguments({ lossRate: 0.5 }, 7)).toBe("limit 1000000 loss random 50% seed 7");
  });
});

describe("the commands for a segment", () => {
  const iface = { interfaceName: "eth0", ifbName: "mice-in0" };

  test("shape what leaves at the interface itself, and take it back", () => {
    expect(netemTexts({ ...iface, out: { delayMs: 5 } })).toEqual({
      ip: "",
      tc: "qdisc add dev eth0 root netem limit 1000000 delay 5000us 0us\n",
      undo: { ip: "", tc: "qdisc del dev eth0 root\n" },
    });
  });

  test("lead what arrives through an intermediate device that says nothing by itself", () => {
    expect(netemTexts({ ...iface, in: { delayMs: 5 }, seeds: { out: 1, in: 2 } })).toEqual({
      ip: "link add mice-in0 type ifb\nlink set mice-in0 addrgenmode none\nlink set mice-in0 up\n",
      tc:
        "qdisc add dev eth0 ingress\n" +
        "filter add dev eth0 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev mice-in0\n" +
        "qdisc add dev mice-in0 root netem limit 1000000 delay 5000us 0us seed 2\n",
      undo: { ip: "link del mice-in0\n", tc: "qdisc del dev eth0 ingress\n" },
    });
  });
});

test("figures are those of netem, whatever else tc shows", () => {
  const shown = `qdisc netem 8001: root refcnt 2 limit 1000000 delay 20ms loss 5%
 Sent 30100 bytes 301 pkt (dropped 17, overlimits 0 requeues 0)
 backlog 0b 0p requeues 0
qdisc ingress ffff: parent ffff:fff1 ----------------
 Sent 99 bytes 9 pkt (dropped 8, overlimits 0 requeues 0)
`;
  expect(parseQdiscFigures(shown)).toEqual({ delivered: 301, lost: 17 });
  expect(parseQdiscFigures("")).toEqual({ delivered: 0, lost: 0 });
});

test("a change names the corruption, the reordering and the rate as well, which netem would keep otherwise", () => {
  const device = { interfaceName: "home", ifbName: "mice-in0" };
  expect(
    netemChange(device, { out: { lossRate: 1 }, in: { delayMs: 20, reorderRate: 0.05, rateBitPerSec: 8e6 } }),
  ).toBe(
    [
      "qdisc replace dev home root netem limit 1000000 loss random 100% corrupt 0% reorder 0% rate 100gbit\n",
      "qdisc replace dev mice-in0 root netem limit 1014 delay 20000us 0us reorder 5% rate 8000000bit corrupt 0%\n",
    ].join(""),
  );
});
