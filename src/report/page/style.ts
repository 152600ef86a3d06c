/** From this many bits on a character has these colours, which are visible on light and dark pages. */
export const SURPRISAL_LEVELS = [
  { from: 1, background: "#fff2b2", text: "#000000" },
  { from: 2, background: "#fdc862", text: "#000000" },
  { from: 4, background: "#f4874f", text: "#000000" },
  { from: 6, background: "#b3002d", text: "#ffffff" },
] as const;

/** The colours of a page on paper. */
export const LIGHT = `--page: #ffffff; --text: #1c1c1e; --quiet: #55555c; --line: #d5d5da; --panel: #f5f5f7; --link: #0050b3;
  --shade: rgb(0 0 0 / .16); --bar: #8fb3d9;`;
const DARK = `--page: #16171a; --text: #ececf0; --quiet: #a9abb3; --line: #3a3c42; --panel: #202226; --link: #8ab8ff;
  --shade: rgb(0 0 0 / .8); --bar: #3c6591;`;

/** Distinguishable for colour-blind readers too (after Okabe and Ito), on light pages and on dark ones. */
const RUNS_ON_LIGHT = ["#0072b2", "#d55e00", "#008060", "#b8860b", "#b0478a", "#3d8fbf"];
const RUNS_ON_DARK = ["#3d9fe0", "#f0803c", "#1fb88d", "#e6b422", "#dc8fbb", "#8cd0f5"];

function runColors(colors: readonly string[]): string {
  return colors.map((color, k) => `--run-${k}: ${color};`).join(" ");
}

/** The page itself: light and dark, narrow and wide. */
export const BASE = `
:root { color-scheme: light dark; ${LIGHT} ${runColors(RUNS_ON_LIGHT)} }
@media (prefers-color-scheme: dark) { :root:not(.paper) { ${DARK} ${runColors(RUNS_ON_DARK)} } }
:root.paper { color-scheme: light; }
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
main:focus { outline: none; }
.skip { position: absolute; left: 1rem; top: -10rem; padding: .5rem; background: var(--page); z-index: 1; }
.skip:focus { top: .5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.quiet { color: var(--quiet); font-size: .9rem; }
.hint { color: var(--quiet); font-size: .85rem; margin: .25rem 0 .75rem; }
.hint::before { content: "↔ "; }
.text + .hint::before { content: "↕ "; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; font-size: .9rem; }
tbody th { font-weight: normal; }
/* Shadows where there is more to scroll to. */
.scroll {
  overflow-x: auto; background:
    linear-gradient(to right, var(--page) 30%, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--page) 30%, transparent) right / 3rem 100% no-repeat local,
    radial-gradient(farthest-side at 0 50%, var(--shade), transparent) left / .6rem 100% no-repeat scroll,
    radial-gradient(farthest-side at 100% 50%, var(--shade), transparent) right / .6rem 100% no-repeat scroll;
}
button, input, fieldset {
  font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--quiet); border-radius: .3rem;
  padding: .1rem .5rem;
}
button { cursor: pointer; }
button:disabled { color: var(--quiet); border-color: var(--line); cursor: default; }
button[aria-pressed="true"] { background: var(--link); color: var(--page); border-color: var(--link); }
input[type="range"] { padding: 0; accent-color: var(--link); vertical-align: middle; }
summary { cursor: pointer; padding: .15rem 0; }
footer { margin-top: 3rem; }
.run { white-space: nowrap; }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-right: .4em; }
${RUNS_ON_LIGHT.map((_, k) => `.run-${k} { background: var(--run-${k}); }`).join("\n")}
`;

const RESULT = `
.headline { font-size: 1.1rem; }
.headline strong { font-size: 1.6rem; white-space: nowrap; }
.headline span { white-space: nowrap; }
@media (max-width: 34rem) { .bars .bar { display: none; } .bars td:nth-child(2) { padding: 0; } }
.headline span:last-child { white-space: normal; display: block; font-size: 1rem; color: var(--quiet); }
.bar { display: inline-block; height: .7em; border-radius: .15em; background: var(--bar); vertical-align: baseline; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0; }
.facts dt { color: var(--quiet); font-size: .85rem; }
.facts dd { margin: 0; }
pre, .text {
  background: var(--panel); padding: .75rem; border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .9rem/1.6 ui-monospace, monospace; margin: .5rem 0;
}
.command { user-select: all; }
.command span { display: inline-block; }
`;

const CHARTS = `
.choice { display: inline-flex; flex-wrap: wrap; gap: 0 1rem; background: none; border-color: var(--line); padding: .1rem .75rem .3rem; margin: 0; }
.choice legend { color: var(--quiet); font-size: .85rem; padding: 0 .25rem; }
.choice label:has(:disabled) { color: var(--quiet); }
figure { margin: .5rem 0; }
figcaption { min-height: 1.5em; }
.legend { font-size: .9rem; color: var(--quiet); }
figcaption.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; color: var(--text); font-variant-numeric: tabular-nums; }
.legend .place { min-width: 9.5em; color: var(--quiet); }
.legend .value { display: inline-block; min-width: 3.2em; text-align: right; font-weight: 600; }
.uplot { max-width: 100%; }
.u-select { background: var(--shade); }
.multiples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 0 1.5rem; }
.multiples .value { min-width: 0; }
.multiples .place { flex-basis: 100%; }
.groups { columns: 22rem auto; column-gap: 2rem; }
.groups > div { break-inside: avoid; padding-bottom: .5rem; }
.groups h3 { margin-top: 0; }
.groups table { width: 100%; }
.groups th { width: 60%; }
.multiples h3 { margin-top: .5rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0 1rem; }
.columns pre { min-height: 13rem; }
.timeline { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
.timeline input { flex: 1 1 12rem; min-width: 6rem; }
.plain { list-style: none; padding: 0; }
`;

/** The colours of surprisal, and what they mean. */
export const LEVELS = `
.levels { display: flex; flex-wrap: wrap; gap: .25rem; }
.levels span { padding: .1rem .5rem; white-space: nowrap; color: var(--text); }
${SURPRISAL_LEVELS.map(({ background, text }, k) => `.s${k + 1}, .levels .s${k + 1} { background: ${background}; color: ${text}; }`).join("\n")}
.s3 { text-decoration: underline dotted; }
.s4 { text-decoration: underline; }
`;

const TEXTS = `
.text {
  max-height: 26rem; overflow-y: auto; background:
    linear-gradient(var(--panel) 30%, transparent) top / 100% 3rem no-repeat local,
    linear-gradient(to top, var(--panel) 30%, transparent) bottom / 100% 3rem no-repeat local,
    radial-gradient(farthest-side at 50% 0, var(--shade), transparent) top / 100% .8rem no-repeat scroll,
    radial-gradient(farthest-side at 50% 100%, var(--shade), transparent) bottom / 100% .8rem no-repeat scroll,
    var(--panel);
}
.text .unseen { color: var(--quiet); }
.text span.found { box-shadow: 0 .15em 0 var(--link); }
.text span.current { outline: 2px solid var(--text); }
.status { min-height: 1.5rem; margin: .25rem 0; }
.beside { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 1rem; }
@media (min-width: 50rem) { .beside { grid-template-columns: minmax(0, 1fr) 18rem; } }
@media (max-width: 50rem) { .beside > :last-child { order: -1; } }
.expected .row { display: flex; gap: .5rem; height: 1.6rem; align-items: center; font-size: .9rem; }
.expected .name { flex: 0 0 8.5rem; text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: pre; font-family: ui-monospace, monospace; }
.expected .track { flex: 1; display: flex; align-items: center; gap: .4rem; }
.expected .bar { min-width: 1px; height: 1em; }
.expected .percent { white-space: nowrap; color: var(--quiet); }
.expected .came { font-weight: 600; }
.expected .came .bar { background: var(--link); }
.scale { white-space: nowrap; }
.scale i { display: inline-block; width: 6rem; height: .8em; vertical-align: -.05em; background: linear-gradient(to right, rgb(0 114 220 / .6), transparent, rgb(230 120 0 / .6)); }
.character { display: inline-block; min-width: 1.6em; }
`;

const PAPER = `
@media print {
  :root, :root:not(.paper) { ${LIGHT} ${runColors(RUNS_ON_LIGHT)} --text: #000000; --quiet: #333333; --panel: #ffffff; color-scheme: light; }
  nav, .skip, .screen, details:not([open]) { display: none !important; }
  .text { max-height: none; overflow: visible; }
  .text, .scroll { background: none; }
  .scroll { overflow: visible; }
  pre, .text { border: 1px solid var(--line); }
  .columns pre { min-height: 0; }
  figure, tr, pre, .card { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  * { print-color-adjust: exact; }
}
`;

/** How the report's page looks: light and dark, narrow and wide, on paper. */
export const STYLE = BASE + RESULT + CHARTS + TEXTS + LEVELS + PAPER;
