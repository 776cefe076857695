/** The cells of a matrix: every pair of middleboxes with its topology and prediction. */

import { formatIssue } from "../file/issue.ts";
import type { ResolvedTopology } from "../model/resolved.ts";
import { type Prediction, predictSession } from "../predict/predict.ts";
import { loadTopology } from "../resolve/load.ts";
import { cellTopologyText, type Offerer } from "./cell-topology.ts";
import type { MatrixMiddlebox } from "./matrix-middlebox.ts";

export interface MatrixCell {
  /** Names of the middleboxes in front of the mobile and of the correspondent node. */
  readonly mn: string;
  readonly cn: string;
  readonly offerer: Offerer;
  /** The topology as a file, and what it resolves to. */
  readonly text: string;
  readonly topology: ResolvedTopology;
  readonly prediction: Prediction;
}

export interface MatrixAxes {
  readonly mn: readonly MatrixMiddlebox[];
  readonly cn: readonly MatrixMiddlebox[];
  readonly offerers: readonly Offerer[];
  /** Seed of every cell; that of the topology file if absent. */
  readonly seed?: number;
}

/** All cells, row by row. */
export function planCells({ mn, cn, offerers, seed }: MatrixAxes): readonly MatrixCell[] {
  return mn.flatMap((row) => cn.flatMap((column) => offerers.map((offerer) => planCell(row, column, offerer, seed))));
}

/** One cell. Throws RangeError for a middlebox that no topology can have. */
export function planCell(mn: MatrixMiddlebox, cn: MatrixMiddlebox, offerer: Offerer, seed?: number): MatrixCell {
  const text = cellTopologyText(mn, cn, offerer);
  const loaded = loadTopology(text, `${mn.name} × ${cn.name}`, seed === undefined ? {} : { seed });
  if (!loaded.ok) throw new RangeError(loaded.issues.map(formatIssue).join("\n"));
  const { topology } = loaded;
  const [session] = topology.sessions;
  if (session === undefined) throw new RangeError("expected a session in a cell's topology");
  return { mn: mn.name, cn: cn.name, offerer, text, topology, prediction: predictSession(topology, session) };
}
