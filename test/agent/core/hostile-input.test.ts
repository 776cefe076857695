/**
 * A short run of the fuzzer (`tools/fuzz`): no input from the network or the control channel makes the code throw,
 * loop, or allocate disproportionate memory.
 */

import { describe, expect, test } from "vitest";
import { seededRng } from "../../../agent/src/testing/index.ts";
import { allTargets } from "../../../tools/fuzz/all-targets.ts";
import { type Campaign, createCampaign } from "../../../tools/fuzz/campaign.ts";
import { readCorpus, readCrashes } from "../../../tools/fuzz/corpus.ts";
import { DECODER_TARGETS } from "../../../tools/fuzz/decoder-targets.ts";
import { createLiveTargets } from "../../../tools/fuzz/live-targets.ts";
import { createSessionTarget } from "../../../tools/fuzz/session-target.ts";
import type { FuzzTarget } from "../../../tools/fuzz/target.ts";

const SEED = 1;
const TIMEOUT_MS = 120_000;

/** The findings, each with the input that caused it. */
function findingsOf({ findings }: Campaign): readonly string[] {
  return findings.map(
    ({ target, input, error }) => `${target}: ${String(error)}: ${Buffer.from(input).toString("hex")}`,
  );
}

describe("kept inputs", () => {
  test.each(allTargets())("of $name keep every promise, as do its seeds", (target) => {
    const rng = seededRng(SEED);
    const inputs = [...target.seeds, ...readCorpus(target.name), ...readCrashes(target.name)];
    for (const input of inputs) expect(() => target.run(input, rng)).not.toThrow();
  });

  test.each(DECODER_TARGETS)("of $name keep every promise when cut off at every octet", (target) => {
    const rng = seededRng(SEED);
    const cut = (input: Uint8Array): void => {
      for (let length = 0; length < input.length; length++) target.run(input.subarray(0, length), rng);
    };
    for (const input of target.seeds) expect(() => cut(input)).not.toThrow();
  });
});

describe("changed inputs", () => {
  test(
    "170,000 of them break no promise of a decoder",
    () => {
      const campaign = createCampaign(withCorpus(DECODER_TARGETS), SEED);
      campaign.run(170_000);
      expect(findingsOf(campaign)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "30,000 of them break no promise of a node at work",
    () => {
      const campaign = createCampaign(withCorpus(createLiveTargets()), SEED);
      campaign.run(30_000);
      expect(findingsOf(campaign)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "8,000 of them, among valid ones, break neither whole nodes nor the session of others",
    () => {
      const campaign = createCampaign(withCorpus([createSessionTarget()]), SEED);
      campaign.run(8000);
      expect(findingsOf(campaign)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test("are the same for the same seed", () => {
    const inputsOf = (seed: number): readonly string[] => {
      const inputs: string[] = [];
      const campaign = createCampaign(allTargets(), seed);
      campaign.run(2000, (target, input) => inputs.push(`${target.name} ${Buffer.from(input).toString("hex")}`));
      return inputs;
    };
    expect(inputsOf(7)).toEqual(inputsOf(7));
    expect(inputsOf(8)).not.toEqual(inputsOf(7));
  });
});

function withCorpus(targets: readonly FuzzTarget[]): readonly FuzzTarget[] {
  return targets.map((target) => ({ ...target, seeds: [...target.seeds, ...readCorpus(target.name)] }));
}
