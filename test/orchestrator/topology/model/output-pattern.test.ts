import { expect, test } from "vitest";
import { createOutputMatcher, outputPatternProblem } from "../../../../orchestrator/topology/model/output-pattern.ts";

test.each([
  ["connected", "is connected to", true],
  ["a.c", "abc", false],
  ["/a.c/", "abc", true],
  ["/^ready$/i", "READY", true],
  ["/usr/bin", "from /usr/bin/x", true],
  ["/", "a / b", true],
])("%s in %j: %s", (pattern, line, expected) => {
  expect(outputPatternProblem(pattern)).toBeUndefined();
  expect(createOutputMatcher(pattern)(line)).toBe(expected);
});

test.each([
  ["", "expected text of a line"],
  ["/(/", "expected a regular expression that can be read"],
  ["/a/g", "expected a regular expression without the flags g and y"],
])("%j is refused", (pattern, problem) => {
  expect(outputPatternProblem(pattern)).toContain(problem);
});
