/** The reasons for what the model of checks finds, as sentences. */

import type { CandidateType } from "@testbed/agent/control";
import type { SessionEnd } from "../model/session-end.ts";
import type { CheckEnd, ValidPair } from "./check-model.ts";

/** Why the checks of one end arrive. */
export function openWay(from: SessionEnd, to: SessionEnd, { local, remote, remarks }: ValidPair): readonly string[] {
  const way = remarks.length === 0 ? "no middlebox lies between" : remarks.join("; ");
  return [
    `direct: ${from.name}'s check to the ${remote.type} address of ${to.name} arrives: ${way}.`,
    `${to.name} sees it come from ${article(local.type)} address of ${from.name}, and the answer returns the same way.`,
  ];
}

/** Why the checks of one end failed: the reason for the outermost address of the peer. */
export function closedWays({ node, remarks }: CheckEnd, peer: SessionEnd): readonly string[] {
  const telling = [...remarks.values()].filter(({ remote }) => remote.type !== "host");
  const shown = telling.length > 0 ? telling : [...remarks.values()];
  const sentences = shown.map(({ remote, remarks: reasons, isAnswer }) => {
    const what = isAnswer ? "the answer to its check" : "its check";
    return `${node.name}: ${what} to the ${remote.type} address of ${peer.name} fails: ${reasons.join("; ")}.`;
  });
  return [...new Set(sentences)];
}

function article(type: CandidateType): string {
  return type === "peer-reflexive" ? "a new, peer-reflexive" : `the ${type}`;
}
