/** Collects issues while a topology is resolved, so that every problem is found in one pass. */

import { formatPath, type IssueCode, type IssuePath, type TopologyIssue } from "./issue.ts";
import type { Topology } from "./topology.ts";

/** Records a problem at a value of the file, or at its key. */
export type Report = (code: IssueCode, path: IssuePath, message: string, at?: "key" | "value") => void;

export interface IssueList {
  readonly issues: readonly TopologyIssue[];
  readonly report: Report;
}

/** A list whose issues are positioned in the topology's file. */
export function createIssueList(topology: Topology): IssueList {
  const issues: TopologyIssue[] = [];
  const report: Report = (code, path, message, at = "value") => {
    issues.push({ code, message, file: topology.file, path: formatPath(path), ...topology.locate(path, at) });
  };
  return { issues, report };
}
