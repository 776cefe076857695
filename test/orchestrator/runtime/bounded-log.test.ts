import { expect, test } from "vitest";
import { createBoundedLog, MOST_LOG_CHARACTERS } from "../../../orchestrator/runtime/bounded-log.ts";

test("a log that fits is kept as it is", () => {
  const log = createBoundedLog();
  for (const text of ["one\n", "", "two\n"]) log.add(text);
  expect(log.text()).toBe("one\ntwo\n");
});

test("of a longer one the beginning and the end are kept, and what is left out is counted", () => {
  const log = createBoundedLog(20);
  for (const text of ["0123456789", "abcdefghij", "ABCDEFGHIJ", "!"]) log.add(text);
  const [, head, omitted, tail] =
    /^(.{10})\n\[(\d+) characters left out: a log keeps 20\]\n(.*)$/s.exec(log.text()) ?? [];
  expect(head).toBe("0123456789");
  expect(tail?.endsWith("!")).toBe(true);
  expect(10 + Number(omitted) + (tail?.length ?? 0)).toBe(31);
});

test("a program that writes without end takes no more memory than the log keeps", () => {
  const log = createBoundedLog();
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 600_000; i += 1) log.add(line);
  expect(log.text().length).toBeLessThan(1.1 * MOST_LOG_CHARACTERS);
  expect(log.text()).toContain(" characters left out: ");
});

test("a log begins anew when it is told to", () => {
  const log = createBoundedLog(4);
  log.add("before, and long");
  log.clear();
  log.add("new");
  expect(log.text()).toBe("new");
});
