/**
 * Citations in sources and documents: `SPEC 8.3`, `SPEC 2.9 (b)`, `A-24`, `S13`, `RFC 8445 section 14.2`. A list such as
 * `SPEC 2.4, 2.7 and 2.8` cites each of its numbers.
 */

/** Targets of citations. */
export interface CitationTargets {
  readonly anchors: ReadonlySet<string>;
  /** RFC numbers that may be cited. */
  readonly rfcs: ReadonlySet<number>;
}

export interface CitationFault {
  /** From 1. */
  readonly line: number;
  readonly citation: string;
  readonly fault: "no such anchor" | "not in the references" | "malformed" | "stale";
}

/** `table`: a column with the heading "section" has citations without this word. */
export type CitationStyle = "prose" | "table";

/** Every citation of the text without a target, in the order of the text. */
export function findCitationFaults(
  text: string,
  targets: CitationTargets,
  style: CitationStyle = "prose",
): readonly CitationFault[] {
  const flat = withoutLineBreaks(text);
  const faults = [
    ...staleFaults(flat),
    ...malformedFaults(flat, style),
    ...anchorFaults(flat, targets.anchors),
    ...rfcFaults(flat, targets.rfcs),
  ];
  return faults
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, citation, fault }) => ({ line: lineAt(text, at), citation, fault }));
}

/** A fault by its offset, which is the same in the flat text and the original. */
interface Located extends Omit<CitationFault, "line"> {
  readonly at: number;
}

const ITEM = String.raw`\d+(?:\.\d+)*(?: +\([a-z]\))?`;
const SPEC_LIST = new RegExp(String.raw`\bSPEC +(${ITEM}(?:(?:,| +and| +to) +${ITEM})*)`, "g");
/** A citation form with a redundant word: `8.3`, `A-7` and `S13` need no other word. */
const SPEC_WORD = /\bSPEC +(?:sections? +\d|[AS]-?\d)[\d.]*/g;
const DECISION = /\bA-(\d+)\b/g;
const ATTACK = /\bS(\d+)\b/g;
const RFC = /\bRFC +(\d+)\b/g;

/** Without a space before the number, or with a section that is not introduced by the word. */
const MALFORMED_RFC = /\bRFC-?\d+|\bRFC +\d+(?:,? *§| +(?:Sect|sec\b|sec\.)|, +sections? +\d)[^\s)]*/g;
const BARE_RFC_SECTION = /\bRFC +\d+ +\d+(?:\.\d+)+/g;

/** The document that SPEC.md replaced. */
const STALE = /\bdigest(?:'s)?(?:, +| +)(?:section +)?(?:\d+(?:\.\d+)*|A-\d+)/gi;

/**
 * Replaces line breaks and the comment marks after them by as many blanks, so that offsets do not change. An empty line
 * still separates.
 */
function withoutLineBreaks(text: string): string {
  return text.replace(/\r?\n[ \t]*(?:(?:\*(?!\/)|\/\/\/?|--)[ \t]*)?(?=\S)/g, (found) => " ".repeat(found.length));
}

function staleFaults(flat: string): readonly Located[] {
  return matchesOf(flat, STALE).map(({ at, citation }) => ({ at, citation, fault: "stale" }));
}

function malformedFaults(flat: string, style: CitationStyle): readonly Located[] {
  const patterns = [SPEC_WORD, MALFORMED_RFC, ...(style === "prose" ? [BARE_RFC_SECTION] : [])];
  return patterns
    .flatMap((pattern) => matchesOf(flat, pattern))
    .map(({ at, citation }) => ({ at, citation, fault: "malformed" }));
}

function anchorFaults(flat: string, anchors: ReadonlySet<string>): readonly Located[] {
  const sections = [...flat.matchAll(SPEC_LIST)].flatMap(({ index, 1: list = "" }) =>
    (list.match(new RegExp(ITEM, "g")) ?? []).map((item) => ({
      at: index,
      citation: `SPEC ${item}`,
      anchor: `s-${item.replace(/[()]/g, "").replace(/[. ]+/g, "-")}`,
    })),
  );
  const decisions = matchesOf(flat, DECISION).map((match) => ({ ...match, anchor: match.citation.toLowerCase() }));
  const attacks = matchesOf(flat, ATTACK).map((match) => ({ ...match, anchor: match.citation.toLowerCase() }));
  return [...sections, ...decisions, ...attacks]
    .filter(({ anchor }) => !anchors.has(anchor))
    .map(({ at, citation }) => ({ at, citation, fault: "no such anchor" }));
}

function rfcFaults(flat: string, rfcs: ReadonlySet<number>): readonly Located[] {
  return [...flat.matchAll(RFC)]
    .filter(({ 1: number }) => !rfcs.has(Number(number)))
    .map(({ index, 0: citation }) => ({ at: index, citation, fault: "not in the references" }));
}

function matchesOf(text: string, pattern: RegExp): readonly { readonly at: number; readonly citation: string }[] {
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => ({ at: index, citation: found.replace(/ +/g, " ") }));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
