/**
 * Text for terminals and logs, in characters that show. Whatever else a topology file, a node or a program has written,
 * such as escape sequences, a terminal would obey and a reader not see.
 */

/** Control characters but the tab, format characters, line separators, and halves of characters. */
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line: line ends are escaped too, so that no text can pass for a line of ours. JSON text keeps its meaning. */
export function printableLine(text: string): string {
  return text.replaceAll(HIDDEN, escaped);
}

function escaped(character: string): string {
  if (character === "\n") return "\\n";
  return Array.from({ length: character.length }, (_, i) => escapedUnit(character.charCodeAt(i))).join("");
}

function escapedUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
