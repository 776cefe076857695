/** Values of one line that many keys have: names, durations, addresses, ports. */

import * as z from "zod";
import { type AddressProblem, addressProblem, type Family, networkProblem } from "../../model/address-text.ts";
import { DURATION_PATTERN, durationMs } from "../../model/duration.ts";
import { outputPatternProblem } from "../../model/output-pattern.ts";

/** Names become host names, interface names and parts of file names. */
const NAME_PATTERN = /^[a-z][a-z0-9-]{0,30}$/;

/** Text of one shape; `expected` completes "expected …" for a wrong type and for a wrong text alike. */
export function text(pattern: RegExp, expected: string): z.ZodString {
  return z.string({ error: `expected ${expected}` }).regex(pattern, { error: `expected ${expected}` });
}

export const name = text(NAME_PATTERN, "a name of lower-case letters, digits and hyphens, at most 31, a letter first");
export const reference = z.string({ error: "expected a name" });
const MAC_PATTERN = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
export const mac = text(MAC_PATTERN, "a MAC address in lower case such as 02:00:00:00:00:01").check(
  within(MAC_PATTERN, isMacOfOneNode, "the MAC address of one node: an even first octet, and not all zero"),
);
export const port = z.int().min(1).max(65535);
export const portRange = text(/^\d{1,5}-\d{1,5}$/, "a port range such as 40000-49999");

/** Text of a pattern whose value lies within a range; text of another shape has been reported as such. */
export function within(
  pattern: RegExp,
  isWithin: (text: string) => boolean,
  expected: string,
): (context: z.core.ParsePayload<string>) => void {
  return ({ value, issues }) => {
    if (pattern.test(value) && !isWithin(value)) issues.push(rangeIssue(value, `expected ${expected}`));
  };
}

/** A duration of at most `longest`, and at least `shortest` if given. */
export function duration(longest: string, shortest = "0ms"): z.ZodString {
  const isWithin = (value: string): boolean =>
    durationMs(value) <= durationMs(longest) && durationMs(value) >= durationMs(shortest);
  const range = durationMs(shortest) > 0 ? `from ${shortest} to ${longest}` : `of at most ${longest}`;
  return text(DURATION_PATTERN, "a duration such as 30s, 400ms or 2m").check(
    within(DURATION_PATTERN, isWithin, `a duration ${range}`),
  );
}

/** How late in a run something may happen, and the longest time that may be expected: a day. */
export const LONGEST_MOMENT = "1440m";

/** An individual address (IEEE 802): the lowest bit of the first octet marks groups, and all. */
function isMacOfOneNode(value: string): boolean {
  return Number.parseInt(value.slice(0, 2), 16) % 2 === 0 && value !== "00:00:00:00:00:00";
}

/** An address without prefix length. */
export function address(family: Family): z.ZodString {
  return z.string({ error: `expected an IPv${family} address` }).check((context) => {
    const problem = addressProblem(context.value, family);
    if (problem !== undefined) context.issues.push(customIssue(context.value, problem));
  });
}

/** A network in CIDR form with no host bits set. */
export function network(family: Family): z.ZodString {
  return z.string({ error: `expected an IPv${family} network with prefix length` }).check((context) => {
    const problem = networkProblem(context.value, family);
    if (problem !== undefined) context.issues.push(customIssue(context.value, problem));
  });
}

/** A line of a program's output. */
export const outputPattern = z
  .string({ error: "expected text of a line, or /a regular expression/" })
  .check(({ value, issues }) => {
    const problem = outputPatternProblem(value);
    if (problem !== undefined) issues.push(rangeIssue(value, problem));
  })
  .describe("Text that a line of its output contains, or a regular expression such as /connected to \\d+/");

function customIssue(input: string, { expected, advice }: AddressProblem): z.core.$ZodRawIssue {
  return { code: "custom", input, message: expected, params: { advice } };
}

/** Octets of the largest IP packet: at least what every IPv4 host takes (RFC 791), at most what Ethernet carries. */
export const mtu = z.int().min(576).max(1500);

/** A value out of its range; `found` is what is shown of it, the value itself when absent. */
export function rangeIssue(input: unknown, expected: string, found?: number): z.core.$ZodRawIssue {
  return { code: "custom", input, message: expected, params: { code: "bad-value", found } };
}
