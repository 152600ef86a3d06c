import type { TrainSettings } from "../config/train-settings.js";
import type { Corpus } from "../data/corpus.js";
import { documentEndOf, documentNoun } from "../data/documents.js";
import { type Unlikeness, unlikeTraining } from "./likeness.js";
import { sharedDocuments, sharedText } from "./overlap.js";

/** In less time the parts of a text are not compared: that takes up to a second. */
const SECONDS_TO_COMPARE = 20;
/** If this fraction of a part is shared, its loss does not mean what it seems to. */
const MUCH_SHARED = 0.25;
/** From here on all of it counts as shared, since chance decides which passages are found. */
const ALL_SHARED = 0.99;
/** Characters that are looked through in a second, on a slow machine. */
const CHARACTERS_PER_SECOND = 50_000_000;
/** The most of a limited time that this may take. */
const SHARE_OF_TIME = 0.02;

/**
 * Says so where the validation loss says less than it seems to: where the training part has much of the
 * held-out part too, or where that is far harder or easier to predict than the rest.
 *
 * @returns no or one sentence with advice
 * @throws the signal's reason once it is aborted
 */
export async function heldOutNotes(
  settings: TrainSettings,
  corpus: Corpus,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { documents, split, fold, validationFile, maxTime = SECONDS_TO_COMPARE } = settings;
  // Equal lines are dealt to one part, and parts differ only by chance.
  if (documents && split !== "sequential" && validationFile === undefined) return [];
  const overlap = await sharedNote(settings, corpus, signal);
  if (overlap || fold || maxTime < SECONDS_TO_COMPARE) return overlap ? [overlap] : [];
  const { train, validation, vocabulary } = corpus;
  const unlike = await unlikeTraining(train.tokens, validation.tokens, vocabulary.size, signal);
  return unlike ? [unlikeNote(settings, unlike)] : [];
}

async function sharedNote(
  { documents, fold, validationFile, maxTime = Number.POSITIVE_INFINITY }: TrainSettings,
  { train: { tokens: train }, validation: { tokens: heldOut }, vocabulary }: Corpus,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (train.length > maxTime * SHARE_OF_TIME * CHARACTERS_PER_SECOND) return undefined;
  // In a cross-validation, the note on one fold is enough.
  if (fold && fold.index > 1) return undefined;
  const fraction =
    documents === undefined
      ? await sharedText(train, heldOut, signal)
      : await sharedDocuments(train, heldOut, documentEndOf(vocabulary, documents), signal);
  if (fraction < MUCH_SHARED) return undefined;
  const isAll = fraction > ALL_SHARED;
  const much = isAll ? "All" : `About ${Math.round(100 * fraction)} %`;
  const part =
    validationFile !== undefined
      ? "the validation file"
      : fold
        ? "the held-out part"
        : "the held-out part, the end of the text,";
  const where = validationFile === undefined ? "in the rest" : "in the training text";
  const what = documents
    ? `the ${documentNoun(documents)}s of ${part.replace(/,$/, "")} are`
    : `${part} is`;
  const meaning = `the validation loss says ${isAll ? "" : "in part "}how well the model remembers it, not how well it does on new text.`;
  return `${much} of ${what} ${where} too, ${documents ? "the same" : "word for word"}: ${meaning} ${sharedAdvice(documents, validationFile)}`;
}

function sharedAdvice(documents: string | undefined, validationFile: string | undefined): string {
  if (documents) {
    const noun = documentNoun(documents);
    if (validationFile === undefined) {
      return `Leave \`split: sequential\` out: the random split keeps equal ${noun}s together.`;
    }
    return documents === "lines"
      ? "To leave such lines out: grep -vxFf FILE VALIDATIONFILE > NEWFILE"
      : `Leave such ${noun}s out of one of the two.`;
  }
  return validationFile === undefined
    ? "Remove the repeated passages from the text, or validate on another text with `validationFile`."
    : "Train on a text without it, or validate on another one.";
}

function unlikeNote(
  { documents, validationFile }: TrainSettings,
  { heldOut, within }: Unlikeness,
): string {
  const how = heldOut > within ? "unlike" : "far easier than";
  const losses = `an n-gram baseline has a loss of ${heldOut.toFixed(2)} nats/char on it, but ${within.toFixed(2)} on parts of the training text that are held out in turn`;
  if (validationFile !== undefined) {
    return `The validation file is ${how} the training text: ${losses}. The validation loss says how well the model does on such other text.`;
  }
  const advice = documents
    ? `Leave \`split: sequential\` out, and random ${documentNoun(documents)}s are held out.`
    : "`crossValidate: 5` holds out each fifth of the text in turn.";
  return `The held-out part, the end of the text, is ${how} the rest: ${losses}. So the validation loss may not be typical of the whole text. ${advice}`;
}
