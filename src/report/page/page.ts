import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { PAGE_MARKER } from "../../run-files.js";
import type { Metrics } from "../../runs/metrics-collector.js";
import { formatCount } from "../../text.js";
import type { Report } from "../report.js";
import type { TextView } from "../view-text.js";
import { Html, html, jsonFor } from "./html.js";
import type { PageData } from "./script/data.js";
import { STYLE, SURPRISAL_LEVELS } from "./style.js";

const require = createRequire(import.meta.url);

/** Of evaluations and of samples, evenly spread; a page of all may be too long for anybody. */
const MAX_EVALUATIONS = 500;
const MAX_SAMPLES = 200;

/** What a page that follows a run has beside the report. */
export interface Live {
  /** How the run stands, as a sentence. */
  readonly status: string;
  /** See `Update`. */
  readonly edition: number;
}

/** The whole page of a report, in one file that needs nothing else. */
export function reportPage(report: Report, live?: Live): string {
  const { runs, view, charts, title } = report;
  const library = readFileSync(require.resolve("uplot/dist/uPlot.iife.min.js"), "utf8");
  const libraryStyle = readFileSync(require.resolve("uplot/dist/uPlot.min.css"), "utf8");
  const script = readFileSync(new URL("script/main.js", import.meta.url), "utf8");
  const data: PageData = {
    charts,
    text: view?.data,
    live: live !== undefined,
    edition: live?.edition,
  };
  const policy = [
    "default-src 'none'",
    // What the library sets on elements has no hash.
    "style-src 'unsafe-inline'",
    `script-src ${[library, script].map((it) => `'sha256-${sha256(it)}'`).join(" ")}`,
    // An icon of nothing, so that no browser asks for another.
    "img-src data:",
    ...(live ? ["connect-src 'self'"] : []),
  ].join("; ");
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${new Html(PAGE_MARKER)}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(libraryStyle + STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${live ? html`<p id="live" class="quiet" role="status" data-status="${live.status}">${live.status}</p>` : ""}
${report.warnings.map((warning) => html`<p role="note">Warning: ${warning}</p>`)}
<nav aria-label="Parts of the report"><ul>
${sectionsOf(report).map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
</ul></nav>
</header>
<main>
<section aria-labelledby="figures"><h2 id="figures">Figures</h2>
<div id="figures-body">${figures(report)}</div></section>
<section aria-labelledby="curves"><h2 id="curves">Curves</h2>
${chart("loss", "Loss, nats per character", "Training and validation loss over the steps.")}
${chart("rate", "Learning rate", "The learning rate over the steps.")}
${chart("speed", "Speed", "Characters trained on in a second, over the steps.")}
${evaluations(runs)}</section>
<section aria-labelledby="samples"><h2 id="samples">Samples</h2>
${samples(runs)}</section>
${view ? surprisalSection(view) : ""}
${view ? neurons(view) : ""}
${report.settings.length > 0 ? settings(report) : ""}
${report.neighbours.length > 0 ? vocabulary(report) : ""}
</main>
<script type="application/json" id="data">${jsonFor(data)}</script>
<script>${new Html(library)}</script>
<script type="module">${new Html(script)}</script>
</body>
</html>
`;
  return page.text;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function sectionsOf({ view, settings: own, neighbours }: Report): [id: string, name: string][] {
  const names = ["Figures", "Curves", "Samples"];
  if (view) names.push("Surprise", "Neurons");
  if (own.length > 0) names.push("Settings");
  if (neighbours.length > 0) names.push("Vocabulary");
  return names.map((name) => [name.toLowerCase(), name]);
}

/** How each run stands. */
export function figures({ figures: rows }: Pick<Report, "figures">): Html {
  return table(
    ["run", "steps", "training loss", "best validation loss", "bits per character", "at step"],
    rows,
  );
}

function table(head: readonly string[], rows: readonly Cells[]): Html {
  return tableOf(head, html`<tbody>${rows.map(rowOf)}</tbody>`);
}

function tableOf(head: readonly string[], body: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
${body}</table></div>`;
}

type Cells = readonly (string | Html)[];

function rowOf(cells: Cells): Html {
  return html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}

function chart(name: string, title: string, description: string): Html {
  return html`<h3>${title}</h3>
<figure><div id="chart-${name}" role="img" aria-label="${description} The table below has the numbers."></div></figure>
`;
}

/** The numbers behind the charts, for who does not see them. */
function evaluations(runs: readonly Metrics[]): Html {
  const rows = evaluationRows(runs);
  const head = ["run", "step", "epoch", "training loss", "validation loss", "learning rate"];
  return html`<details><summary><span id="evaluations-count">${rows.length}</span> evaluations as a table</summary>
${tableOf(head, html`<tbody id="evaluations-body">${rows}</tbody>`)}</details>`;
}

/** The evaluations of some runs as rows of a table, the oldest of each run first. */
export function evaluationRows(runs: readonly Metrics[]): Html[] {
  return runs.flatMap(({ run, evaluations: own }) =>
    spread(own, MAX_EVALUATIONS).map(({ step, epoch, loss, validationLoss, learningRate }) =>
      rowOf([
        run.name,
        formatCount(step),
        String(epoch),
        figure(loss),
        figure(validationLoss),
        learningRate.toPrecision(3),
      ]),
    ),
  );
}

/** What was written on the way, the newest first and open. */
function samples(runs: readonly Metrics[]): Html {
  const items = sampleItems(runs).reverse();
  const newest = items[0]?.text.replace("<details>", "<details open>");
  return html`<p id="samples-none"${new Html(items.length > 0 ? " hidden" : "")}>There are none yet.</p>
<div id="samples-body">${newest === undefined ? "" : new Html(newest)}${items.slice(1)}</div>`;
}

/** What some runs wrote on the way, each sample to be opened, the oldest first. */
export function sampleItems(runs: readonly Metrics[]): Html[] {
  return runs
    .flatMap(({ run, samples: own }) =>
      spread(own, MAX_SAMPLES).map(({ step, text }) => {
        const title = `${run.name}, step ${formatCount(step)}`;
        return {
          step,
          item: html`<details><summary>${title}</summary><pre>${text}</pre></details>`,
        };
      }),
    )
    .sort((a, b) => a.step - b.step)
    .map(({ item }) => item);
}

/** About `most` of a list, the last among them. As it grows, most of those before stay the same. */
function spread<Item>(list: readonly Item[], most: number): Item[] {
  const every = 2 ** Math.max(0, Math.ceil(Math.log2(list.length / most)));
  return list.filter((_, k) => k % every === 0 || k === list.length - 1);
}

function surprisalSection({ data, isHeldOut }: TextView): Html {
  const spans = data.characters.map((character, position) => {
    const level = SURPRISAL_LEVELS.filter(({ from }) => (data.bits[position] ?? 0) >= from).length;
    return level > 0
      ? html`<span class="s${level}">${character}</span>`
      : html`<span>${character}</span>`;
  });
  return html`<section aria-labelledby="surprise"><h2 id="surprise">Surprise</h2>
<p>How much each character surprised the model after all before it: minus the logarithm of its probability, in
bits. ${whichText(isHeldOut)}</p>
<p class="legend"><span>under 1</span> <span class="s1">1 to 2</span> <span class="s2">2 to 4</span>
<span class="s3">4 to 6</span> <span class="s4">6 and more</span></p>
<p class="status screen" id="surprisal-status" role="status">Point at a character, or go through the text by the arrow keys.</p>
<div class="text" id="surprisal-text" tabindex="0" role="group" aria-label="Text by surprise; the arrow keys go from character to character">${spans}</div>
</section>`;
}

function whichText(isHeldOut: boolean): string {
  return isHeldOut
    ? "This is the beginning of the part that was held out."
    : "This is the beginning of another text than that of the run, or of one without a held-out part.";
}

function neurons({ data, tracked, fitted, isHeldOut }: TextView): Html {
  const rows = tracked.map(({ property, measure, best }) => [
    property,
    measure,
    html`${best.map(
      ({ unit, score }) =>
        html`<button type="button" data-unit="${unit}">unit ${unit}: ${score.toFixed(2)}</button> `,
    )}`,
  ]);
  const spans = data.characters.map((character) => html`<span>${character}</span>`);
  return html`<section aria-labelledby="neurons"><h2 id="neurons">Neurons</h2>
<p>Which single units track something of the text, and how well: fitted on the first half of ${formatCount(fitted)}
characters, scored on the second. ${isHeldOut ? "None of them was trained on." : ""} A balanced accuracy of 0.5 is chance.</p>
${table(["property", "measure", "best units"], rows)}
<p class="screen"><label>Unit <input id="unit" type="number" min="0" max="${data.units - 1}" value="${tracked[0]?.best[0]?.unit ?? 0}"></label>
of ${data.units}, after each character: orange above 0, blue below.</p>
<p class="status screen" id="neuron-status" role="status">Point at a character, or go through the text by the arrow keys.</p>
<div class="text" id="neuron-text" tabindex="0" role="group" aria-label="Text by the activation of a unit; the arrow keys go from character to character">${spans}</div>
</section>`;
}

function settings({ settings: rows }: Report): Html {
  return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
${table(["setting", "value"], rows)}</section>`;
}

function vocabulary({ neighbours, vocabularySize }: Report): Html {
  const withCounts = neighbours.some(({ count }) => count !== undefined);
  const rows = neighbours.map(({ character, count, nearest }) => [
    named(character),
    ...(withCounts ? [formatCount(count ?? 0)] : []),
    nearest.map(named).join(" "),
  ]);
  const head = ["character", ...(withCounts ? ["in the text"] : []), "nearest by its vector"];
  const some = neighbours.length < vocabularySize ? `The first ${neighbours.length} of them.` : "";
  return html`<section aria-labelledby="vocabulary"><h2 id="vocabulary">Vocabulary</h2>
<p>${formatCount(vocabularySize)} characters. ${some}</p>
<details><summary>Characters, and those that the model takes for similar</summary>${table(head, rows)}</details></section>`;
}

/** A character that can be seen. */
function named(character: string): string {
  if (character === "\n") return "newline";
  if (character === " ") return "space";
  return character === "\t" ? "tab" : character;
}

function figure(value: number | null | undefined): string {
  return typeof value === "number" ? value.toFixed(4) : "";
}
