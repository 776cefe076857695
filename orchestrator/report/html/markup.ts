/** HTML and SVG as text: data is escaped, values of type `Markup` are not. */

/** Markup that is inserted without escaping. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Part = Markup | string | number | undefined | readonly Part[];

/** A template whose values are escaped unless they are markup; lists are joined, undefined is empty. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, part, i) => text + renderPart(values[i - 1]) + part));
}

/** A table that scrolls if it is too wide. */
export function table(header: readonly string[], rows: readonly (readonly Part[])[]): Markup {
  return html`<div class="scroll"><table><thead><tr>${header.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}

function renderPart(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(renderPart).join("");
  return escapeMarkup(String(part));
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
