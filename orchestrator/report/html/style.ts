/** The style sheet of a report, light or dark by the reader's system setting. */

export const STYLE = `
:root { color-scheme: light dark;
  --page: #fbfbf9; --panel: #ffffff; --ink: #1d2329; --faint: #69737d; --line: #dfe3e6;
  --good: #1a7f4b; --good-soft: #e3f4ea; --bad: #b3261e; --bad-soft: #fbe9e7;
  --blue: #2f5fb3; --blue-soft: #e9effa; --amber: #9a6700; --amber-soft: #fdf3dc; --violet: #6f42c1; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14181c; --panel: #1b2026; --ink: #e3e7eb; --faint: #939da7; --line: #323a42;
  --good: #5fd39a; --good-soft: #16352a; --bad: #ff8a80; --bad-soft: #43201d;
  --blue: #86aef5; --blue-soft: #1d2a44; --amber: #e5b454; --amber-soft: #38300f; --violet: #b79bf0; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px }
h1 { font-size: 28px; margin: 0; letter-spacing: -.01em } h2 { font-size: 18px; margin: 40px 0 12px } h3 { font-size: 15px; margin: 24px 0 8px }
p { margin: 6px 0 } code, .mono, td.mono { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px }
a { color: var(--blue) }
header .title { display: flex; align-items: center; gap: 14px; flex-wrap: wrap }
.badge { display: inline-block; border-radius: 99px; padding: 1px 10px; font-weight: 600; font-size: 13px }
h1 + .badge { font-size: 16px; padding: 3px 16px }
.pass { color: var(--good); background: var(--good-soft) } .fail, .error { color: var(--bad); background: var(--bad-soft) }
.undetermined { color: var(--faint); border: 1px solid var(--line) }
.facts { color: var(--faint); display: flex; flex-wrap: wrap; gap: 2px 18px; margin-top: 6px }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 16px }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 12px }
.figure { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px }
.figure b { display: block; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums } .figure span { color: var(--faint); font-size: 13px }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; background: var(--panel); border: 1px solid var(--line); font-size: 14px }
th { text-align: left; color: var(--faint); font-weight: 500; font-size: 12.5px; white-space: nowrap }
th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums }
tbody tr:last-child td { border-bottom: 0 }
pre { white-space: pre-wrap; background: var(--bad-soft); border-radius: 8px; padding: 12px 14px; font-size: 13px; margin: 12px 0 }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; fill: var(--ink) }
svg text { stroke: none } svg .name { font-weight: 600 } svg .small { font-size: 11.5px; fill: var(--faint) }
.topology { margin: 0 auto } .topology text { text-anchor: middle } .topology line { stroke: var(--faint) }
.topology .address { font: 11px ui-monospace, monospace; text-anchor: start; fill: var(--faint) }
.topology .segment rect { fill: var(--blue-soft); stroke: var(--blue) } .topology .node rect { fill: var(--panel); stroke: var(--faint) }
.topology .router rect { fill: var(--amber-soft); stroke: var(--amber) } .topology .home-agent rect { stroke: var(--violet) }
.topology .mobile-node rect, .topology .correspondent-node rect, .topology .stationary-node rect { stroke: var(--good); stroke-width: 1.6 }
.ladder .life { stroke: var(--line); stroke-width: 1.5 } .ladder .head { text-anchor: middle; font-weight: 600 }
.time { font-size: 11px; fill: var(--faint); text-anchor: end; font-variant-numeric: tabular-nums }
.ladder .arrow text { text-anchor: middle; font-size: 11.5px; paint-order: stroke; stroke: var(--panel); stroke-width: 4px }
.ladder .remark text { font-size: 11.5px; font-weight: 600; paint-order: stroke; stroke: var(--panel); stroke-width: 4px } .ladder .remark circle { fill: var(--good) }
.arrow line { stroke: var(--faint); stroke-width: 1.4 } .arrow circle { fill: var(--panel); stroke: var(--faint) }
.arrow.signalling line, .arrow.signalling circle { stroke: var(--violet) } .arrow.check line, .arrow.check circle { stroke: var(--blue) }
.arrow.nomination line { stroke: var(--good); stroke-width: 2.4 } .arrow.data line { stroke: var(--good) }
.arrow.lost line { stroke: var(--bad); stroke-dasharray: 5 4 } .arrow.lost text { fill: var(--bad) }
.timeline .grid { stroke: var(--line) } .timeline .time { text-anchor: middle } .timeline .lane { text-anchor: end; font-size: 12px }
.timeline .phase { fill: var(--blue) } .timeline .tick { fill: var(--good) }
.bad { color: var(--bad) } .faint { color: var(--faint) }
`;
