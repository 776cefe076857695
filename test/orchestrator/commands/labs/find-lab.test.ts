import { describe, expect, test } from "vitest";
import { chooseLab, readTarget } from "../../../../orchestrator/commands/labs/find-lab.ts";

const lab = (runId: string, topology: string, nodes: readonly string[]) => ({
  ...{ runId, topology, nodes },
  ...{ isOwnerAlive: true, isKept: false, isForUse: true },
});

const NAT_NAT = lab("20261201-120000-nat-nat-0001", "nat-nat", ["mn", "cn", "nat-a"]);
const SLOW = lab("20261201-130000-slow-0002", "slow", ["mn", "cn"]);
const MN = lab("20261201-140000-mn-0003", "mn", ["cn"]);
const LABS = [NAT_NAT, SLOW, MN];

describe("[lab] <node> [word…]", () => {
  test.each([
    ["nat-nat mn ping -c 1 cn", NAT_NAT, "mn", ["ping", "-c", "1", "cn"]],
    ["nat-nat mn -- ping cn", NAT_NAT, "mn", ["ping", "cn"]],
    ["20261201-13 cn id", SLOW, "cn", ["id"]],
    ["sl cn id", SLOW, "cn", ["id"]],
    // Of the only lab that has such a node.
    ["nat-a -- nft list ruleset", NAT_NAT, "nat-a", ["nft", "list", "ruleset"]],
    // A lab where a node of it follows, although other labs have a node of that name.
    ["mn cn id", MN, "cn", ["id"]],
    ["nat-a -- echo -- x", NAT_NAT, "nat-a", ["echo", "--", "x"]],
  ])("%s", (words, wanted, node, rest) => {
    expect(readTarget(LABS, words.split(" "))).toEqual({ lab: wanted, node, rest });
  });

  test("a lab in which a run is under way is meant only by its name", () => {
    const running = { ...NAT_NAT, isForUse: false };
    expect(readTarget([running, SLOW], ["mn", "id"]).lab).toBe(SLOW);
    expect(readTarget([running, SLOW], ["nat-nat", "mn", "id"]).lab).toBe(running);
    expect(readTarget([running], ["mn", "id"]).lab).toBe(running);
  });

  test.each([
    [LABS, "cn -- id", "expected one lab, and the words before the command fit several"],
    [LABS, "nosuch -- id", "no lab and no node of a lab is called nosuch"],
    [LABS, "slow", "expected a node after slow"],
    [LABS, "slow nat-a -- id", "20261201-130000-slow-0002 has no node nat-a"],
    [[], "mn -- id", "there is no lab on this machine"],
  ])("of %j labs, %s: %s", (labs, words, message) => {
    expect(() => readTarget(labs, words.split(" "))).toThrow(expect.objectContaining({ code: "bad-usage", message }));
  });
});

describe("a lab", () => {
  test("by the beginning of its name, or without one where it is the only one", () => {
    expect(chooseLab(LABS, "nat")).toBe(NAT_NAT);
    expect(chooseLab([SLOW], undefined)).toBe(SLOW);
  });

  test("a name in full is not the beginning of another", () => {
    const longer = lab("20261201-150000-nat-nat-nat-0004", "nat-nat-nat", []);
    expect(chooseLab([longer, NAT_NAT], "nat-nat")).toBe(NAT_NAT);
  });

  test.each([
    [LABS, undefined, "expected the name of a lab"],
    [LABS, "2026", "2026 means several labs"],
    [LABS, "fast", "no lab is called fast"],
    [[], undefined, "there is no lab on this machine"],
  ])("of %j, %s: %s", (labs, name, message) => {
    expect(() => chooseLab(labs, name)).toThrow(expect.objectContaining({ code: "bad-usage", message }));
  });
});
