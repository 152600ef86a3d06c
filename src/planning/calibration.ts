import { memberCount } from "../config/members.js";
import type { RunConfig } from "../config/run.js";
import type { TrainSettings } from "../config/train-settings.js";
import { CalibrationPieces } from "../data/calibration-pieces.js";
import type { Corpus } from "../data/corpus.js";
import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";

/** Of a shorter held-out part all is scored. */
const SHORTEST = 10_000;
/** Of the held-out part. */
const FRACTION = 0.1;
/** A single number is fitted: it is known to one hundredth by then. */
const MOST = 10_000;
/** So that it takes a moment for thousands of different characters too ... */
const MOST_LOGITS = 4e6;
/** ... and where that leaves fewer characters, a temperature is not known well enough. */
const FEWEST = 400;

type Settings = Pick<
  TrainSettings,
  "calibrationCharacters" | "ngramOrder" | "embeddingSize" | "members"
>;

/**
 * On how many characters of the held-out part a run fits the temperature, by default where embeddings of n-grams learn much of a text
 * by heart, so that predictions become too sure.
 *
 * @returns undefined where a run is not to be calibrated
 * @throws CharnnError `INVALID_SETTING` where the held-out part has too few characters, or consists of documents
 */
export function calibrationCharactersFor(
  { documents, validation, vocabulary }: Pick<Corpus, "documents" | "validation" | "vocabulary">,
  { calibrationCharacters: given, ngramOrder, embeddingSize, members = 1 }: Settings,
): number | undefined {
  const { length } = validation.tokens;
  if (given === 0) return undefined;
  if (given !== undefined) {
    refuseImpossible(given, documents, length);
    return given;
  }
  const hasNgrams = ngramOrder !== 1 && embeddingSize !== 0;
  if (documents !== undefined || !hasNgrams || length < SHORTEST) return undefined;
  const count = Math.floor(
    Math.min(FRACTION * length, MOST, MOST_LOGITS / (members * vocabulary.size)),
  );
  return count >= FEWEST ? count : undefined;
}

function refuseImpossible(given: number, documents: string | undefined, length: number): void {
  const refuse = (message: string, hint: string) => {
    throw new CharnnError("INVALID_SETTING", message, hint, { setting: "calibrationCharacters" });
  };
  if (documents !== undefined) {
    const message =
      "calibrationCharacters works only on one continuous text, not on separate ones.";
    refuse(message, "Leave it out.");
  }
  // The first character is no target, and one at least is to be scored.
  const most = Math.floor((length - 1) / 2);
  if (given <= most) return;
  const held = length === 0 ? "nothing is" : `${formatCount(length)} characters are`;
  const fits = `Give at most half of them (\`calibrationCharacters: ${most}\`), or leave it out.`;
  const message = `calibrationCharacters is ${given}, and ${held} held out.`;
  refuse(message, most > 0 ? fits : "Leave it out.");
}

/** Logits by which a run fits its temperature. */
export function logitsToFit({ model, training }: RunConfig): number {
  const { calibrationCharacters = 0 } = training;
  return calibrationCharacters * model.vocabularySize * memberCount({ training });
}

/** The pieces on which a run fits its temperature; undefined where it is not calibrated. */
export function calibrationPiecesOf({ text, training }: RunConfig): CalibrationPieces | undefined {
  const { calibrationCharacters } = training;
  if (!calibrationCharacters) return undefined;
  return new CalibrationPieces(text.validationCharacters, calibrationCharacters);
}
