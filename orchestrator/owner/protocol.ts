/**
 * What the owner of a lab and its clients say to each other over its socket: one request a connection, as a line of
 * JSON, and lines of JSON in answer.
 */

import { z } from "zod";

/** Octets of a request's line; more is no request. */
export const MOST_REQUEST_OCTETS = 65_536;

const REQUEST = z.discriminatedUnion("type", [
  /** How the lab is: answered by one value. */
  z.strictObject({ type: z.literal("status") }),
  /** What these nodes have written, each a value; all nodes where none is named. With `follow` what they write from now on too. */
  z.strictObject({ type: z.literal("logs"), nodes: z.array(z.string()), follow: z.boolean() }),
  /** Ends the lab; answered when it is removed. */
  z.strictObject({ type: z.literal("end") }),
]);

export type OwnerRequest = z.infer<typeof REQUEST>;

const REPLY = z.discriminatedUnion("type", [
  z.object({ type: z.literal("value"), value: z.unknown() }),
  z.object({ type: z.literal("error"), code: z.string(), message: z.string(), hint: z.string().optional() }),
  z.object({ type: z.literal("end") }),
]);

/** `end` follows the last value, or is missing where the owner ended first. */
export type OwnerReply = z.infer<typeof REPLY>;

/** The request of a line, or undefined for anything else: what a socket brings never throws. */
export function readRequest(line: string): OwnerRequest | undefined {
  return REQUEST.safeParse(fromJson(line)).data;
}

export function readReply(line: string): OwnerReply | undefined {
  return REPLY.safeParse(fromJson(line)).data;
}

export function formatLine(message: OwnerRequest | OwnerReply): string {
  return `${JSON.stringify(message)}\n`;
}

function fromJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
