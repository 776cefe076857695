/** Options that several commands have, and how their values are read. */

import { InvalidArgumentError, Option } from "commander";
import { RUNTIME_CHOICES, RUNTIME_CONDITIONS, RUNTIME_NAMES, type RuntimeChoice } from "./runtime/runtime-name.ts";

/** Default timeout of a run on a usual machine. */
const DEFAULT_TIMEOUT_SEC = 60;

export function runtimeOption(): Option {
  return new Option("--runtime <name>", "what runs the lab")
    .choices(RUNTIME_CHOICES)
    .default("auto", RUNTIME_NAMES.map((name) => `${name} ${RUNTIME_CONDITIONS[name]}`).join(", else "));
}

/** Options as on the command line: `timeout` in seconds where the command takes milliseconds. */
export type Timed<Options extends { readonly timeoutMs: number; readonly timeouts: number }> = Omit<
  Options,
  "timeoutMs"
> & {
  readonly timeout?: number;
  readonly timeouts: number;
};

export function timeoutOption(description: string): Option {
  const text = `${description}; ${DEFAULT_TIMEOUT_SEC} times --timeouts when absent`;
  return new Option("--timeout <seconds>", text).argParser(seconds);
}

export function timeoutsOption(): Option {
  return new Option("--timeouts <factor>", "how much longer each step may take, such as 3 on a slow machine")
    .argParser(factor)
    .default(1);
}

export function withTimeout<Rest extends { readonly timeout?: number; readonly timeouts: number }>({
  timeout,
  ...rest
}: Rest): Omit<Rest, "timeout"> & { readonly timeoutMs: number } {
  return { ...rest, timeoutMs: (timeout ?? DEFAULT_TIMEOUT_SEC * rest.timeouts) * 1000 };
}

export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of at most 9 digits.");
}

export function jobs(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1 to 999.");
}

export function commaList(text: string): readonly string[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.every((word) => word !== "")) return words;
  throw new InvalidArgumentError("expected names with commas between them.");
}

export function runtimeList(text: string): readonly RuntimeChoice[] {
  return commaList(text).map((word) => {
    const choice = RUNTIME_CHOICES.find((name) => name === word);
    if (choice !== undefined) return choice;
    throw new InvalidArgumentError(`expected ${RUNTIME_CHOICES.join(", ")}, or several of them with commas between.`);
  });
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError("expected seconds, more than 0 and at most 86400.");
}

function factor(text: string): number {
  const value = Number(text);
  if (value >= 0.1 && value <= 100) return value;
  throw new InvalidArgumentError("expected a factor from 0.1 to 100.");
}
