import type { RunConfig } from "../config/run.js";
import type { TrainSettings } from "../config/train-settings.js";
import { CalibrationPieces } from "../data/calibration-pieces.js";
import type { Corpus } from "../data/corpus.js";
import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";

/** With fewer a temperature is not known well enough. */
const FEWEST = 1_000;
/** Of the held-out part. */
const FRACTION = 0.1;
/** A single number is fitted: it is known to one hundredth by then. */
const MOST = 10_000;
/** So that it takes a moment for thousands of different characters too. */
const MOST_LOGITS = 4e6;
/** Of the held-out part, by a user. */
const MOST_GIVEN = 0.5;

type Settings = Pick<TrainSettings, "calibrationCharacters" | "ngramOrder" | "embeddingSize">;

/**
 * On how many characters of the held-out part a run fits the temperature, by default where embeddings of n-grams learn much of a text
 * by heart, so that predictions become too sure.
 *
 * @returns undefined where a run is not to be calibrated
 * @throws CharnnError `INVALID_SETTING` where the held-out part has too few characters, or consists of documents
 */
export function calibrationCharactersFor(
  { documents, validation, vocabulary }: Pick<Corpus, "documents" | "validation" | "vocabulary">,
  { calibrationCharacters: given, ngramOrder, embeddingSize }: Settings,
): number | undefined {
  const { length } = validation.tokens;
  if (given === 0) return undefined;
  if (given !== undefined) {
    refuseImpossible(given, documents, length);
    return given;
  }
  const hasNgrams = ngramOrder !== 1 && embeddingSize !== 0;
  if (documents !== undefined || !hasNgrams) return undefined;
  const count = Math.floor(Math.min(FRACTION * length, MOST, MOST_LOGITS / vocabulary.size));
  return count >= Math.min(FEWEST, MOST_LOGITS / vocabulary.size) ? count : undefined;
}

function refuseImpossible(given: number, documents: string | undefined, length: number): void {
  const most = Math.floor(MOST_GIVEN * length);
  if (documents === undefined && given <= most) return;
  const { message, hint } =
    documents === undefined
      ? {
          message: `calibrationCharacters is ${given}, and ${formatCount(length)} characters are held out.`,
          hint: `Give at most half of them (\`calibrationCharacters: ${most}\`), or 0.`,
        }
      : {
          message: "calibrationCharacters works only on one continuous text, not on separate ones.",
          hint: "Leave it out.",
        };
  throw new CharnnError("INVALID_SETTING", message, hint, { setting: "calibrationCharacters" });
}

/** The pieces on which a run fits its temperature; undefined where it is not calibrated. */
export function calibrationPiecesOf({ text, training }: RunConfig): CalibrationPieces | undefined {
  const { calibrationCharacters } = training;
  if (!calibrationCharacters) return undefined;
  return new CalibrationPieces(text.validationCharacters, calibrationCharacters);
}
