import { CharnnError } from "../errors.js";
import { formatCount, NEWLINE } from "../text.js";
import { listFew, showCharacter } from "./characters.js";
import type { Parts } from "./split.js";
import { translateInPlace } from "./text-builder.js";
import { countTokens, type Tokens, Vocabulary } from "./vocabulary.js";

/** Parts of a text, and what their tokens mean. */
interface EncodedParts {
  readonly vocabulary: Vocabulary;
  readonly parts: Parts;
}

/**
 * Turns characters that are rare in the training part into one unknown character.
 *
 * @param minCount characters that occur at least this often stay, and the others become the unknown one
 * @param alwaysKnown those that stay however rare they are
 * @param unknown whether there is to be an unknown character in any case
 * @returns `warning` tells what became of the text; the tokens are overwritten where there is room
 * @throws CharnnError `INVALID_SETTING` where fewer than two characters would stay
 */
export async function withoutRare(
  { vocabulary, parts }: EncodedParts,
  settings: {
    readonly minCount: number | undefined;
    readonly alwaysKnown: (codePoint: number) => boolean;
    readonly unknown: boolean;
  },
  signal: AbortSignal | undefined,
): Promise<EncodedParts & { readonly warning: string | undefined }> {
  const { minCount = 0, alwaysKnown, unknown } = settings;
  const counts = await countTokens(parts.train, vocabulary.size, signal);
  const codePoints = [...vocabulary.codePoints()];
  const isRare = (codePoint: number, index: number) =>
    counts[index] < minCount && !alwaysKnown(codePoint);
  const rare = codePoints.filter(isRare);
  if (rare.length === 0 && !unknown) {
    const areKept = codePoints.some(
      (codePoint, index) => counts[index] < minCount && codePoint !== NEWLINE,
    );
    const why = areKept
      ? `\`minCount: ${minCount}\` changes nothing: the model given with \`initFrom\` already knows all the rare characters.`
      : `No character is so rare that \`minCount: ${minCount}\` changes anything.`;
    return { vocabulary, parts, warning: minCount > 0 ? why : undefined };
  }
  const kept = codePoints.filter((codePoint, index) => !isRare(codePoint, index));
  if (kept.length < 2) throw tooFewKept(minCount, counts);
  const reduced = Vocabulary.fromCodePoints(kept, { unknown: true });
  const indices = Int32Array.from(codePoints, (it) => reduced.tokenOf(it) as number);
  const translated = (tokens: Tokens) => translateInPlace(tokens, indices, reduced.size, signal);
  const translatedParts = {
    train: await translated(parts.train),
    validation: await translated(parts.validation),
    test: await translated(parts.test),
  };
  let occurrences = 0;
  for (const [index, codePoint] of codePoints.entries()) {
    if (isRare(codePoint, index)) occurrences += counts[index];
  }
  const warning =
    rare.length > 0 ? rareOnes(rare, occurrences / parts.train.length, minCount) : undefined;
  return { vocabulary: reduced, parts: translatedParts, warning };
}

/** Says what the unknown character stands for, and what that means. */
function rareOnes(rare: readonly number[], fraction: number, minCount: number): string {
  const kinds =
    rare.length === 1 ? "1 character occurs" : `${formatCount(rare.length)} characters occur`;
  const percent = (100 * fraction).toLocaleString("en", { maximumSignificantDigits: 2 });
  return `${kinds} fewer than ${minCount} times in the training part: ${listFew(rare.map(showCharacter))}. To the model ${rare.length === 1 ? "it is" : "they are"} one unknown character (${percent} % of the training part), which it reads and never writes. This changes the loss, so compare it only with runs of the same \`minCount\`.`;
}

function tooFewKept(minCount: number, counts: Float64Array): CharnnError {
  const most = counts.slice().sort().at(-2) ?? 0;
  return new CharnnError(
    "INVALID_SETTING",
    `minCount ${minCount} leaves fewer than two characters that the model knows.`,
    most > 0 ? `Give \`minCount: ${most}\` or less.` : "Leave it out.",
    { setting: "minCount" },
  );
}
