/** Misspelled words, and what was meant. */

/** Words that differ in more characters are no misspellings of each other. */
const MAX_DISTANCE = 2;

/** The one that a person who typed `typed` meant, if any. */
export function meant(typed: string, names: readonly string[]): string | undefined {
  const [nearest] = byDistance(typed, names);
  if (nearest === undefined) return undefined;
  // Two changes of a short word, or of one that begins differently, make another word.
  const isAlike = typed.length > 4 && typed[0] === nearest[0];
  return editDistance(nearest, typed) <= (isAlike ? MAX_DISTANCE : 1) ? nearest : undefined;
}

/** Those most like what was typed first. */
export function byDistance(typed: string, names: readonly string[]): string[] {
  const distances = new Map(names.map((name) => [name, editDistance(name, typed)]));
  return names.toSorted((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
}

/** The fewest characters to put in, leave out or change to make `b` of `a` (Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [i, character] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = row[j] + (character === b[j] ? 0 : 1);
      next.push(Math.min(changed, row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}
