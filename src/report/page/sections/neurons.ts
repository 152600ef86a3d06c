import { formatCount } from "../../../text.js";
import type { Tracked } from "../../neurons.js";
import type { TextView } from "../../view-text.js";
import { type Html, html } from "../html.js";
import { table } from "../tables.js";
import { textSpans } from "./text-spans.js";

/** Which units track something, and a text coloured by the activation of one. */
export function neuronsSection({ data, tracked, fitted, isHeldOut, members }: TextView): Html {
  const rows = tracked.map(({ property, measure, best }) => [
    property,
    measure,
    best.length > 0
      ? html`${best.map(
          ({ unit, score }) =>
            html`<button type="button" data-unit="${unit}" aria-pressed="false">unit ${unit}: ${score.toFixed(2)}</button> `,
        )}`
      : "no unit does better than guessing",
  ]);
  const spans = textSpans(data.characters);
  return html`<section aria-labelledby="neurons"><h2 id="neurons">Neurons</h2>
<p>Which single units track something of the text, and how well: fitted on the first half of ${formatCount(fitted)}
characters, scored on the second. ${isHeldOut ? "The model was not trained on any of them." : ""}${members > 1 ? ` The units are those of the first of the run's ${members} models.` : ""}</p>
<p class="quiet">R² says how much of a number that varies, such as the position in the line, a straight line tells from the unit's
activation: 1 is all of it, 0 is nothing. Balanced accuracy says how often a threshold of the activation tells a yes from a
no, each counting half: 1 is always, 0.5 is guessing.</p>
${table("Units that track something", ["property", "measure", "best units"], rows)}
<p><label>Unit <input id="unit" type="number" min="0" max="${data.units - 1}" value="${bestUnit(tracked)}"></label>
of ${formatCount(data.units)}, after each character: <span class="scale">−1 <i></i> 1</span></p>
<p class="status screen" id="neuron-status" role="status">Point at a character, or go through the text with the arrow keys.</p>
<div class="text" id="neuron-text" tabindex="0" role="group" aria-label="Text by the activation of a unit; the arrow keys go from character to character">${spans}</div>
<p class="hint screen" hidden>The text goes on: scroll in the box.</p>
</section>
`;
}

/** The unit that tracks anything best: how far it is from guessing to always right. */
function bestUnit(tracked: readonly Tracked[]): number {
  const all = tracked.flatMap(({ measure, best }) =>
    best.map(({ unit, score }) => ({ unit, score: measure === "R²" ? score : 2 * score - 1 })),
  );
  return all.sort((a, b) => b.score - a.score)[0]?.unit ?? 0;
}
