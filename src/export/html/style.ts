import { BASE, LEVELS, LIGHT } from "../../report/page/style.js";

const OWN = `
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 2rem; }
@media (min-width: 50rem) {
  main { grid-template-columns: minmax(0, 1fr) 18rem; grid-template-rows: auto 1fr; }
  #next { grid-row: 1 / 3; grid-column: 2; }
  #about { grid-column: 1 / -1; }
}
header p { max-width: 44rem; }
h2 { margin-top: 1.25rem; }
#writer h2, #next h2, #how h2 { border: 0; margin: .75rem 0 .25rem; }
#editor {
  display: grid; min-height: 16rem; max-height: max(16rem, 65vh); overflow-y: auto; background: var(--panel);
  border: 1px solid var(--quiet); border-radius: .4rem;
}
#editor:focus-within { outline: 3px solid var(--link); outline-offset: 1px; }
/* The same letters at the same places: those of the text box can't be seen. */
#text, #shown {
  grid-area: 1 / 1; margin: 0; padding: .75rem; border: 0; font: 1rem/1.6 ui-monospace, monospace;
  font-variant-ligatures: none; font-kerning: none; letter-spacing: 0; tab-size: 4; text-align: left;
  white-space: pre-wrap; overflow-wrap: break-word; word-break: normal;
}
#text {
  position: relative; width: 100%; min-height: 100%; overflow: hidden; resize: none; background: none; outline: none;
  border-radius: 0; color: transparent; caret-color: var(--text);
}
#text::placeholder { color: var(--quiet); }
#text:read-only::placeholder { color: transparent; }
#text::selection { color: transparent; background: rgb(0 114 220 / .35); }
/* The colour of a line's end, which takes no room. */
#shown .end { padding-right: .5em; margin-right: -.5em; }
#shown .u { text-decoration: underline wavy #d00000; text-decoration-skip-ink: none; }
.plain #shown span:not(.u) { background: none; color: inherit; text-decoration: none; }
@media (forced-colors: active) { #shown { visibility: hidden; } #text { color: CanvasText; } }
.row-of { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; margin: .5rem 0; }
.row-of button { padding: .3rem .9rem; }
#write { background: var(--link); color: var(--page); border-color: var(--link); font-weight: 600; min-width: 7rem; }
#write:disabled { opacity: .6; }
#status { flex: 1 1 14rem; min-height: 1.5rem; margin: 0; }
kbd { font: .85em ui-monospace, monospace; border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3em; }
#next { align-self: start; }
#place { min-height: 1.5em; margin: 0; }
#expected, #depends { list-style: none; padding: 0; margin: .25rem 0; }
#expected .row {
  display: flex; gap: .5rem; width: 100%; height: 1.9rem; align-items: center; font-size: .9rem; text-align: left;
  background: none; border-color: transparent; padding: 0 .25rem;
}
#expected .row:hover { background: var(--panel); border-color: var(--line); }
#expected .row:disabled { color: inherit; background: none; border-color: transparent; }
#expected .name {
  flex: 0 0 7rem; text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: pre;
  font-family: ui-monospace, monospace;
}
#expected .track { flex: 1; display: flex; align-items: center; gap: .4rem; }
.bar { min-width: 1px; height: 1em; border-radius: .15em; background: var(--bar); }
#expected .percent { white-space: nowrap; color: var(--quiet); }
.came { font-weight: 600; }
.came .bar { background: var(--link); }
#depends { min-height: 8rem; font-size: .9rem; }
#depends b { display: inline-block; min-width: 4.5rem; padding-right: .5rem; text-align: right; font: inherit; font-family: ui-monospace, monospace; font-weight: 600; }
#settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .75rem 1rem; margin: .75rem 0; }
#settings label { display: block; }
#settings label:has([type="checkbox"]) { font-size: .9rem; white-space: nowrap; }
#settings .quiet { display: flex; justify-content: space-between; }
#settings input:not([type="checkbox"]) { width: 100%; min-width: 0; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: .6rem 2rem; margin: .75rem 0; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  :root { ${LIGHT} --text: #000000; --quiet: #333333; --panel: #ffffff; color-scheme: light; }
  .screen, #text, #next { display: none !important; }
  main { display: block; }
  #editor { display: block; max-height: none; min-height: 0; overflow: visible; border: 0; }
  #shown { padding: 0; }
  #shown span { box-shadow: none !important; }
  #shown .u { text-decoration-style: solid; }
  * { print-color-adjust: exact; }
}
`;

/** How an exported page looks: as a report, light and dark, narrow and wide, on paper. */
export const STYLE = BASE + LEVELS + OWN;
