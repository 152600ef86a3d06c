import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { PAGE_MARKER } from "../../run-files.js";
import { version } from "../../version.js";
import { runsData } from "../charts.js";
import type { Report } from "../report.js";
import { Html, html, jsonFor } from "./html.js";
import { pageScript } from "./page-script.js";
import type { PageData } from "./script/data.js";
import { curvesSection, trainingSection } from "./sections/curves.js";
import { neuronsSection } from "./sections/neurons.js";
import { resultSection } from "./sections/result.js";
import { samplesSection } from "./sections/samples.js";
import { settingsSection } from "./sections/settings.js";
import { surprisalSection } from "./sections/surprisal.js";
import { vocabularySection } from "./sections/vocabulary.js";
import { STYLE } from "./style.js";

const require = createRequire(import.meta.url);

/** What a page that follows a run has beside the report. */
export interface Live {
  /** How the run stands, as a sentence, and how far it has come. */
  readonly status: string;
  readonly progress: string;
  /** See `Update`. */
  readonly edition: number;
}

/** The whole page of a report, in one file that needs nothing else. */
export function reportPage(report: Report, live?: Live): string {
  const { runs, view, charts, title } = report;
  const library = readFileSync(require.resolve("uplot/dist/uPlot.iife.min.js"), "utf8");
  const libraryStyle = readFileSync(require.resolve("uplot/dist/uPlot.min.css"), "utf8");
  const script = pageScript();
  const data: PageData = {
    runs: runsData(runs),
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
  const metrics = runs.map((run) => run.metrics);
  const training = html`${curvesSection()}
${samplesSection(metrics)}
${trainingSection(metrics)}`;
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
<a class="skip" href="#content">Skip to the result</a>
<header>
<h1>${title}</h1>
${
  live
    ? html`<p id="live" class="quiet"><span id="live-status" role="status" data-status="${live.status}">${live.status}</span>
<span id="live-progress">${live.progress}</span></p>`
    : ""
}
${report.warnings.map((warning) => html`<p role="note">Warning: ${warning}</p>`)}
<nav aria-label="Parts of the report"><ul>
${sectionsOf(report).map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
</ul></nav>
</header>
<main id="content" tabindex="-1">
${resultSection(runs, live !== undefined)}
${isTrained(report) ? training : html`<div hidden>${training}</div>`}
${view ? surprisalSection(view) : ""}
${view ? neuronsSection(view) : ""}
${settingsSection(runs)}
${vocabularySection(report)}
</main>
<footer class="quiet">Made by charnn ${version()}.</footer>
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

/** Whether any run has a training to show, or will have; the script of the page needs its parts in any case. */
function isTrained({ runs }: Report): boolean {
  return runs.length === 0 || runs.some(({ metrics }) => !metrics.imported);
}

function sectionsOf(report: Report): [id: string, name: string][] {
  const { view, runs, vocabularies } = report;
  const names = ["Result", ...(isTrained(report) ? ["Curves", "Samples", "Training"] : [])];
  if (view) names.push("Surprisal", "Neurons");
  if (runs.some(({ facts }) => facts)) names.push("Settings");
  if (vocabularies.some((vocabulary) => vocabulary)) names.push("Vocabulary");
  return names.map((name) => [name.toLowerCase(), name]);
}
