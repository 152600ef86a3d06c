import { nameOf } from "./character-names.js";
import type { TextData } from "./data.js";
import { element, make } from "./elements.js";

/** The five likeliest characters, and a row for what came where it is none of them. */
const ROWS = 6;

/** Shows what was expected at a position as bars, with what came marked. */
export function showExpected(text: TextData, position: number): void {
  const came = text.characters[position];
  const bits = text.bits[position];
  const rows = [...text.expected[position]].map((character, k): [string, number] => [
    character,
    text.probabilities[position][k],
  ]);
  if (bits !== null && !rows.some(([character]) => character === came)) {
    rows.push([came, 2 ** -bits]);
  }
  const shown = rows.map(([character, probability]) => barOf(character, probability, came));
  // The same number of rows everywhere, so that nothing below moves.
  while (shown.length < ROWS) shown.push(make("div", "row"));
  element("expected").replaceChildren(...shown);
}

function barOf(character: string, probability: number, came: string): HTMLElement {
  const row = make("div", character === came ? "row came" : "row");
  const bar = make("span", "bar");
  bar.style.width = `${(60 * probability).toFixed(1)}%`;
  const track = make("span", "track");
  track.append(bar, make("span", "percent", percent(probability)));
  row.append(make("span", "name", nameOf(character) ?? character), track);
  return row;
}

function percent(probability: number): string {
  return probability < 0.01 ? "under 1 %" : `${Math.round(100 * probability)} %`;
}
