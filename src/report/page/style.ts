/** From this many bits on a character has these colours, which are seen on light and dark pages. */
export const SURPRISAL_LEVELS = [
  { from: 1, background: "#fff2b2", text: "#000000" },
  { from: 2, background: "#fdc862", text: "#000000" },
  { from: 4, background: "#f4874f", text: "#000000" },
  { from: 6, background: "#b3002d", text: "#ffffff" },
] as const;

/** How the report's page looks: light and dark, narrow and wide, on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1c1c1e; --quiet: #55555c; --line: #d5d5da; --panel: #f5f5f7; --link: #0050b3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16171a; --text: #ececf0; --quiet: #a9abb3; --line: #3a3c42; --panel: #202226; --link: #8ab8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.6rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.quiet { color: var(--quiet); font-size: .9rem; }
figure { margin: 1rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
pre, .text {
  background: var(--panel); padding: .75rem; border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .9rem/1.6 ui-monospace, monospace; margin: .5rem 0;
}
.text { max-height: 26rem; overflow-y: auto; }
.text span.current { outline: 2px solid var(--text); }
.legend span { padding: .1rem .4rem; }
${SURPRISAL_LEVELS.map(({ background, text }, k) => `.s${k + 1} { background: ${background}; color: ${text}; }`).join("\n")}
.s3 { text-decoration: underline dotted; }
.s4 { text-decoration: underline; }
.status { min-height: 1.5rem; margin: .25rem 0; }
button, input {
  font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--quiet); border-radius: .3rem;
  padding: .1rem .5rem;
}
button { cursor: pointer; }
summary { cursor: pointer; }
.uplot { max-width: 100%; }
.u-legend { font-size: .85rem; text-align: left; }
@media print {
  :root { --page: #ffffff; --text: #000000; --quiet: #333333; --line: #bbbbbb; --panel: #ffffff; }
  nav, .screen { display: none; }
  .text { max-height: none; overflow: visible; }
  figure, tr, pre { break-inside: avoid; }
  * { print-color-adjust: exact; }
}
`;
