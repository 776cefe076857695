export type { Impairment } from "../core/link/impairment.ts";
export type { NatDependence } from "../core/nat-probe/nat-dependence.ts";
export { concludeObservation, type ProbeAnswers } from "../core/nat-probe/nat-observation.ts";
export * from "./codec.ts";
export { createLineSplitter, type LineSplitter, type SplitLine } from "./lines.ts";
export * from "./messages.ts";
export { type Checked, describeShapeError, type ShapeError } from "./shape.ts";
