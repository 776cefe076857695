/** Flows as `result.json` tells of them. */

import type { DirectionFigures, FlowFigures, FlowObservation } from "../judge/flow-observation.ts";
import type { FlowPrediction } from "../topology/predict/predict-flow.ts";
import type { FiveTuple } from "../trace/five-tuple.ts";
import type { FlowResult } from "./run-result.ts";

/** `start` is the time of the first thing that was recorded. */
export function flowResults(
  flows: readonly FlowObservation[],
  predictions: readonly FlowPrediction[],
  start: number,
): FlowResult[] {
  return flows.map(({ name, between, protocol, directAfterMs, directions, ambiguous, effects, ...figures }) => {
    const prediction = predictions.find(({ flow }) => flow === name);
    return {
      ...{ name, between: [...between], protocol, ambiguous },
      ...figuresResult(figures),
      ...(directAfterMs === undefined ? {} : { directAfterMs }),
      directions: directions.map((direction) => directionResult(direction, start)),
      ...(prediction && { predicted: { direct: prediction.direct, why: prediction.why.join(" ") } }),
      ...surpriseOf(figures, prediction),
      effects: effects.map(({ event, ...own }) => ({ event, ...figuresResult(own) })),
    };
  });
}

function figuresResult({ relays, ...figures }: FlowFigures): Omit<FlowResult["effects"][number], "event"> {
  return { ...figures, relays: [...relays] };
}

function surpriseOf({ path }: FlowFigures, prediction: FlowPrediction | undefined): Pick<FlowResult, "surprise"> {
  if (path === "direct" && prediction?.direct === "impossible") return { surprise: "better" };
  const isWorse = (path === "relayed" || path === "none") && prediction?.direct === "possible";
  return isWorse ? { surprise: "worse" } : {};
}

function directionResult({ ways, ...figures }: DirectionFigures, start: number): FlowResult["directions"][number] {
  return {
    ...figures,
    ways: ways.map(({ packets, since, relays, segments }) => ({
      ...{ packets, sinceMs: Math.max(0, since - start), relays: [...relays] },
      segments: segments.map(({ segment, tuple }) => ({ segment, ...endsOf(tuple) })),
    })),
  };
}

function endsOf({ source, destination }: FiveTuple): {
  source: { address: string; port: number };
  destination: { address: string; port: number };
} {
  return {
    source: { address: source.ip, port: source.port },
    destination: { address: destination.ip, port: destination.port },
  };
}
