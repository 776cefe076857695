import { expect, test } from "vitest";
import { describeRefusal, offendingLine } from "../../../../agent/src/io/process/rule-errors.ts";

const text = "first\nsecond\nthird\n";

test.each([
  { tool: "ip -batch", stderr: 'Cannot find device "eth9"\nCommand failed -:2\n', line: "line 2: second" },
  { tool: "nft -f", stderr: "/dev/stdin:3:1-5: Error: syntax error, unexpected string\n", line: "line 3: third" },
  { tool: "iptables-restore, option", stderr: "Error occurred at line: 1\nTry -h for more\n", line: "line 1: first" },
  { tool: "iptables-restore, kernel", stderr: "iptables-restore: line 3 failed\n", line: "line 3: third" },
  { tool: "iptables-restore, rule", stderr: "line 2: RULE_APPEND failed (No such file)\n", line: "line 2: second" },
])("the line that $tool complains about is found", ({ stderr, line }) => {
  expect(offendingLine(text, stderr)).toBe(line);
});

test("a complaint without a line, or about a line that is not there, names none", () => {
  expect(offendingLine(text, "Operation not permitted")).toBeUndefined();
  expect(offendingLine(text, "line 9 failed")).toBeUndefined();
  expect(describeRefusal("nft -f -", text, "Operation not permitted\n")).toBe(
    "nft -f - failed: Operation not permitted",
  );
});

test("a refusal says the command, what it said, and the line", () => {
  expect(describeRefusal("nft -f -", text, "/dev/stdin:2:1: Error: no\n")).toBe(
    "nft -f - failed: /dev/stdin:2:1: Error: no\nline 2: second",
  );
});
