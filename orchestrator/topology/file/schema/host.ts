/** Hosts: nodes that run a program of the file's author. */

import * as z from "zod";
import { imageNameProblem } from "../../model/image-name.ts";
import { MEMORY_PATTERN, memoryMiBOf } from "../../model/memory-size.ts";
import { HOST_CAPABILITIES, HOST_DEVICES, STOP_SIGNALS } from "../../model/words.ts";
import { fixedAddresses, gateway, segments } from "./attachment.ts";
import { duration, LONGEST_MOMENT, outputPattern, port, rangeIssue, reference, text, within } from "./values.ts";

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

/** Paths become parts of mount options and of archives, where other characters have a meaning. */
const PATH_PATTERN = /^(\/[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*)+$/;

const insidePath = text(
  PATH_PATTERN,
  "an absolute path of letters, digits and `._+@-`, no part of which begins with a dot",
);

/** A file of at most a mebibyte reaches its host with the lab's set-up. */
const MOST_TEXT_OCTETS = 1024 * 1024;

const fileContent = z.union([
  z.string().describe("Path of a file, relative to this one"),
  z.strictObject({
    text: z
      .string()
      .check(({ value, issues }) => {
        const octets = Buffer.byteLength(value);
        if (octets > MOST_TEXT_OCTETS)
          issues.push(rangeIssue(value, `expected at most ${MOST_TEXT_OCTETS} octets`, octets));
      })
      .describe("The text itself"),
  }),
]);

const image = z
  .string()
  .check(({ value, issues }) => {
    const problem = imageNameProblem(value);
    if (problem !== undefined) issues.push(rangeIssue(value, problem));
  })
  .describe("Any container image, on the docker runtime; `none`, as when absent, for a program of this machine");

const sysctl = text(/^net\.[a-z0-9_./-]+$/, "a kernel parameter of the network, such as net.ipv4.tcp_keepalive_time");

const user = text(/^([a-z_][a-z0-9_-]{0,31}|\d{1,9})$/, "the name or the number of a user");

/** As many as the kernel has by default. */
const MOST_PIDS = 32_768;
const LEAST_MEMORY_MIB = 8;
const MOST_MEMORY_MIB = 65_536;

const memory = text(MEMORY_PATTERN, "a size of memory such as 64MiB or 2GiB").check(
  within(
    MEMORY_PATTERN,
    (value) => memoryMiBOf(value) >= LEAST_MEMORY_MIB && memoryMiBOf(value) <= MOST_MEMORY_MIB,
    "a size of memory from 8MiB to 64GiB",
  ),
);

const readiness = z
  .strictObject({
    output: outputPattern.optional(),
    tcp: port.optional().describe("A TCP port on which it listens"),
    udp: port.optional().describe("A UDP port that it has bound"),
    exit: z.literal(0).optional().describe("It has ended, with exit code 0"),
    within: duration(LONGEST_MOMENT).optional().describe("How long that may take from its start; 30s when absent"),
  })
  .describe(
    "When its program is ready: one of `output`, `tcp`, `udp` and `exit`; as soon as it is started when absent",
  );

/** What a host's entry may hold. One that extends another host takes what it does not hold from there. */
const hostFields = {
  on: segments,
  image: image.optional(),
  build: z
    .string()
    .optional()
    .describe("A folder with a Dockerfile, relative to this file; its argument BASE_IMAGE is a Debian with apt"),
  command: z
    .union([programText, z.array(programText)])
    .check(checkProgramOctets)
    .optional()
    .describe("Arguments, or one line for /bin/sh -c; without an image or `build`, a program of this machine"),
  environment: z
    .record(variableName, z.union([programText, z.number(), z.boolean()]))
    .check(checkProgramOctets)
    .optional(),
  files: z
    .record(insidePath, fileContent)
    .optional()
    .describe("Files that the program finds in place: by path inside, the path of a file beside this one, or `text`"),
  writable: z
    .array(insidePath)
    .optional()
    .describe(
      "Directories that the program may write to, beside /tmp, /var/tmp, /run and /root, without an image; what it writes is gone with the lab",
    ),
  workdir: insidePath.optional().describe("The directory that it is started in; that of its image, or /, when absent"),
  user: user.optional().describe("The user that it is started as; that of its image, or root, when absent"),
  capabilities: z
    .array(z.enum(HOST_CAPABILITIES))
    .optional()
    .describe("Capabilities that the program has, capabilities(7) without CAP_; none when absent"),
  devices: z
    .array(z.enum(HOST_DEVICES))
    .optional()
    .describe("Devices that the program may open; a TUN device takes the capability NET_ADMIN too"),
  sysctls: z
    .record(sysctl, z.union([z.string(), z.number()]))
    .optional()
    .describe("Kernel parameters of its own network, such as net.ipv4.ip_forward"),
  pids: z
    .int()
    .min(1)
    .max(MOST_PIDS)
    .optional()
    .describe("How many processes and threads its program may have at once; 1024 when absent"),
  memory: memory.optional().describe("How much memory they may take; 2GiB when absent"),
  startAfter: z.array(reference).optional().describe("Hosts that have to be ready before this one is started"),
  ready: readiness.optional(),
  stopSignal: z
    .enum(STOP_SIGNALS)
    .optional()
    .describe(
      "The signal that asks it to end with its run, two seconds before it is killed; killed at once when absent",
    ),
  service: z
    .boolean()
    .optional()
    .describe(
      "A server: it runs until the testbed ends it, and must not end earlier. Other programs must end by themselves",
    ),
  gateway: gateway.optional(),
  addresses: fixedAddresses.optional(),
};

export const host = z.strictObject({ role: z.literal("host"), ...hostFields });

/** What stands in a file in place of a host: the reading of the file makes it whole before it is checked. */
export const extendingHost = z.strictObject({
  extends: reference.describe("A host of this file, from which this one takes what it does not say itself"),
  role: z.literal("host").optional(),
  ...hostFields,
  on: segments.optional(),
});
