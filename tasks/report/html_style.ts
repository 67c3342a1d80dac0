/** How a report looks: light, dark, narrow and printed. */

/** Style sheet; fonts are those of the machine. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1d2126; --muted: #5c6670; --paper: #ffffff; --panel: #f5f7f9; --line: #d9dee3; --accent: #0072b2;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --muted: #9aa5b0; --paper: #14171a; --panel: #1d2226; --line: #343b42; --accent: #56b4e9; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 Inter, "Helvetica Neue", Helvetica, Arial, sans-serif;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.75rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; max-width: 46rem; overflow-wrap: anywhere; }
.summary { font-size: 1.1rem; }
.caption { color: var(--muted); font-size: .92rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; min-width: 24rem; }
th, td { padding: .42rem .9rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); vertical-align: baseline; }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; vertical-align: bottom; white-space: normal; max-width: 9rem; }
th:first-child { text-align: left; padding-left: 0; }
tbody th { font-weight: 400; white-space: normal; min-width: 11rem; }
td.text { white-space: normal; color: var(--muted); min-width: 9rem; }
td .sd { display: inline-block; min-width: 4em; text-align: left; color: var(--muted); font-size: .88em; }
td.best b { color: var(--accent); }
figure { margin: 1.25rem 0 0; }
figure img { display: block; max-width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line); border-radius: 6px; }
figcaption { color: var(--muted); font-size: .92rem; margin-top: .5rem; }
ul { padding-left: 1.25rem; margin: .5rem 0; max-width: 46rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .3rem 1.5rem; margin: .75rem 0 0; padding: 1rem 1.25rem; background: var(--panel); border-radius: 6px; font-size: .88rem; }
dt { color: var(--muted); overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .95em; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  th, td { padding: .4rem .6rem; }
  tbody th { min-width: 8rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; }
  figure img { max-width: none; width: max(100%, 34rem); }
}
@media print {
  :root { --ink: #000000; --muted: #444444; --paper: #ffffff; --panel: #ffffff; --line: #bbbbbb; --accent: #000000; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  h2 { break-after: avoid; }
  figure, tr, dl { break-inside: avoid; }
  figure img { border: 0; max-width: 100%; max-height: 23cm; width: auto; }
}
`;
