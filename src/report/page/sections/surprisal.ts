import { formatCount } from "../../../text.js";
import type { TextView } from "../../view-text.js";
import { type Html, html } from "../html.js";
import { SURPRISAL_LEVELS } from "../style.js";
import { textSpans } from "./text-spans.js";

/** A text with each character in the colour of its surprisal. */
export function surprisalSection(view: TextView): Html {
  const { data } = view;
  const spans = textSpans(data.characters, (position) => {
    const level = SURPRISAL_LEVELS.filter(({ from }) => (data.bits[position] ?? 0) >= from).length;
    return level > 0 ? `s${level}` : "";
  });
  return html`<section aria-labelledby="surprisal"><h2 id="surprisal">Surprisal</h2>
<p>How much each character surprised ${who(view)} after all before it: minus the base-2 logarithm of its probability, in
bits. ${whichText(view)}</p>
<p>${mean(data.bits)} <button type="button" class="screen" id="surprisal-jump">Go to the most surprising line</button></p>
<p class="legend levels">${levels()}</p>
<p class="status screen" id="surprisal-status" role="status">Point at a character, or go through the text with the arrow keys.</p>
<div class="beside"><div>
<div class="text" id="surprisal-text" tabindex="0" role="group" aria-label="Text by surprisal; the arrow keys go from character to character">${spans}</div>
<p class="hint screen" hidden>The text goes on: scroll in the box.</p></div>
<div class="screen" aria-hidden="true"><p class="quiet">Expected here</p><div id="expected" class="expected"></div></div></div>
</section>
`;
}

function who({ members }: TextView): string {
  return members > 1
    ? `the run's ${members} models, which predict together by the mean of their probabilities,`
    : "the model";
}

/** What the colours mean. */
export function levels(): Html {
  const last = SURPRISAL_LEVELS.length - 1;
  return html`<span>under ${SURPRISAL_LEVELS[0].from} bit</span>${SURPRISAL_LEVELS.map(
    ({ from }, k) =>
      html` <span class="s${k + 1}">${k === last ? `${from} bits and more` : `${from} to ${SURPRISAL_LEVELS[k + 1].from} bits`}</span>`,
  )}`;
}

function mean(bits: TextView["data"]["bits"]): string {
  const known = bits.filter((it) => it !== null);
  if (known.length === 0) return "";
  const sum = known.reduce((total, it) => total + it, 0);
  return `The mean of the ${formatCount(known.length)} characters shown is ${(sum / known.length).toFixed(3)} bits/char.`;
}

const STARTS = {
  text: "at the beginning",
  line: "at the first whole line",
  word: "at the first whole word",
  middle: "in the middle of the text",
} as const;

function whichText({ isHeldOut, start }: TextView): string {
  const of = isHeldOut
    ? "of the part that was held out"
    : "of a text that was not used for this run, or of a training text without a held-out part";
  return `It starts ${STARTS[start.at]} ${of}.`;
}
