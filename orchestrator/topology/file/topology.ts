/** A topology file that was read: its entries, and their positions in the file. */

import type { IssuePath } from "./issue.ts";
import type {
  ExpectationEntry,
  FlowEntry,
  LinkEntry,
  NodeEntry,
  SegmentEntry,
  SessionEntry,
  TimelineEventEntry,
} from "./schema.ts";

export interface Topology {
  /** Name of the file, as messages show it. */
  readonly file: string;
  readonly name: string;
  readonly summary: string;
  readonly seed: number | undefined;
  /** By name, in the order of the file. */
  readonly segments: ReadonlyMap<string, SegmentEntry>;
  readonly nodes: ReadonlyMap<string, NodeEntry>;
  /** By `<node>/<segment>`. */
  readonly links: ReadonlyMap<string, LinkEntry>;
  readonly sessions: readonly ListEntry<SessionEntry>[];
  readonly flows: "all" | readonly ListEntry<FlowEntry>[];
  readonly timeline: readonly ListEntry<TimelineEventEntry>[];
  readonly expectations: readonly ListEntry<ExpectationEntry>[];
  /**
   * Dotted paths of entries that were left out because they are invalid, such as `nodes.mn`. Other entries may refer to
   * them. Empty for a topology that parsed.
   */
  readonly broken: ReadonlySet<string>;
  readonly locate: Locate;
}

/** An entry of a list, with its path in the file. */
export interface ListEntry<T> {
  readonly path: IssuePath;
  readonly entry: T;
}

/** Line and column, from 1, of a value or of its key; of the nearest enclosing value if the path does not exist. */
export type Locate = (path: IssuePath, at?: "key" | "value") => { readonly line: number; readonly column: number };
