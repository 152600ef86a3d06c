import type { Metrics } from "../../../runs/metrics-collector.js";
import { formatCount } from "../../../text.js";
import { type Html, html } from "../html.js";
import { figure, rowOf, tableOf } from "../tables.js";
import { spread } from "./spread.js";

/** Evenly spread: a page with all of them may be too long to read. */
const MAX_EVALUATIONS = 500;

const AXES = [
  ["step", "step"],
  ["epoch", "epoch"],
  ["minutes", "minutes"],
  ["characters", "characters"],
] as const;

/** The loss over the run. */
export function curvesSection(): Html {
  return html`<section aria-labelledby="curves"><h2 id="curves">Curves</h2>
<fieldset class="choice screen" id="axis"><legend>Horizontal axis</legend>${AXES.map(
    ([value, name]) =>
      html` <label><input type="radio" name="axis" value="${value}">${name}</label>`,
  )}</fieldset>
<h3>Loss</h3>
<p class="legend">Thick lines are on held-out text, thin ones on what is trained on. A ring is the best step, a dashed line the n-gram baseline.</p>
${chart("loss", "Training and validation loss over the run, in nats per character.")}
<p class="quiet screen">Drag across a chart to zoom in, in all of them. A double click or <button type="button" id="show-all" disabled>Show all</button> goes back.</p>
</section>
`;
}

/** How the training went beside the loss, with the numbers behind the charts. */
export function trainingSection(runs: readonly Metrics[]): Html {
  return html`<section aria-labelledby="training"><h2 id="training">Training</h2>
<div class="multiples">
<div><h3>Learning rate</h3>${chart("rate", "The learning rate over the run.")}</div>
<div><h3>Speed</h3>${chart("speed", "Characters trained on in a second, over the run.")}</div>
<div><h3>Gradient norm, before clipping</h3>${chart("norm", "The norm of the gradient over the run.")}</div>
</div>
${evaluations(runs)}</section>
`;
}

function chart(name: string, description: string): Html {
  return html`<figure><div id="chart-${name}" role="img" aria-label="${description} The table of evaluations has the numbers."></div>
<figcaption id="legend-${name}" class="legend"></figcaption></figure>
`;
}

/** The numbers behind the charts, for readers who can't see them. */
function evaluations(runs: readonly Metrics[]): Html {
  const rows = evaluationRows(runs);
  const head = [
    "run",
    "step",
    "epoch",
    "training loss, nats/char",
    "validation loss, nats/char",
    "learning rate",
  ];
  return html`<details><summary><span id="evaluations-count">${rows.length}</span> evaluations as a table</summary>
${tableOf("Evaluations", head, html`<tbody id="evaluations-body">${rows}</tbody>`)}</details>`;
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
