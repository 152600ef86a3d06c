import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { BackendSettings } from "../config/shared.js";
import { loadCorpus } from "../data/corpus.js";
import type { Invalid } from "../data/decoding.js";
import { documentEndOf } from "../data/documents.js";
import type { Inputs } from "../data/inputs.js";
import { knownPart, refuseTooShort, type Unknown } from "../data/known-part.js";
import type { ReadOptions } from "../data/sources.js";
import { readTexts } from "../data/texts.js";
import { leftOut, readAsOthers } from "../data/unknown-characters.js";
import { countTokens, type Tokens } from "../data/vocabulary.js";
import { openParts, partsOf } from "../sampling/mixture.js";
import { MixtureReader } from "../sampling/mixture-reader.js";
import { Turns } from "../turns.js";
import type { Counts } from "./neighbours.js";
import { type Tracked, trackedProperties } from "./neurons.js";
import type { TextData } from "./page/script/data.js";
import { activationsOf, predictionsOf, WINDOW } from "./read-text.js";
import { type TextStart, textStart } from "./text-start.js";

/** Which text to look at. */
export interface ViewSettings {
  readonly files: readonly string[];
  readonly encoding: string;
  /** What to do with bytes that are wrong in it. */
  readonly invalid: Invalid;
  /** The folder of the runs; left out where it lies in a folder of texts. */
  readonly out: string;
  readonly unknown: Unknown;
  readonly backendSettings: BackendSettings;
}

export interface ViewOptions {
  /** Keeps what can be read once: the text is read twice. */
  readonly inputs: Inputs;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning: (message: string) => void;
  readonly onWork?: OnWork | undefined;
}

/** Called with what begins, where a report takes its time. */
export type OnWork = (work: "text" | "model" | "units" | "vocabulary") => void;

/** A text as a checkpoint's models see it. */
export interface TextView {
  /** How many models predict together; the units are those of the first. */
  readonly members: number;
  readonly data: TextData;
  /** Whether it is what the model's run held out; else it is all of another text. */
  readonly isHeldOut: boolean;
  /** Characters that units were fitted and scored on. */
  readonly fitted: number;
  readonly tracked: readonly Tracked[];
  /** How often each character of the vocabulary occurs in the whole text. */
  readonly counts: Counts;
  /** Where what is shown begins. */
  readonly start: TextStart;
}

/** Characters that are looked at, as long as their activations are not too many numbers. */
const MAX_FITTED = 20_000;
const MAX_ACTIVATIONS = 16_000_000;
/** Characters that are shown, and bytes for their activations. */
const MAX_SHOWN = 4_000;
const MAX_BYTES = 1_500_000;

/**
 * Looks at a text with the model of a checkpoint, or with its models together: at the part that its run held out, where it is the
 * run's own text.
 *
 * @throws CharnnError for a text that can't be read, and `UNKNOWN_CHARACTER` unless they are skipped
 */
export async function viewText(
  checkpoint: Checkpoint,
  { backendSettings, ...settings }: ViewSettings,
  { inputs, signal, onWarning, onWork }: ViewOptions,
): Promise<TextView> {
  const { config, vocabulary } = checkpoint;
  const options = { inputs, signal };
  onWork?.("text");
  const { text, tokens, isHeldOut } = await textOf(checkpoint, settings, options, onWarning);
  onWork?.("model");
  const windows = { time: WINDOW, batch: 1 };
  const parts = await openParts(
    partsOf([checkpoint], undefined),
    backendSettings,
    windows,
    onWarning,
  );
  const reader = new MixtureReader(parts, vocabulary);
  try {
    const units = config.model.layers * config.model.hiddenSize;
    const fitted = Math.min(tokens.length, MAX_FITTED, Math.floor(MAX_ACTIVATIONS / units));
    const most = Math.min(MAX_SHOWN, Math.max(Math.floor(MAX_BYTES / units), 500));
    const { documents } = config.text;
    const end = documents === undefined ? undefined : documentEndOf(vocabulary, documents);
    const turns = new Turns(signal);
    const activations = await activationsOf(
      parts[0].network,
      tokens.subarray(0, fitted),
      end,
      turns,
    );
    const characters = Array.from(tokens.subarray(0, fitted), (it) => vocabulary.characterAt(it));
    // The end of another part of the text stands before what is held out, unless that is documents.
    const isCut = isHeldOut && config.text.documents === undefined;
    const start = textStart(characters, isCut);
    const shown = { from: start.position, to: Math.min(start.position + most, fitted) };
    const readers = { reader, vocabulary, end };
    const predictions = await predictionsOf(
      readers,
      tokens.subarray(0, shown.to),
      shown.from,
      turns,
    );
    onWork?.("units");
    return {
      data: {
        characters: characters.slice(shown.from, shown.to),
        bits: predictions.map(({ bits }) => bits),
        expected: predictions.map(({ expected }) => expected.join("")),
        probabilities: predictions.map(({ probabilities }) => probabilities),
        units,
        activations: inBytes(activations, shown),
      },
      members: parts.length,
      isHeldOut,
      start,
      fitted,
      tracked: await trackedProperties(characters, activations, signal),
      counts: await countsOf(text, checkpoint, signal),
    };
  } finally {
    reader.dispose();
  }
}

/** How often each character of a vocabulary occurs in a text. */
async function countsOf(
  text: Tokens,
  { vocabulary }: Checkpoint,
  signal: AbortSignal | undefined,
): Promise<Counts> {
  const counts = await countTokens(text, vocabulary.size, signal);
  return new Map(Array.from(counts, (count, index) => [vocabulary.characterAt(index), count]));
}

/** The whole text, and what of it to look at. */
async function textOf(
  { config, vocabulary }: Checkpoint,
  { files, encoding, invalid, out, unknown }: Omit<ViewSettings, "backendSettings">,
  options: ReadOptions,
  onWarning: (message: string) => void,
): Promise<{ text: Tokens; tokens: Tokens; isHeldOut: boolean }> {
  const { lineEnds, documents, normalize, lowercase } = config.text;
  const canReplace = unknown === "skip" || vocabulary.readsReplacement;
  const reading = { encoding, invalid, canReplace, lineEnds, leftOut: [out] };
  const { texts, warnings } = await readTexts(
    files,
    { ...reading, rewriting: undefined, joined: true },
    options,
  );
  for (const warning of warnings) onWarning(warning);
  const known = await knownPart(texts[0], { vocabulary, ...config.text }, unknown, options.signal);
  refuseTooShort(known, texts[0]);
  const { skipped, mapped } = known;
  if (skipped > 0) onWarning(leftOut(skipped, known.skippedCharacters));
  if (mapped > 0) onWarning(readAsOthers(mapped, known.mappings));
  const { training, text } = config;
  const { validation, fold, test, split, minCount, randomSeed } = training;
  const divided = { validation, fold, test, split, minCount, randomSeed };
  // A list gets the newline that its last line may lack.
  const lacking = text.characters - known.tokens.length;
  if (skipped + mapped === 0 && (lacking === 0 || (documents && lacking === 1))) {
    const corpus = await loadCorpus(
      { files, ...reading, ...divided, documents, normalize, lowercase, alsoKnown: vocabulary },
      options,
    );
    if (corpus.fingerprint === text.fingerprint && corpus.validation.tokens.length > 1) {
      return { text: known.tokens, tokens: corpus.validation.tokens, isHeldOut: true };
    }
  }
  return { text: known.tokens, tokens: known.tokens, isHeldOut: false };
}

/** See `TextData`. */
function inBytes(
  activations: readonly Float32Array[],
  { from, to }: { readonly from: number; readonly to: number },
): string {
  const bytes = new Int8Array(activations.length * (to - from));
  for (const [unit, own] of activations.entries()) {
    // A GRU's and an LSTM's are from -1 to 1 by themselves.
    bytes.set(
      own.subarray(from, to).map((value) => Math.round(127 * value)),
      unit * (to - from),
    );
  }
  return Buffer.from(bytes.buffer).toString("base64");
}
