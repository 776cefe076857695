/** Hosts: nodes that run a program of the file's author. */

import * as z from "zod";
import { imageNameProblem } from "../../model/image-name.ts";
import { HOST_CAPABILITIES } from "../../model/words.ts";
import { fixedAddresses, gateway } from "./attachment.ts";
import { rangeIssue, reference, text } from "./values.ts";

/** Text that a program receives: the kernel ends it at its first NUL. */
const programText = z.string().check(({ value, issues }) => {
  if (value.includes("\0")) issues.push(rangeIssue(value, "expected text without NUL, at which the kernel ends it"));
});

/** Octets of a host's arguments, and of its environment: the kernel takes 128 KiB at once (MAX_ARG_STRLEN). */
const MOST_PROGRAM_OCTETS = 100_000;

function checkProgramOctets({ value, issues }: z.core.ParsePayload): void {
  const octets = Buffer.byteLength(JSON.stringify(value));
  if (octets > MOST_PROGRAM_OCTETS)
    issues.push(rangeIssue(value, `expected at most ${MOST_PROGRAM_OCTETS} octets in all`, octets));
}

const variableName = text(/^[^=\0]+$/, "the name of a variable, without `=` and NUL");

export const host = z.strictObject({
  role: z.literal("host"),
  on: reference.describe("The segment it is attached to"),
  image: z
    .string()
    .check(({ value, issues }) => {
      const problem = imageNameProblem(value);
      if (problem !== undefined) issues.push(rangeIssue(value, problem));
    })
    .describe("Any container image"),
  command: z
    .union([programText, z.array(programText)])
    .check(checkProgramOctets)
    .optional()
    .describe("Arguments, or one line for /bin/sh -c"),
  environment: z
    .record(variableName, z.union([programText, z.number(), z.boolean()]))
    .check(checkProgramOctets)
    .optional(),
  capabilities: z
    .array(z.enum(HOST_CAPABILITIES))
    .optional()
    .describe("Capabilities that the program has, capabilities(7) without CAP_; none when absent"),
  service: z
    .boolean()
    .optional()
    .describe(
      "A server: it runs until the testbed ends it, and must not end earlier. Other programs must end by themselves",
    ),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
});
