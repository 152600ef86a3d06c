/** Something about each character of a text that a unit may track. */
export interface Property {
  readonly name: string;
  /** Yes and no as 1 and 0, or a number that is fitted by a line. */
  readonly kind: "yes-no" | "number";
  readonly values: Float32Array;
}

const OPENING = "([{“«";
const CLOSING = ")]}”»";
/** A quote that is left open, or an apostrophe taken for one, holds no longer than this. */
const MAX_QUOTE_LENGTH = 500;

/**
 * What may be tracked in a text (after Karpathy, Johnson and Fei-Fei, "Visualizing and Understanding
 * Recurrent Networks", 2015, section 4.2), where it is neither everywhere nor hardly anywhere.
 */
export function propertiesOf(characters: readonly string[]): Property[] {
  const count = characters.length;
  const values = {
    "position in the line": new Float32Array(count),
    "position in the word": new Float32Array(count),
    "lines since an empty one": new Float32Array(count),
    "inside quotation marks": new Float32Array(count),
    "inside brackets": new Float32Array(count),
    "inside a word": new Float32Array(count),
    "a line ends next": new Float32Array(count),
    "a capital letter comes next": new Float32Array(count),
    "a space comes next": new Float32Array(count),
  };
  let [column, letters, lines, depth, quote] = [0, 0, 0, 0, -1];
  for (const [position, character] of characters.entries()) {
    const isNewline = character === "\n";
    if (isNewline && column === 0) lines = 0;
    else if (isNewline) lines++;
    column = isNewline ? 0 : column + 1;
    letters = /[\p{L}\p{N}]/u.test(character) ? letters + 1 : 0;
    if (OPENING.includes(character)) depth++;
    if (CLOSING.includes(character)) depth = Math.max(depth - 1, 0);
    if (character === '"') quote = quote < 0 ? position : -1;
    if (quote >= 0 && position - quote > MAX_QUOTE_LENGTH) quote = -1;
    const next = characters[position + 1] ?? "";
    values["position in the line"][position] = column;
    values["position in the word"][position] = letters;
    values["lines since an empty one"][position] = lines;
    values["inside quotation marks"][position] = Number(quote >= 0);
    values["inside brackets"][position] = Number(depth > 0);
    values["inside a word"][position] = Number(letters > 0);
    values["a line ends next"][position] = Number(next === "\n");
    values["a capital letter comes next"][position] = Number(/\p{Lu}/u.test(next));
    values["a space comes next"][position] = Number(next === " ");
  }
  const all = Object.entries(values).map(([name, own], k): Property => {
    return { name, kind: k < 3 ? "number" : "yes-no", values: own };
  });
  return all.filter(varies);
}

/** Whether there is anything to track: for a yes or no, one time in a hundred at least. */
function varies({ kind, values }: Property): boolean {
  const sum = values.reduce((total, value) => total + value, 0);
  if (kind === "yes-no") return Math.min(sum, values.length - sum) >= values.length / 100;
  return values.some((value) => value !== values[0]);
}
