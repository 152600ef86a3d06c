import type { SampleRecord } from "../../../runs/metrics.js";
import type { Metrics } from "../../../runs/metrics-collector.js";
import { formatCount } from "../../../text.js";
import { type Html, html } from "../html.js";
import { runName } from "../tables.js";
import { spread } from "./spread.js";
import { readable } from "./text-spans.js";

/** Evenly spread: a page with all of them may be too long to read. */
const MAX_SAMPLES = 200;

/** What was written on the way: the sample of the best step, and a way to see all others. */
export function samplesSection(runs: readonly Metrics[]): Html {
  const items = sampleItems(runs);
  const isHidden = items.length === 0 ? html` hidden` : html``;
  return html`<section aria-labelledby="samples"><h2 id="samples">Samples</h2>
<p id="samples-none"${items.length > 0 ? html` hidden` : ""}>There are none yet.</p>
<div id="samples-some"${isHidden}>
<p class="quiet screen">Point at the loss curve, or move along the steps, to see what the model wrote there.</p>
<p class="screen timeline"><label for="sample-step">Sample</label> <input type="range" id="sample-step" min="0" value="0" step="1">
<button type="button" id="sample-best">Best step</button></p>
<div id="samples-shown" class="columns">${runs.map(bestCard)}</div>
<details><summary>All <span id="samples-count">${items.length}</span> samples</summary>
<ol id="samples-body" class="plain">${items}</ol></details></div></section>
`;
}

/** What some runs wrote on the way, the oldest first. */
export function sampleItems(runs: readonly Metrics[]): Html[] {
  return runs
    .flatMap(({ run, samples: own }, k) =>
      spread(own, MAX_SAMPLES).map(({ step, text }) => {
        const title = html`${runName(run.name, k)}, step ${formatCount(step)}`;
        const item = html`<li data-run="${k}" data-step="${step}"><p>${title}</p><pre>${readable(text)}</pre></li>`;
        return { step, item };
      }),
    )
    .sort((a, b) => a.step - b.step)
    .map(({ item }) => item);
}

/** The sample of a run's best step; its script shows others there. */
function bestCard({ run, best, samples }: Metrics, k: number): Html {
  const shown = spread(samples, MAX_SAMPLES);
  const sample = upTo(shown, best?.step ?? Number.POSITIVE_INFINITY) ?? shown[0];
  const step = sample ? `, step ${formatCount(sample.step)}` : "";
  const isBest = sample && sample.step === best?.step ? ", the best" : "";
  return html`<article data-run="${k}" class="card"><p>${runName(run.name, k)}<span>${step}${isBest}</span></p><pre>${readable(sample?.text ?? "")}</pre></article>`;
}

function upTo(samples: readonly SampleRecord[], step: number): SampleRecord | undefined {
  return samples.findLast((sample) => sample.step <= step);
}
