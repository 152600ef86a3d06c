import { type Html, html } from "./html.js";

export type Cells = readonly (string | Html)[];

/** A table in a box that scrolls sideways where the page is narrow, and says so. */
export function table(label: string, head: Cells, rows: readonly Cells[]): Html {
  return tableOf(label, head, html`<tbody>${rows.map(rowOf)}</tbody>`);
}

/** See {@link table}; `body` has the rows. */
export function tableOf(label: string, head: Cells, body: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
${body}</table></div><p class="hint screen" hidden>The table goes on to the right: scroll sideways in it.</p>
`;
}

/** A row, of which the first cell says what it is about. */
export function rowOf([first, ...cells]: Cells): Html {
  return html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}

/** A run's name beside its colour. */
export function runName(name: string, run: number): Html {
  return html`<span class="run" data-run="${run}"><i class="swatch run-${run % RUN_COLORS}"></i>${name}</span>`;
}

/** More runs share colours, and their lines are dashed. */
const RUN_COLORS = 6;

/** A loss in nats/char; empty where there is none. */
export function figure(value: number | null | undefined): string {
  return typeof value === "number" ? value.toFixed(3) : "";
}
