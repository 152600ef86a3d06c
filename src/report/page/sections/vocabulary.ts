import { formatCount } from "../../../text.js";
import { MIN_COUNT, type VocabularyView } from "../../neighbours.js";
import type { Report } from "../../report.js";
import { type Html, html } from "../html.js";
import { nameOf } from "../script/character-names.js";
import { runName, table } from "../tables.js";

/** The characters of each run, and those that its model treats as similar. */
export function vocabularySection({ runs, vocabularies }: Report): Html {
  const own = vocabularies.flatMap((vocabulary, k) => (vocabulary ? [{ vocabulary, k }] : []));
  if (own.length === 0) return html``;
  return html`<section aria-labelledby="vocabulary"><h2 id="vocabulary">Vocabulary</h2>
${own.map(({ vocabulary, k }) => {
  const { name } = runs[k].metrics.run;
  return html`${runs.length > 1 ? html`<h3>${runName(name, k)}</h3>` : ""}${vocabularyOf(vocabulary, name)}`;
})}</section>
`;
}

function vocabularyOf(view: VocabularyView, run: string): Html {
  const { size, members, order, rare, neighbours } = view;
  const isCounted = order === "frequency";
  const rows = neighbours.map(({ character, count, nearest }) => [
    shown(character),
    ...(isCounted ? [formatCount(count ?? 0)] : []),
    html`${nearest.map((it) => html`<span class="character">${shown(it)}</span> `)}`,
  ]);
  const head = ["character", ...(isCounted ? ["in the text"] : []), "nearest by its vector"];
  const order_ = isCounted
    ? "the most frequent first"
    : "by code point: how often each occurs is known where a text was given";
  const notes = [`${formatCount(size)} characters, ${order_}.`];
  if (rare > 0) {
    notes.push(`${formatCount(rare)} that occur fewer than ${MIN_COUNT} times are left out.`);
  }
  if (neighbours.length + rare < size) {
    notes.push(`The first ${formatCount(neighbours.length)} are shown.`);
  }
  const model = members > 1 ? `the first of ${members} models` : "the model";
  return html`<p>${notes.join(" ")}</p>
<details><summary>Characters, and those that ${model} takes for similar</summary>${table(`Vocabulary of ${run}`, head, rows)}</details>
`;
}

/** A character, or the name of one that can't be seen. */
function shown(character: string): Html | string {
  const name = nameOf(character);
  return name === undefined ? character : html`<em>${name}</em>`;
}
