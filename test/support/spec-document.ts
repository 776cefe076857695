/** `agent/SPEC.md` as data: its anchors, headings, byte vectors and listed RFCs. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { fromHex } from "../vectors/hex.ts";

export interface SpecHeading {
  /** Dotted, such as `8.3`. */
  readonly number: string;
  readonly title: string;
  readonly anchor: string;
}

export interface SpecDocument {
  readonly text: string;
  /** In the order of the document. */
  readonly anchors: readonly string[];
  readonly headings: readonly SpecHeading[];
  /** Octets by name: of `hex` code blocks, and of table rows that begin with a name and octets. */
  readonly vectors: ReadonlyMap<string, Uint8Array>;
  /** RFC numbers of the chapter "References". */
  readonly references: ReadonlySet<number>;
}

export function readSpec(): SpecDocument {
  const text = readFileSync(join(PACKAGE_ROOT, "agent/SPEC.md"), "utf8");
  const [, references = ""] = text.split(/^## References$/m);
  return {
    text,
    anchors: [...text.matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, anchor = ""]) => anchor),
    headings: [...text.matchAll(HEADING)].map(([, anchor = "", number = "", title = ""]) => ({
      anchor,
      number,
      title,
    })),
    vectors: readVectors(text),
    references: new Set([...references.matchAll(/^- RFC (\d+),/gm)].map(([, number]) => Number(number))),
  };
}

const HEADING = /^#{2,3} <a id="([^"]+)"><\/a>([\d.]*\d)\.? (.+)$/gm;
const HEX_BLOCK = /^```hex ([a-z-]+)\n([^`]*)```$/gm;
const HEX_ROW = /^\| `([a-z-]+)` *\| `([0-9a-f]+)`/gm;

/** Throws when two vectors have the same name, or hexadecimal digits are incomplete. */
function readVectors(text: string): ReadonlyMap<string, Uint8Array> {
  const vectors = new Map<string, Uint8Array>();
  for (const [, name = "", digits = ""] of [...text.matchAll(HEX_BLOCK), ...text.matchAll(HEX_ROW)]) {
    if (vectors.has(name)) throw new Error(`SPEC.md has two vectors ${name}`);
    if (!/^(?:[0-9a-f]{2})+$/.test(digits.replace(/\s/g, ""))) throw new Error(`vector ${name} is not whole octets`);
    vectors.set(name, fromHex(digits));
  }
  return vectors;
}
