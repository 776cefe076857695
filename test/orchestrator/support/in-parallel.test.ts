import { expect, test } from "vitest";
import { inParallel } from "../../../orchestrator/support/in-parallel.ts";

const never = new AbortController().signal;
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("everything is worked on in order, never more at once than allowed", async () => {
  const started: number[] = [];
  let running = 0;
  let most = 0;
  await inParallel([1, 2, 3, 4, 5], 2, never, async (item) => {
    started.push(item);
    running += 1;
    most = Math.max(most, running);
    await pause();
    running -= 1;
  });
  expect({ started, most }).toEqual({ started: [1, 2, 3, 4, 5], most: 2 });
});

test("an aborted signal lets nothing new start, and what is under way ends first", async () => {
  const controller = new AbortController();
  const ended: number[] = [];
  await inParallel([1, 2, 3, 4], 2, controller.signal, async (item) => {
    controller.abort();
    await pause();
    ended.push(item);
  });
  expect(ended).toEqual([1]);
});

test("a failure lets nothing new start and is thrown once the rest has ended", async () => {
  const ended: number[] = [];
  const working = inParallel([1, 2, 3, 4], 2, never, async (item) => {
    if (item === 1) throw new Error("one failed");
    await pause();
    ended.push(item);
  });
  await expect(working).rejects.toThrow("one failed");
  expect(ended).toEqual([2]);
});
