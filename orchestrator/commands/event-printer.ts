/** Prints what happens in a lab while it happens. */

import type { LabEvent } from "../lab/lab-event.ts";
import { describeEvent } from "../report/progress.ts";
import type { CommandContext } from "./context.ts";

/** One line for each event that people want to see, after its time since `startedAt`, milliseconds since 1970. */
export function eventPrinter(
  startedAt: number,
  { say, paint }: Pick<CommandContext, "say" | "paint">,
): (event: LabEvent) => void {
  return (event) => {
    const text = describeEvent(event);
    if (text === undefined) return;
    const seconds = `${((event.at - startedAt) / 1000).toFixed(3)} s`.padStart(9);
    for (const line of text.split("\n")) say(`${paint.faint(seconds)}  ${line}`);
  };
}
