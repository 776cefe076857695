/** A topology file that was read: its content, and where in the file each part of it stands. */

import type { IssueCode, IssuePath, TopologyIssue } from "./issue.ts";
import type { TopologyFile } from "./schema.ts";

export interface Topology {
  /** Name of the file, as messages show it. */
  readonly file: string;
  readonly content: TopologyFile;
  /** Makes an issue positioned at a value, or at its key. */
  readonly issueAt: (code: IssueCode, path: IssuePath, message: string, at?: "key" | "value") => TopologyIssue;
  /**
   * Dotted paths of entries that were left out because they are wrong in themselves, such as `nodes.mn`: names that may
   * be referred to and about which nothing else is known. Empty for a topology that parsed.
   */
  readonly broken: ReadonlySet<string>;
}
