/** Impairments of links. */

import * as z from "zod";
import { bitPerSecOf, RATE_PATTERN, SHARE_PATTERN } from "../../model/link-units.ts";
import { TOO_BIG_ANSWERS } from "../../model/words.ts";
import { duration, mtu, text, within } from "./values.ts";

const share = text(SHARE_PATTERN, "a share from 0% to 100%, such as 0.5%");

/** tc counts a delay in 32 bits, which end at 274 s. */
const LONGEST_DELAY = "4m";

/** netem counts octets: a slower rate would be none at all. With the longest delay, faster ones overflow its queue. */
const SLOWEST_RATE = "8bit";
const FASTEST_RATE = "100gbit";

const rate = text(RATE_PATTERN, "a rate such as 20mbit or 256kbit").check(
  within(
    RATE_PATTERN,
    (value) => bitPerSecOf(value) >= bitPerSecOf(SLOWEST_RATE) && bitPerSecOf(value) <= bitPerSecOf(FASTEST_RATE),
    `a rate from ${SLOWEST_RATE} to ${FASTEST_RATE}; a loss of 100% stops everything`,
  ),
);

const impairmentFields = {
  delay: duration(LONGEST_DELAY).optional().describe("One-way delay"),
  jitter: duration(LONGEST_DELAY)
    .optional()
    .describe("Half width of an even spread around the delay; the order of packets is kept"),
  loss: share.optional().describe("Share of packets lost"),
  burst: z
    .number()
    .min(1)
    .max(10_000)
    .optional()
    .describe("Mean length of a run of losses; 1, independent losses, when absent"),
  duplicate: share.optional().describe("Share of packets that arrive twice"),
  reorder: share.optional().describe("Share of packets that overtake the others by skipping the delay"),
  rate: rate.optional().describe("Bits a second, Ethernet header included; packets wait in line for it"),
  queue: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Packets that may wait for the rate; more are lost; 1000 when absent"),
  corrupt: share
    .optional()
    .describe("Share of packets of which one bit is changed; a checksum then drops most of them"),
};
export const impairment = z.strictObject(impairmentFields);

export const linkSchema = z
  .strictObject({
    ...impairmentFields,
    mtu: mtu.optional().describe("Octets of the largest IP packet that it carries, either way; 1280 or more for IPv6"),
    tooBig: z
      .enum(TOO_BIG_ANSWERS)
      .optional()
      .describe(
        "Only with `mtu`: larger packets are fragmented where IPv4 allows it and else answered with ICMP, as by a router; or dropped without a word, all of them; icmp when absent",
      ),
    fragments: z.enum(["pass", "drop"]).optional().describe("Whether it carries fragments; pass when absent"),
    out: impairment.optional().describe("Only for what leaves the node; overrides what holds for both directions"),
    in: impairment.optional().describe("Only for what arrives at the node"),
  })
  .describe(
    "What happens to packets between a node and a segment, in both directions unless `out` or `in` says otherwise",
  );

export const linkKey = text(/^[^/]+\/[^/]+$/, "<node>/<segment>, such as nat-a/internet");
