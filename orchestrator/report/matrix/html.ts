/** A matrix as one self-contained HTML file: a grid whose cells show the model's reasons when hovered. */

import { formatMs } from "../format-ms.ts";
import { html, Markup } from "../html/markup.ts";
import { STYLE } from "../html/style.ts";
import { describeSummary, describeSurprise } from "./grid.ts";
import { type CellResult, isRemarkable, type MatrixResult } from "./matrix-result.ts";

export function renderMatrixHtml(result: MatrixResult): string {
  const slices = result.runtimes.flatMap((runtime) => result.offerers.map((offerer) => ({ runtime, offerer })));
  const remarkable = result.cells.filter(isRemarkable);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>matrix: ${result.verdict}</title><style>${new Markup(STYLE + GRID_STYLE)}</style></head>
<body><main>
${headline(result)}
${remarkable.length > 0 ? html`<h2>Surprises</h2>${remarkable.map(explanation)}` : undefined}
${slices.map(
  ({ runtime, offerer }) =>
    html`<h2>${runtime}, ${offerer} makes the offer</h2>${grid(
      result,
      result.cells.filter((cell) => cell.runtime === runtime && cell.offerer === offerer),
    )}`,
)}
${LEGEND}
<p class="faint">Also here: <a href="matrix.json">matrix.json</a>, <a href="junit.xml">junit.xml</a></p>
</main></body></html>
`.text;
}

const GRID_STYLE = `
.matrix { width: auto; border-collapse: separate; border-spacing: 3px; background: none; border: 0 }
.matrix th, .matrix td { border: 0; border-radius: 7px; text-align: center; padding: 5px 8px; white-space: nowrap; font-size: 13px }
.matrix th[scope=row] { text-align: right }
.cell { position: relative; background: var(--panel); cursor: help } .cell b { display: block; font-weight: 600 } .cell span { font-size: 12px; color: var(--faint) }
.cell.direct { background: var(--good-soft) } .cell.direct b { color: var(--good) }
.cell.home-agents { background: var(--blue-soft) } .cell.home-agents b { color: var(--blue) }
.cell.none, .cell.unknown { background: var(--amber-soft) } .cell.none b { color: var(--amber) }
.cell.remarkable { outline: 2px solid var(--bad); outline-offset: -2px }
.why { display: none; position: absolute; z-index: 1; left: 0; top: calc(100% + 4px); width: 340px; white-space: normal; text-align: left;
  background: var(--panel); color: var(--ink); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; box-shadow: 0 6px 24px #0003; font-size: 13px }
.cell:nth-last-child(-n+4):nth-child(n+5) .why { left: auto; right: 0 }
.cell:hover .why, .cell:focus .why, .cell:focus-within .why { display: block }
.scroll.grid { overflow: visible } .swatch { display: inline-block; border-radius: 5px; padding: 0 8px }
`;

const LEGEND = html`<p class="faint">Rows: the NAT of the mobile node; columns: that of the correspondent node. A cell shows the path that the data
took at the end and the time from offer to nomination; point at it, or reach it with the Tab key, for the reasoning of theory.
<span class="swatch cell direct">direct</span> <span class="swatch cell home-agents">through the home agents</span>
<span class="swatch cell none">no way</span> <span class="swatch cell remarkable">not as predicted</span></p>`;

function headline({ verdict, runId, durationMs, seed, jobs, summary, environment }: MatrixResult): Markup {
  const facts = [runId, `in ${formatMs(durationMs)}`, `${jobs} labs at once`, `seed ${seed}`, environment.kernel];
  return html`<header><div class="title"><h1>NAT matrix</h1><span class="badge ${verdict}">${verdict}</span></div>
<p>${describeSummary(summary)}</p><div class="facts">${facts.map((fact) => html`<span>${fact}</span>`)}</div></header>`;
}

function grid({ mn, cn }: MatrixResult, cells: readonly CellResult[]): Markup {
  const at = (row: string, column: string): CellResult | undefined =>
    cells.find((cell) => cell.mn === row && cell.cn === column);
  return html`<div class="scroll grid"><table class="matrix"><thead><tr><th>mn \\ cn</th>${cn.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${mn.map((row) => html`<tr><th scope="row">${row}</th>${cn.map((column) => gridCell(at(row, column)))}</tr>\n`)}</tbody></table></div>`;
}

function gridCell(cell: CellResult | undefined): Markup {
  if (cell === undefined) return html`<td class="cell unknown">not run</td>`;
  const { observed, nominatedAfterMs } = cell;
  const classes = ["cell", observed ?? "unknown", ...(isRemarkable(cell) ? ["remarkable"] : [])].join(" ");
  const time = nominatedAfterMs === undefined ? "–" : formatMs(nominatedAfterMs);
  return html`<td class="${classes}" tabindex="0"><b>${SHORT_PATH[observed ?? "failed"]}</b><span>${time}</span><div class="why">${details(cell)}</div></td>`;
}

const SHORT_PATH = { direct: "direct", "home-agents": "home", none: "none", failed: "failed" } as const;

function details(cell: CellResult): Markup {
  const { predicted, predictedPair, observed, observedPair, reasons, results, error } = cell;
  const path = (name: string, pair: CellResult["observedPair"]): string =>
    pair === undefined ? name : `${name}: ${pair.join(" → ")}`;
  return html`<p><b>${cell.mn} × ${cell.cn}</b></p>
<p>predicted ${path(predicted, predictedPair)}<br>observed ${observed === undefined ? "nothing" : path(observed, observedPair)}</p>
${error && html`<p class="bad">${error.message}</p>`}
${reasons.map((reason) => html`<p>${reason}</p>`)}
${results === undefined ? undefined : html`<p><a href="${results}/report.html">results of this cell</a></p>`}`;
}

function explanation(cell: CellResult): Markup {
  const { mn, cn, offerer, runtime, reasons, error, results } = cell;
  const what = error === undefined ? describeSurprise(cell) : `failed: ${error.message}`;
  return html`<div class="panel"><p><b class="bad">${mn} × ${cn}</b> on ${runtime}, ${offerer} offers: ${what}</p>
${reasons.map((reason) => html`<p class="faint">Predicted: ${reason}</p>`)}
${results === undefined ? undefined : html`<p><a href="${results}/report.html">report</a>, <a href="${results}/topology.yaml">topology.yaml</a>, <a href="${results}/">everything</a></p>`}</div>`;
}
