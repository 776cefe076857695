import { expect, test } from "vitest";
import { runWithInput } from "../../../../orchestrator/runtime/netns/run-with-input.ts";

/** More than a pipe buffers. */
const LONG = "line\n".repeat(1 << 18);

test("a program gets its input, and its errors are told", async () => {
  expect(await runWithInput("sh", ["-c", "wc -c >&2; exit 3"], LONG)).toEqual({
    exitCode: 3,
    errors: expect.stringContaining(String(LONG.length)) as string,
  });
});

test("a program that ends before it has read its input does not end this one", async () => {
  expect(await runWithInput("sh", ["-c", "echo gone >&2; exit 1"], LONG)).toEqual({ exitCode: 1, errors: "gone\n" });
});
