/** The progress of a matrix, in one line. */

import { counted } from "../text-table.ts";

export interface MatrixProgress {
  readonly planned: number;
  readonly running: number;
  readonly done: number;
  /** Cells with a surprise or failure. */
  readonly remarkable: number;
  readonly elapsedMs: number;
}

/** `37 of 81 cells, 12 running, no surprise, about 9 s left` */
export function describeProgress(progress: MatrixProgress): string {
  const { planned, running, done, remarkable } = progress;
  const leftMs = timeLeftMs(progress);
  const surprises = remarkable === 0 ? "no surprise" : counted(remarkable, "surprise");
  const left = leftMs === undefined ? "" : `, about ${Math.ceil(leftMs / 1000)} s left`;
  return `${done} of ${counted(planned, "cell")}, ${running} running, ${surprises}${left}`;
}

/** At the pace so far, running cells counted as half done; undefined before the first is done. */
function timeLeftMs({ planned, running, done, elapsedMs }: MatrixProgress): number | undefined {
  if (done === 0) return undefined;
  const finished = done + running / 2;
  return (elapsedMs / finished) * (planned - finished);
}
