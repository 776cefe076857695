/** Finds text that nests deeper than any topology before it is parsed: the parser calls itself for every level. */

import { Lexer } from "yaml";

/** Lists and mappings inside of each other; the format needs seven. */
export const MOST_NESTED = 32;

/** Lexemes of yaml's lexer that stand for no text: the next one is a scalar, a document begins, brackets end early. */
const SCALAR = "\u001f";
const MARKS: ReadonlySet<string> = new Set([SCALAR, "\u0002", "\u0018"]);

/** Levels opened so far: by brackets, and by indicators in the present line. */
interface Depth {
  readonly brackets: number;
  readonly indicators: number;
}

/**
 * Offset where brackets inside of each other, or the indicators (`-`, `?`, `:`) that open a level each in one line, are
 * too many. Levels by indentation take so much text that a file has no room for too many.
 */
export function tooDeepAt(text: string): number | undefined {
  let offset = 0;
  let depth: Depth = { brackets: 0, indicators: 0 };
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (!isScalar) depth = after(lexeme, depth);
    if (depth.brackets > MOST_NESTED || depth.indicators > MOST_NESTED) return offset;
    if (isScalar || !MARKS.has(lexeme)) offset += lexeme.length;
    isScalar = !isScalar && lexeme === SCALAR;
  }
  return undefined;
}

function after(lexeme: string, { brackets, indicators }: Depth): Depth {
  switch (lexeme) {
    case "[":
    case "{":
      return { brackets: brackets + 1, indicators };
    case "]":
    case "}":
      return { brackets: Math.max(0, brackets - 1), indicators };
    case "\n":
    case "\r\n":
      return { brackets, indicators: 0 };
    case "-":
    case "?":
    case ":":
      return { brackets, indicators: brackets === 0 ? indicators + 1 : indicators };
    default:
      return { brackets, indicators };
  }
}
